"""The children of the gateway that are more than a function to start and one to stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import deferLater

from gateway.app.service import refused
from gateway.web.listen import ListenError
from gateway.web.timer import Driver, drive

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.engineio.deadlines import Deadlines
    from gateway.engineio.server import Server as EngineServer
    from gateway.relay.relay import Relay

FAREWELL = 0.2
"""Seconds in which the last bytes may leave."""
LAST_POLLS = 0.5
"""Seconds in which clients that poll may fetch the last words."""


class Ports(Service):
    """Opens all ports while there are privileges.

    `listen()` opens them and `close()` closes them.  One service for all of them, and not a
    StreamServerEndpointService for each: all are open or none, one may be left out where this
    machine has no IPv6, and the worker's depends on where the others are.
    """

    name = "the ports"

    def __init__(
        self, listen: Callable[[], Awaitable[None]], close: Callable[[], Awaitable[None]]
    ) -> None:
        self._listen = listen
        self._close = close

    def privilegedStartService(self) -> None:
        """Raises StartError when a port can't be had."""
        super().privilegedStartService()
        outcome: list[Any] = []
        ensureDeferred(self._listen()).addBoth(outcome.append)  # type: ignore[arg-type]
        if outcome and outcome[0] is not None:
            try:
                outcome[0].raiseException()
            except (ListenError, OSError, ValueError) as error:
                raise refused(error) from None

    def stopService(self) -> Deferred[None]:
        super().stopService()
        return ensureDeferred(self._close())  # type: ignore[arg-type]


class DeadlineTimer(Service):
    """Keeps `deadlines` going while it runs."""

    name = "the deadlines"

    def __init__(self, reactor: Any, deadlines: Deadlines) -> None:
        self._reactor = reactor
        self._deadlines = deadlines
        self._driver: Driver | None = None

    def startService(self) -> None:
        super().startService()
        self._driver = drive(self._reactor, self._deadlines)

    def stopService(self) -> None:
        super().stopService()
        if self._driver is not None:
            self._driver.stop()


class Sessions(Service):
    """Says goodbye to all sessions when it stops: what was said before reaches them."""

    name = "the sessions"

    def __init__(self, reactor: Any, relay: Relay, engine: EngineServer) -> None:
        self._reactor = reactor
        self._relay = relay
        self._engine = engine

    def stopService(self) -> Deferred[None]:
        super().stopService()
        return ensureDeferred(self._say_goodbye())

    async def _say_goodbye(self) -> None:
        unheard, end = self._relay.finish(), self._reactor.seconds() + LAST_POLLS
        while unheard() and self._reactor.seconds() < end:
            await deferLater(self._reactor, FAREWELL / 10)
        self._engine.close()
        await deferLater(self._reactor, FAREWELL)
