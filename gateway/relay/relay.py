"""The relay as a whole: its hubs, and the outboxes they share."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from gateway.relay.hub import Hub
from gateway.relay.journal import DirectJournal, Mark
from gateway.relay.lagging import SlowClients
from gateway.relay.session_outbox import SessionOutbox
from gateway.relay.turn import Turn

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.engineio.deadlines import Deadlines
    from gateway.relay.journal import Journal
    from gateway.relay.observer import Observer
    from gateway.relay.settings import RelaySettings
    from gateway.socketio.server import Server


class Relay:
    """One hub per namespace, flushed together.

    `call_later(seconds, callback)` is the reactor's; `call_soon(callback)` calls at the end of the
    reactor's turn, by default it is a call in 0 seconds; `observer` sees what is relayed;
    `wall` is the wall clock, in seconds since 1970.  `journal(hub)` makes the journal of each.
    """

    def __init__(
        self,
        settings: RelaySettings,
        deadlines: Deadlines,
        call_later: Callable[[float, Callable[[], None]], object],
        observer: Observer,
        *,
        wall: Callable[[], float],
        call_soon: Callable[[Callable[[], None]], object] | None = None,
        journal: Callable[[Hub], Journal] = DirectJournal,
    ) -> None:
        if settings.flush_interval or call_soon is None:
            call_soon = partial(call_later, settings.flush_interval)
        self._turn = Turn(call_soon, partial(call_later, 0))
        self.hubs = {
            name: Hub(name, settings, self._turn, deadlines, observer, wall=wall, journal=journal)
            for name in settings.namespaces
        }
        self.slow = SlowClients(self._turn, settings.slow_client_limits, deadlines, wall=wall)

    def outbox(self) -> SessionOutbox:
        """The outbox of a new Engine.IO session."""
        return SessionOutbox(self._turn)

    def register(self, server: Server) -> None:
        """Serve the relayed namespaces on `server`."""
        for name, hub in self.hubs.items():
            server.of(name, hub)

    def publish(self, name: str, value: dict[str, Any]) -> None:
        """Send the event `name` with the argument `value` to all clients of all namespaces."""
        for hub in self.hubs.values():
            hub.publish(name, value)

    def quotes_gone(self) -> None:
        """Take all quotes out of all snapshots: those to come are of another time."""
        self._mark(Mark.QUOTES_GONE)

    def worker_gone(self) -> None:
        """Take the events of readiness out of all snapshots: the worker has ended."""
        self._mark(Mark.WORKER_GONE)

    def worker_returned(self) -> None:
        """Put the events of readiness back: the worker of the process before this one goes on."""
        self._mark(Mark.WORKER_RETURNED)

    def _mark(self, mark: Mark) -> None:
        for hub in self.hubs.values():
            hub.put_mark(mark)

    def finish(self) -> Callable[[], bool]:
        """Write what waits now, since the reactor may end.

        Returns a function: whether a polling client has not fetched all of it yet.
        """
        self._turn.finish()
        heads = [(log, log.head) for log in self._turn.logs]
        return lambda: any(each.fetches(head) for log, head in heads for each in log.apart)
