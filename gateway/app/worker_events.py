"""Hears each relayed event, and publishes the gateway's own: `python_status`, `feed_status`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from twisted.logger import Logger, LogLevel

from gateway.app.identity import is_local, known_as_worker
from gateway.common.attempt import Attempts
from gateway.common.shares import Places
from gateway.common.times import iso
from gateway.market.events import FEED_STATUS, KNOWN
from gateway.market.freshness import ENDED, MAX_NAMES, Freshness
from gateway.web.security.addresses import address_key

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

    from gateway.app.identity import Identities
    from gateway.engineio.deadlines import Deadlines
    from gateway.engineio.session import Session
    from gateway.market.hours import Calendar
    from gateway.relay.event import Event
    from gateway.relay.relay import Relay
    from gateway.relay.subscription import Subscription

_log = Logger(namespace="gateway.relay")


WAITS: Final = "backoff"
"""The `status` while it is not known yet whether a worker is taken over."""


class SupervisedWorker(Protocol):
    """What is asked of the worker's supervisor, and what it is told."""

    @property
    def running(self) -> bool:
        """Whether the worker's process lives."""
        ...

    @property
    def adopted(self) -> bool:
        """Whether it lives, and a gateway before this one has started it."""
        ...

    @property
    def generation(self) -> int:
        """The number of the present worker, or of the last one."""
        ...

    def heard(self, name: str, value: object, connection: Hashable) -> None:
        """The worker sent the event `name` with the first argument `value`."""
        ...

    def gone(self, connection: Hashable) -> None:
        """One of the worker's connections is closed."""
        ...


class WorkerEvents:
    """The relay's `Observer`, and the publisher of the gateway's own events.

    `count(name, times)` counts relayed events.  The events of the worker go to its supervisor and
    to the freshness of the feeds; without a supervised worker those of everybody do.  `identities`
    tells who is the worker, `admit(session, auth)` who may join.  `wall` is the wall clock, in
    seconds since 1970; `silence` is in seconds.  Each event name in `names` has a count of its
    own; others have one while there are places (`Places`).
    """

    relay: Relay
    """Set before the first event."""
    redact: Callable[[str], str] = staticmethod(str)
    """Takes secrets out of what is logged."""
    worker: SupervisedWorker | None = None
    """None: no worker is supervised."""

    def __init__(
        self,
        count: Callable[[str, int], None],
        identities: Identities,
        admit: Callable[[Session, dict[str, Any]], bool],
        deadlines: Deadlines,
        wall: Callable[[], float],
        *,
        silence: float,
        calendar: Calendar,
        names: Iterable[str] = (),
        mark: str = "",
    ) -> None:
        self._marks = {mark: True} if mark else {}
        self._names = Places({*KNOWN, *names}, MAX_NAMES)
        self.freshness = Freshness(
            deadlines,
            wall,
            self._feed_changed,
            silence=silence,
            calendar=calendar,
            names=self._names,
            owner_of=self._inventor,
        )
        self._awaits = False
        """Whether the worker of a process before this one may still come back."""
        self._had = False
        """Whether there was a worker here since it was told that there is none."""
        self._count = count
        self._identities = identities
        self._attempt = Attempts()
        self.admit = admit
        self._wall = wall
        self.leads: Callable[[], bool] = _always
        """Whether this gateway is the one that speaks of the worker and the feeds."""
        self.listeners: list[Callable[[str, dict[str, Any]], object]] = []
        """Called with name and argument of each event that the gateway publishes."""

    # -- the relay calls these: `gateway.relay` says what each is for ---------------------

    def relayed(self, sender: Subscription, events: Sequence[Event]) -> None:
        counts: dict[str | float, int] = {}
        for event in events:
            counts[event.name] = counts.get(event.name, 0) + 1
        for name, times in counts.items():
            if name not in self._names.taken:
                name = self._names.of(str(name), self._inventor(sender))  # noqa: PLW2901
            self._count(str(name), times)

    def owner(self, session: Session) -> str:
        return address_key(session.peer.address)

    def is_worker(self, sender: Subscription) -> bool:
        return self._identities.is_worker(sender.socket.session)

    def trusts(self, sender: Subscription) -> bool:
        return self.worker is None or self.is_worker(sender)

    def left(self, sender: Subscription) -> None:
        if self.worker is not None and known_as_worker(sender.socket.session):
            self.worker.gone(sender.socket.session)

    def is_current(self, sender: Subscription) -> bool:
        worker = self.worker
        if worker is None:
            return True
        identity = self._identities.of(sender.socket.session)
        if identity.generation is None:
            identity.generation = worker.generation
        return worker.running and identity.generation == worker.generation

    def heard(
        self, sender: Subscription, events: Sequence[Event], values: Sequence[list[Any]]
    ) -> None:
        worker, hear, session = self.worker, self.freshness.hear, sender.socket.session
        for event, value in zip(events, values, strict=True):
            name = str(event.name)
            try:
                # The last events of a worker that has ended count, unless the next one runs.
                if worker is not None and (event.current or not worker.running):
                    worker.heard(name, value[1] if len(value) > 1 else None, session)
                if event.current:
                    hear(name, event.code, sender)
            except Exception:  # its sender is not to blame, and keeps its connection
                self._attempt.failed("Hearing what the worker says")

    def _inventor(self, sender: Subscription | str) -> str:
        """Whose share a new event name counts for: an address; "" for trusted senders.

        What came from another gateway has no sender here: it was trusted there.
        """
        if isinstance(sender, str):
            return sender
        session = sender.socket.session
        identity = self._identities.of(session)
        if identity.owner is None:
            is_trusted = self.trusts(sender)
            if self.worker is None:
                is_trusted = is_local(session.peer)
            identity.owner = "" if is_trusted else self.owner(session) or "unix"
        return identity.owner

    # -- the gateway's own events ----------------------------------------------------------

    def restored(self) -> None:
        """A process before this one had a worker: it is gone, unless it is taken over."""
        self._awaits = self.worker is not None

    def tell(self, name: str, value: dict[str, Any]) -> None:
        """Publish a `python_status`; when the worker is gone, first note that in the relay.

        A gateway without the worker of its cluster knows nothing of that one.
        """
        worker = self.worker
        if worker is not None:
            if self._awaits and worker.adopted:
                self._awaits, self._had = False, True
                self.relay.worker_returned()
            elif self._awaits and value.get("status") == WAITS:
                pass  # it is not known yet
            elif not self._awaits and worker.running:
                self._had = True
            elif self._had or self.leads():
                self._awaits = self._had = False
                self.relay.worker_gone()
                self.freshness.worker_gone()
        self._publish(name, value)

    def _feed_changed(self, market: str, reason: str) -> None:
        status = "closed" if reason in ENDED else "stale" if reason else "live"
        _log.emit(
            LogLevel.warn if status == "stale" else LogLevel.info,
            "The feed of {market} is {status}{why}",
            tag="Relay",
            market=market,
            status=status,
            why=f": {reason}" if reason else "",
        )
        self._publish(FEED_STATUS, self.feed_status(status, market, reason, self.freshness.stale))

    def feed_status(
        self, status: str, market: str, reason: str, stale: Iterable[str]
    ) -> dict[str, Any]:
        """What `feed_status` says of a market; `stale`: all markets whose feed is stale now."""
        return {
            "status": status,
            "market": market,
            "reason": reason,
            "stale": sorted(stale),
            "timestamp": iso(self._wall()),
            **self._marks,
        }

    def _publish(self, name: str, value: dict[str, Any]) -> None:
        if not self.leads():
            return
        self.relay.publish(name, value)
        for tell in self.listeners:
            self._attempt("Telling what browsers are told", tell, name, value)


def _always() -> bool:
    """A gateway that is alone speaks of all that it has."""
    return True


# -- At log level debug.

MAX_SHOWN: Final = 1000
"""Characters of an event that are shown."""


class TracedWorkerEvents(WorkerEvents):
    """Also logs each event: its text without secrets, and how many attachments it has."""

    def relayed(self, sender: Subscription, events: Sequence[Event]) -> None:
        super().relayed(sender, events)
        for event in events:
            self._show(event)

    def _show(self, event: Event) -> None:
        packet, *attachments = event.packets
        text = self.redact(packet.data[: 2 * MAX_SHOWN].decode("utf-8", "replace"))
        _log.debug(
            "{text}{more}{attached}",
            tag="Relay",
            text=text[:MAX_SHOWN],
            more="..." if len(packet.data) > MAX_SHOWN else "",
            attached=f" + {len(attachments)} attachments" if attachments else "",
        )
