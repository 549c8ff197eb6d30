"""The services of log, ports, worker, deadlines and sessions: children of the gateway's service."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import deferLater
from twisted.logger import Logger, globalLogPublisher

from gateway.app.build import version
from gateway.app.layer_settings import WORKER_KEY, state_dir
from gateway.app.service import refused
from gateway.web.http.listen import KeptPort
from gateway.web.http.listen_plan import ListenError, plan
from gateway.web.http.timer import Driver, drive
from gateway.web.security.guard_settings import notice, warning

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.app.access_parts import AccessParts
    from gateway.engineio.deadlines import Deadlines
    from gateway.engineio.server import Server as EngineServer
    from gateway.options import Settings
    from gateway.relay.relay import Relay
    from gateway.web.http.listen import Listeners
    from gateway.worker.supervisor import Supervisor

LINGER = 0.2
"""Seconds that the last bytes have to leave."""
LAST_POLLS = 0.5
"""Seconds that clients that poll have to fetch the last events."""

_log = Logger(namespace="gateway")


class ObserverService(Service):
    """Lets `observer` hear the whole log, from the opening of the ports to the end."""

    name = "the log's last lines"

    def __init__(self, observer: Any) -> None:
        self._observer = observer

    def privilegedStartService(self) -> None:
        super().privilegedStartService()
        globalLogPublisher.addObserver(self._observer)

    def stopService(self) -> None:
        super().stopService()
        globalLogPublisher.removeObserver(self._observer)


class PortService(Service):
    """Opens all ports while there are privileges, and says in the log which they are.

    One service for all of them, and not a StreamServerEndpointService for each: all are open or
    none, one may be left out where this machine has no IPv6, and the worker's depends on where
    the others are.
    """

    name = "the ports"

    def __init__(
        self,
        listeners: Listeners,
        settings: Settings,
        access: AccessParts,
    ) -> None:
        """Raises ListenError for a --host that is no address."""
        self._listeners = listeners
        self._settings = settings
        self._access = access
        self._places = plan(settings.host, settings.listen, supervised=not settings.no_worker)

    def privilegedStartService(self) -> None:
        """Raises StartError when a port can't be opened."""
        super().privilegedStartService()
        outcome: list[Any] = []
        ensureDeferred(self._open()).addBoth(outcome.append)
        if outcome and outcome[0] is not None:
            try:
                outcome[0].raiseException()
            except (ListenError, OSError, ValueError) as error:
                raise refused(error) from None

    def stopService(self) -> Deferred[None]:
        super().stopService()
        return ensureDeferred(self._listeners.close())

    async def _open(self) -> None:
        settings = self._settings
        kept = KeptPort(state_dir(settings, os.environ) / f"worker-port-{settings.port}")
        await self._listeners.open(self._places, settings.port, kept)
        guarding, exposed = self._access.guarding, self._listeners.exposed
        self._access.guard.exposed = exposed
        addresses = ", ".join(self._listeners.addresses)
        _log.info("Listening on {addresses}", addresses=addresses)
        _log.info("This is {version}", version=version())
        _log.info("{notice}", notice=notice(guarding, exposed=exposed))
        for line in self._access.tokens.doubts():
            _log.warn("{doubt}", doubt=line)
        if warning(guarding):
            _log.warn("{warning}", warning=warning(guarding))


class WorkerService(Service):
    """Runs the supervisor of the worker.

    `port()` is the port with plain HTTP for the worker, once the ports are open; `secret()` is put
    into its URL, where there is one.
    """

    name = "the worker"

    def __init__(
        self,
        supervisor: Supervisor,
        port: Callable[[], int],
        secret: Callable[[], str] | None,
    ) -> None:
        self._supervisor = supervisor
        self._port = port
        self._secret = secret

    def startService(self) -> None:
        super().startService()
        url = f"http://localhost:{self._port()}"
        if self._secret is not None:
            secret = self._secret()
            self._supervisor.redact.learn(secret)
            url += f"/?{WORKER_KEY}={secret}"
        self._supervisor.start(url)

    def stopService(self) -> Deferred[None]:
        super().stopService()
        return self._supervisor.stop()


class DeadlineService(Service):
    """Makes the reactor drive `deadlines`."""

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


class SessionService(Service):
    """Closes all sessions when it stops, after they got what was sent before."""

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
            await deferLater(self._reactor, LINGER / 10)
        self._engine.close()
        await deferLater(self._reactor, LINGER)
