"""What the gateway makes of the events it relays: counts, trust, news of the worker."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from gateway.identity import known_as_worker
from gateway.relay.freshness import Freshness

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from gateway.engineio.deadlines import Deadlines
    from gateway.engineio.session import Session
    from gateway.relay.event import Event
    from gateway.relay.relay import Relay
    from gateway.relay.sessions import Calendar
    from gateway.relay.subscription import Subscription


class Listener(Protocol):
    """Who hears what the worker says; the supervisor does."""

    @property
    def running(self) -> bool: ...
    def heard(self, name: str, value: object, connection: Hashable) -> None: ...
    def gone(self, connection: Hashable) -> None: ...


class Overseer:
    """The relay's observer, and the gateway's voice in it.

    `count(name)` is told of every event; `is_worker(session)` says whether a client's word
    counts (see `gateway.identity`), and only then freshness and listener hear of it;
    `admit(session, auth)` lets clients in, see `gateway.relay.observer`.
    `wall` is the wall clock, in seconds since the epoch.
    """

    relay: Relay
    """What is observed; set before the first event."""
    listener: Listener | None = None

    def __init__(
        self,
        count: Callable[[str], None],
        is_worker: Callable[[Session], bool],
        admit: Callable[[Session, dict[str, Any]], bool],
        deadlines: Deadlines,
        wall: Callable[[], float],
        *,
        silence: float,
        calendar: Calendar,
    ) -> None:
        self.freshness = Freshness(
            deadlines, wall, self._feed_changed, silence=silence, calendar=calendar
        )
        self._count = count
        self._is_worker = is_worker
        self.admit = admit
        self._wall = wall
        self.told: list[Callable[[str, dict[str, Any]], object]] = []
        """Who hears what browsers are told by the gateway itself, besides them."""

    # -- the relay's side ----------------------------------------------------------------

    def relayed(self, event: Event) -> None:
        self._count(str(event.name))

    def is_worker(self, sender: Subscription) -> bool:
        return self._is_worker(sender.socket.session)

    def trusts(self, sender: Subscription) -> bool:
        return self.listener is None or self.is_worker(sender)

    def left(self, sender: Subscription) -> None:
        if self.listener is not None and known_as_worker(sender.socket.session):
            self.listener.gone(sender.socket.session)

    def heard(self, sender: Subscription, event: Event, value: list[Any]) -> bool:
        name = str(event.name)
        if self.listener is not None:
            said = value[1] if len(value) > 1 else None
            self.listener.heard(name, said, sender.socket.session)
            if not self.listener.running:  # what was under way when the worker died
                return False
        self.freshness.hear(name, event.code)
        return True

    # -- the supervisor's side -----------------------------------------------------------

    def tell(self, name: str, value: dict[str, Any]) -> None:
        """Tell every client; when the worker is gone, late joiners hear it too."""
        if self.listener is not None and not self.listener.running:
            self.relay.worker_gone()
            self.freshness.worker_gone()
        self._publish(name, value)

    def _feed_changed(self, market: str, reason: str) -> None:
        timestamp = datetime.fromtimestamp(self._wall(), UTC)
        self._publish(
            "feed_status",
            {
                "status": "stale" if reason else "live",
                "market": market,
                "reason": reason,
                "stale": sorted(self.freshness.stale),
                "timestamp": timestamp.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            },
        )

    def _publish(self, name: str, value: dict[str, Any]) -> None:
        self.relay.publish(name, value)
        for tell in self.told:
            tell(name, value)
