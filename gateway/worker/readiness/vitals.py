"""Signs of life of one worker process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.market.events import HEARTBEAT, READY, STARTUP, WORKER_STATUS

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from gateway.worker.settings import WorkerSettings

NO_CREDENTIALS = "no credentials"
"""The status by which a worker says that it waits for keys (main.py does)."""


class Vitals:
    """What the worker said of itself, and when; `clock` is monotonic.

    It is ready from its `shioaji_ready` on, or from its first quote: a worker
    that sends one has logged in.

    Any event is a sign of life.  A worker that sends heartbeats has to go on with them, or
    with other events.  A worker without heartbeats may be silent once it is ready, if it has
    sent market data or while `trades()` is false: then only its connections tell whether it
    lives.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        clock: Callable[[], float],
        trades: Callable[[], bool] = lambda: True,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._trades = trades
        self._started = clock()
        self._connections: set[Hashable] = set()
        self._ready: float | None = None
        self._spoke: float | None = None
        self._beats = self._publishes = False
        self._words: dict[Hashable, tuple[float, bool]] = {}
        self._broker_changed = 0.0
        self.broker: bool | None = None
        """Whether it has its session with the broker; None: it said nothing about that."""
        self.lacks_keys = False
        """It said that it has no credentials, and waits for some."""
        self.changes = 0
        """How often one of the `facts` changed."""

    def facts(self) -> dict[str, Any]:
        """What one who goes on with the worker has to know: JSON; seconds after its start."""
        return {
            "spoke": self.has_spoken,
            "ready": None if self._ready is None else self._ready - self._started,
            "beats": self._beats,
            "publishes": self._publishes,
            "lacksKeys": self.lacks_keys,
            "broker": self.broker,
            "brokerChanged": self._broker_changed - self._started,
        }

    def restore(self, facts: Mapping[str, Any], age: float) -> None:
        """Go on with a worker that was started `age` seconds ago, and of which `facts` are known.

        It counts as heard just now: its connections were to the gateway before.
        """
        now = self._clock()
        self._started = now - age
        ready = facts.get("ready")
        self._ready = None if ready is None else self._started + float(ready)
        self._spoke = now if facts.get("spoke") else None
        self._beats = bool(facts.get("beats"))
        self._publishes = bool(facts.get("publishes"))
        self.lacks_keys = bool(facts.get("lacksKeys"))
        self.broker = facts.get("broker")
        self._broker_changed = self._started + float(facts.get("brokerChanged", 0.0))

    def heard(self, name: str, value: object = None, connection: Hashable = None) -> None:
        """The worker sent the event `name` with `value` over one of its connections."""
        self._connections.add(connection)
        self.changes += self._spoke is None
        self._spoke = self._clock()
        told = value if isinstance(value, dict) else {}
        if self._ready is None and (name == READY or name in self._settings.quotes):
            self._ready = self._spoke
            self.changes += 1
        if name == READY:
            self._lacks(keys=False)
            self._words.clear()
            self._broker_is(connected=True)
        elif name == HEARTBEAT:
            self.changes += not self._beats
            self._beats = True
            if isinstance(connected := told.get("shioaji_connected"), bool):
                self._told_of_broker(connection, connected=connected)
        elif name == WORKER_STATUS:
            self._lacks(keys=told.get("status") == NO_CREDENTIALS)
        elif not self._publishes and name not in STARTUP:
            self._publishes = True
            self.changes += 1

    def gone(self, connection: Hashable = None) -> None:
        """One of its connections is closed; those of others change nothing."""
        self._connections.discard(connection)

    @property
    def has_spoken(self) -> bool:
        """It sent an event."""
        return self._spoke is not None

    @property
    def was_ready(self) -> bool:
        """It said so once."""
        return self._ready is not None

    @property
    def ready(self) -> bool:
        """It said so, is connected, lost no session with the broker, and is not late."""
        return not self.lacking

    @property
    def lacking(self) -> str:
        """Why it is not ready; empty when it is."""
        if not self.was_ready:
            return "the worker has not said shioaji_ready, and has sent no quotes"
        if not self._connections:
            return "the worker has no connection"
        if self.broker is False:
            return "the worker says that it has no session with the broker"
        return "the worker is silent" if self._late(self._settings.heartbeats_late) else ""

    @property
    def ready_for(self) -> float | None:
        """Seconds since it was ready first."""
        return None if self._ready is None else self._clock() - self._ready

    @property
    def broker_for(self) -> float | None:
        """Seconds since `broker` changed; None while that is None."""
        return None if self.broker is None else self._clock() - self._broker_changed

    @property
    def lived(self) -> float:
        """Seconds since its start."""
        return self._clock() - self._started

    @property
    def hung(self) -> bool:
        """The watchdog should restart it; never while it may still be logging in."""
        misses, grace = self._settings.watchdog, self._settings.watchdog_grace
        return misses > 0 and self.lived > grace and self._late(misses, not_before=grace)

    def _late(self, misses: int, not_before: float = 0) -> bool:
        if self.was_ready and not self._beats and (self._publishes or not self._trades()):
            return False
        last = max(self._spoke or 0, self._started + not_before)
        return self._clock() - last > misses * self._settings.heartbeat

    def _told_of_broker(self, connection: Hashable, *, connected: bool) -> None:
        """The process behind `connection` has a session with the broker, or has none.

        Of several processes one is enough; what one said counts until it is gone or late.
        """
        now = self._clock()
        oldest = now - self._settings.heartbeats_late * self._settings.heartbeat
        self._words[connection] = now, connected
        self._words = {
            each: word
            for each, word in self._words.items()
            if each in self._connections and word[0] >= oldest
        }
        self._broker_is(connected=any(word for _, word in self._words.values()))

    def _lacks(self, *, keys: bool) -> None:
        self.changes += keys is not self.lacks_keys
        self.lacks_keys = keys

    def _broker_is(self, *, connected: bool) -> None:
        if connected is not self.broker:
            self.changes += 1
            self.broker, self._broker_changed = connected, self._clock()
