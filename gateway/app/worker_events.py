"""What the gateway makes of the events it relays: counts, trust, news of the worker."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

from twisted.logger import Logger, LogLevel

from gateway.app.identity import is_local, known_as_worker
from gateway.common.guard import Attempts
from gateway.market.freshness import ENDED, MAX_NAMES, Freshness
from gateway.relay.event import NAMES
from gateway.relay.shares import Places
from gateway.web.security.addresses import address_key

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from gateway.app.identity import Identities
    from gateway.engineio.deadlines import Deadlines
    from gateway.engineio.session import Session
    from gateway.market.hours import Calendar
    from gateway.relay.event import Event
    from gateway.relay.relay import Relay
    from gateway.relay.subscription import Subscription

_log = Logger(namespace="gateway.relay")


class SupervisedWorker(Protocol):
    """Who hears what the worker says; the supervisor does."""

    @property
    def running(self) -> bool: ...
    @property
    def generation(self) -> int: ...
    def heard(self, name: str, value: object, connection: Hashable) -> None: ...
    def gone(self, connection: Hashable) -> None: ...


class WorkerEvents:
    """The relay's observer, and the gateway's voice in it.

    `count(name)` is told of every event; `identities` know whether a client's word counts,
    and only then freshness and listener hear of it;
    `admit(session, auth)` lets clients in, see `gateway.relay.hub`.
    `wall` is the wall clock, in seconds since the epoch.  `names` of events are always counted
    by themselves, others as far as there are places.
    """

    relay: Relay
    """What is observed; set before the first event."""
    redact: Callable[[str], str] = staticmethod(str)
    """Takes secrets out of what is logged."""
    worker: SupervisedWorker | None = None

    def __init__(
        self,
        count: Callable[[str], None],
        identities: Identities,
        admit: Callable[[Session, dict[str, Any]], bool],
        deadlines: Deadlines,
        wall: Callable[[], float],
        *,
        silence: float,
        calendar: Calendar,
        names: Iterable[str] = (),
    ) -> None:
        self._names = Places({*NAMES, *names}, MAX_NAMES)
        self.freshness = Freshness(
            deadlines,
            wall,
            self._feed_changed,
            silence=silence,
            calendar=calendar,
            names=self._names,
            owner_of=self._inventor,
        )
        self._count = count
        self._identities = identities
        self._attempt = Attempts()
        self.admit = admit
        self._wall = wall
        self.listeners: list[Callable[[str, dict[str, Any]], object]] = []
        """Who hears what browsers are told by the gateway itself, besides them."""

    # -- the relay's side ----------------------------------------------------------------

    def relayed(self, sender: Subscription, event: Event) -> None:
        name = event.name
        if name not in self._names.taken:
            name = self._names.of(str(name), self._inventor(sender))
        self._count(name)

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

    def heard(self, sender: Subscription, event: Event, value: list[Any]) -> None:
        name, worker = str(event.name), self.worker
        try:
            # The last words of a worker are heard, too, unless the next one runs already.
            if worker is not None and (event.current or not worker.running):
                worker.heard(name, value[1] if len(value) > 1 else None, sender.socket.session)
            if event.current:
                self.freshness.hear(name, event.code, sender)
        except Exception:  # its sender is not to blame, and keeps its connection
            self._attempt.failed("Hearing what the worker says")

    def _inventor(self, sender: Subscription) -> str:
        """Whose share of names it uses: its address's; "" of the worker and who is as good."""
        session = sender.socket.session
        identity = self._identities.of(session)
        if identity.owner is None:
            is_trusted = self.trusts(sender)
            if self.worker is None:
                is_trusted = is_local(session.peer)
            identity.owner = "" if is_trusted else self.owner(session) or "unix"
        return identity.owner

    # -- the supervisor's side -----------------------------------------------------------

    def tell(self, name: str, value: dict[str, Any]) -> None:
        """Tell every client; when the worker is gone, late joiners hear it too."""
        if self.worker is not None and not self.worker.running:
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
        timestamp = datetime.fromtimestamp(self._wall(), UTC)
        self._publish(
            "feed_status",
            {
                "status": status,
                "market": market,
                "reason": reason,
                "stale": sorted(self.freshness.stale),
                "timestamp": timestamp.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            },
        )

    def _publish(self, name: str, value: dict[str, Any]) -> None:
        self.relay.publish(name, value)
        for tell in self.listeners:
            self._attempt("Telling what browsers are told", tell, name, value)


# -- The events of the log level debug: it shows what is relayed.

SHOWN: Final = 1000
"""Characters of an event that are shown."""


class TracedWorkerEvents(WorkerEvents):
    """Logs each event's text without secrets, and how many attachments it has."""

    def relayed(self, sender: Subscription, event: Event) -> None:
        super().relayed(sender, event)
        packet, *attachments = event.packets
        text = self.redact(packet.data[: 2 * SHOWN].decode("utf-8", "replace"))
        _log.debug(
            "{text}{more}{attached}",
            tag="Relay",
            text=text[:SHOWN],
            more="..." if len(packet.data) > SHOWN else "",
            attached=f" + {len(attachments)} attachments" if attachments else "",
        )
