"""`twistd sjgateway`: the one place where options become objects."""

from __future__ import annotations

import os
import time
from functools import partial
from hmac import compare_digest
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry
from twisted.internet.defer import ensureDeferred
from twisted.internet.task import deferLater
from twisted.logger import Logger, LogLevel

from gateway.admission import Admission, Publish
from gateway.alerts.alerts import Alerts
from gateway.engineio.deadlines import Deadlines
from gateway.engineio.server import Server as EngineServer
from gateway.identity import Identities, is_local, known_as_worker
from gateway.layers import (
    WORKER_KEY,
    alert_settings,
    allowance,
    engine_settings,
    guard_settings,
    relay_settings,
    socket_settings,
    state_dir,
    token_sources,
    worker_settings,
)
from gateway.logs import EventCounts, Observer, make_log
from gateway.measures import measure
from gateway.memory import GivesBack
from gateway.notify import Notifier
from gateway.options import Options
from gateway.overseer import Overseer
from gateway.reaper import start_reaping
from gateway.relay.relay import Relay
from gateway.relay.sessions import Calendar
from gateway.reload import Reloads, heed_hangup
from gateway.revocation import Revocation
from gateway.service import Gateway, Step, settle_in
from gateway.socketio.server import Server as SocketServer
from gateway.status import Status
from gateway.trace import TracingOverseer
from gateway.visitors import Visitors
from gateway.web.control import NoWorker
from gateway.web.engine import EngineResource
from gateway.web.limits import Caps
from gateway.web.listen import ListenError, Listeners, plan
from gateway.web.metrics import metrics_mounts
from gateway.web.names import is_loopback
from gateway.web.page import page_mounts
from gateway.web.private import check as check_private_names
from gateway.web.rest import rest_mounts
from gateway.web.security import Guard
from gateway.web.site import Mount, make_site
from gateway.web.strikes import Strikes
from gateway.web.timer import drive
from gateway.web.tokenfiles import TokenFiles
from gateway.web.trust import notice, warning
from gateway.web.upgrade import Upgrader
from gateway.web.worker_port import KeptPort
from gateway.worker.connections import Connections, Ends
from gateway.worker.redact import Redactor
from gateway.worker.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping, Sequence

    from gateway.config import Settings
    from gateway.engineio.handshake import Peer
    from gateway.engineio.session import Session
    from gateway.web.site import Site
    from gateway.web.tokens import Token

__all__ = ["Options", "makeService"]

FAREWELL = 0.2
"""Seconds in which the last bytes may leave."""
LAST_POLLS = 0.5
"""Seconds in which clients that poll may fetch the last words."""

_log = Logger(namespace="gateway")


def makeService(options: Options, reactor: Any = None) -> Gateway:
    """Make everything, and listen.

    To listen no sooner than the service starts would be usual.  But an error here is one
    line on stderr and exit status 1, for twistd, for its daemon and for twist; and no
    worker was started when the port is in use.
    """
    if reactor is None:
        from twisted.internet import reactor  # noqa: PLC0415  # twistd chose it just before
    settle_in(reactor)
    try:
        check_private_names()
        parts = Parts(options.settings, reactor)
        parts.listen()
        gateway = Gateway(list(parts.starting()), list(parts.stopping()))
        if options.parent is not None:
            gateway.observer = parts.log_by(options.parent)
    except (ValueError, OSError, ListenError) as error:
        raise SystemExit(f"sjgateway: {error}") from None
    return gateway


class Parts:
    """What the gateway is made of.  Raises ValueError for settings that make no sense."""

    def __init__(self, settings: Settings, reactor: Any) -> None:
        self._settings = settings
        self._reactor = reactor
        self._level = LogLevel.levelWithName("debug" if settings.dev else settings.log_level)
        self._guarding = guard_settings(settings)
        self._guard = Guard(self._guarding)
        self._deadlines = Deadlines(reactor.seconds)
        # Workers append paths to their URL, so it stays clean unless a secret is needed.
        publish = (
            Publish(settings.publish)
            if settings.publish
            else Publish.by_default(tokens=self._guard.has_tokens)
        )
        self._secret = token_urlsafe(16) if publish is Publish.WORKER else ""
        if publish is Publish.WORKER and settings.no_worker:
            raise ValueError("--publish worker needs a worker; use --publish token")
        self._calendar = Calendar(settings.holiday_file)
        watch = TracingOverseer if self._level is LogLevel.debug else Overseer
        self._counts = EventCounts(self._deadlines.call_later)
        self._identities = Identities(self._owns)
        self._strikes = Strikes(reactor.seconds)
        admission = Admission(
            self._guard,
            publish,
            self._identities.is_worker,
            remember=self._identities.remember,
            strikes=self._strikes,
        )
        self._overseer = watch(
            self._counts,
            self._identities,
            admission,
            self._deadlines,
            time.time,
            silence=settings.tick_silence,
            calendar=self._calendar,
            names=(*settings.state_events, *settings.quote_events),
        )
        self._supervisor = None if settings.no_worker else self._make_supervisor()
        self._connections = Connections(self._guardian)
        self._version_3 = float("-inf")
        self._relay = Relay(
            relay_settings(settings, os.environ),
            self._deadlines,
            reactor.callLater,
            self._overseer,
            wall=time.time,
        )
        self._overseer.relay = self._relay
        self._overseer.listener = self._supervisor
        self._allowance = allowance(settings, self._is_publisher, self._is_exempt)
        self._engine = self._make_engine()
        alerting = alert_settings(settings)
        self._alerts = Alerts(reactor, self._deadlines, alerting)
        self._overseer.told.append(self._alerts.told)
        if self._supervisor is not None:
            self._overseer.told.append(self._supervisor.told)
        self._redact = self._supervisor.redact if self._supervisor else Redactor()
        self._redact.learn(*alerting.secrets)
        self._revocation = Revocation(self._guard, self._identities, self._engine.sessions)
        tokens = self._guarding.all_tokens
        self._redact.learn(*(token.secret for token in tokens))
        self._tokens = TokenFiles(
            reactor, token_sources(settings), tokens, self._heed_tokens, wall=time.time
        )
        caps = self._caps()
        self._registry = CollectorRegistry()
        site: Any = self._make_site()  # typed as a factory of its own channels
        measure(
            self._registry,
            overseer=self._overseer,
            sessions=self._engine.sessions,
            counts=self._counts,
            caps=caps,
            site=site,
            admission=admission,
            alerts=self._alerts,
            supervisor=self._supervisor,
            deadlines=self._deadlines,
        )
        self._listeners = Listeners(reactor, site, caps, self._guard.believes)
        self._timer = drive(reactor, self._deadlines)
        self._notifier = Notifier(os.environ, reactor)
        self._reloads = Reloads()
        self._reloads.steps += [
            Step("the certificates", self._listeners.reload_certificates),
            Step("the holidays", self._calendar.reload),
            Step("the tokens", self._tokens.reload),
        ]

    # -- making --------------------------------------------------------------------------

    def _make_supervisor(self) -> Supervisor:
        told = worker_settings(self._settings, self._guarding, os.environ)
        return Supervisor(
            self._reactor,
            told,
            self._overseer.tell,
            trades=self._calendar.is_open,
            is_connected=self._is_connected,
            spoke_version_3=lambda seconds: self._reactor.seconds() - self._version_3 < seconds,
        )

    def _make_engine(self) -> EngineServer:
        application = SocketServer(
            socket_settings(self._settings), self._deadlines, limit=self._allowance.limit
        )
        self._relay.register(application)
        return EngineServer(
            engine_settings(self._settings),
            Visitors(application, self._deadlines.call_later),
            self._deadlines,
            outbox=self._relay.outbox,
            bounds=self._caps(),
        )

    def _caps(self) -> Caps:
        """For connections, and the same again for sessions: polling ones may have none."""
        settings = self._settings
        return Caps(
            settings.max_connections, settings.max_connections_per_address, self._guard.believes
        )

    def _make_site(self) -> Site:
        engine = self._engine.settings
        allowed = self._allowance
        upgrader = Upgrader(self._reactor, self._deadlines, allowed, deflate=self._settings.deflate)
        freshness = self._overseer.freshness
        control = self._supervisor or NoWorker(lambda: freshness.last)
        status = Status(
            control.status, self._relay, freshness, self._engine.sessions, self._reactor.seconds
        )
        self._overseer.told.append(status.changed)
        site = make_site(
            self._reactor,
            self._guard,
            {
                **rest_mounts(control, status=status),
                **page_mounts(),
                **metrics_mounts(self._registry),
            },
            engine=Mount(
                EngineResource(self._engine, upgrader, allowance=allowed, too_old=self._is_too_old),
                body_limit=engine.max_payload,
            ),
            engine_path=engine.path.encode(),
            more_engine_paths=[self._settings.path.encode()] if self._settings.path else [],
            strikes=self._strikes,
        )
        site.noisy = False
        return site

    def _guardian(self) -> int | None:
        """The process above the worker."""
        return None if self._supervisor is None else self._supervisor.guardian_pid

    def _owns(self, session: Session) -> bool | None:
        """Whether `session` is the worker's; None: there is no worker now."""
        host, port, ours, *_ = session.peer
        secret = session.query.get(WORKER_KEY, "")
        if self._secret and compare_digest(secret.encode(), self._secret.encode()):
            return True
        if not port:
            return False  # a UNIX socket tells nothing
        return self._connections.owns(Ends(ours, (host, port)))

    def _is_connected(self) -> bool:
        """Whether a session is the worker's; the kernel is asked once for all of them."""
        sessions = self._engine.sessions.values()
        if any(map(known_as_worker, sessions)):
            return True
        ports = self._connections.ports()
        return any(
            session.peer.port in ports and is_loopback(session.peer.host) for session in sessions
        )

    def _is_too_old(self, peer: Peer) -> None:
        """A client that speaks Engine.IO 3 was refused: perhaps the worker, which tells nobody."""
        if is_loopback(peer.host):
            self._version_3 = self._reactor.seconds()

    def _heed_tokens(self, tokens: Sequence[Token]) -> None:
        """Other tokens count from now on."""
        self._redact.learn(*(token.secret for token in tokens))
        self._revocation(tokens)

    def _is_exempt(self, session: Session) -> bool:
        """Whether `session` may send at any rate: the worker, or who takes its place."""
        if self._supervisor is None:
            return is_local(session.peer) or self._identities.may_publish(session)
        return self._is_publisher(session)

    def _is_publisher(self, session: Session) -> bool:
        """Whether `session` may send what is as large as the worker's."""
        return self._identities.may_publish(session) or self._identities.is_worker(session)

    # -- starting and stopping -----------------------------------------------------------

    def listen(self) -> None:
        """Listen at once.  Raises ListenError."""
        settings = self._settings
        places = plan(settings.host, settings.listen, supervised=self._supervisor is not None)
        kept = KeptPort(state_dir(settings, os.environ) / f"worker-port-{settings.port}")
        opened = ensureDeferred(self._listeners.open(places, settings.port, kept))
        outcome: list[Any] = []
        opened.addBoth(outcome.append)
        if outcome and outcome[0] is not None:
            outcome[0].raiseException()
        self._guard.exposed = self._listeners.exposed

    def starting(self) -> Iterator[Step]:
        """What is done when the service starts."""
        yield Step("Saying where we are", self._announce)
        yield Step("Watching the tokens", self._tokens.watch)
        gives_back = GivesBack(self._engine.sessions.__len__, self._deadlines.call_later)
        yield Step("Giving memory back from now on", gives_back.look)
        yield Step("Telling systemd that we are ready", self._notifier.ready)
        if os.getpid() == 1:
            yield Step("Collecting orphans", partial(start_reaping, self._reactor))
        yield Step("Watching for SIGHUP", partial(heed_hangup, self._reactor, self._reloads))
        if self._supervisor is not None:
            url = f"http://localhost:{self._listeners.worker_port}"
            if self._secret:
                self._supervisor.redact.learn(self._secret)
                url += f"/?{WORKER_KEY}={self._secret}"
            yield Step("Starting the worker", partial(self._supervisor.start, url))

    def stopping(self) -> Iterator[Step]:
        """What is done when it stops: browsers hear the worker out."""
        yield Step("Telling systemd that we end", self._notifier.stopping)
        yield Step("Closing the ports", self._listeners.close)
        if self._supervisor is not None:
            yield Step("Stopping the worker", self._supervisor.stop)
        yield Step("Closing the sessions", self._say_goodbye)
        yield Step("Stopping the alerts", self._alerts.stop)
        yield Step("Watching the tokens no longer", self._tokens.stop)
        yield Step("Stopping the timer", self._timer.stop)
        yield Step("Writing the last counts", self._counts.finish)

    def _announce(self) -> None:
        addresses = ", ".join(self._listeners.addresses)
        _log.info("Listening on {addresses}", addresses=addresses)
        _log.info("{notice}", notice=notice(self._guarding, exposed=self._guard.exposed))
        for line in self._tokens.doubts():
            _log.warn("{doubt}", doubt=line)
        if warning(self._guarding):
            _log.warn("{warning}", warning=warning(self._guarding))

    async def _say_goodbye(self) -> None:
        unheard, end = self._relay.finish(), self._reactor.seconds() + LAST_POLLS
        while unheard() and self._reactor.seconds() < end:
            await deferLater(self._reactor, FAREWELL / 10)
        self._engine.close()
        await deferLater(self._reactor, FAREWELL)

    # -- the log -------------------------------------------------------------------------

    def log_by(self, runner: MutableMapping[str, Any]) -> Observer:
        """The observer that logs to where `runner`, twistd's or twist's options, says."""
        observer, output = make_log(
            self._settings, runner, self._reactor, redact=self._redact, level=self._level
        )
        self._reloads.steps.insert(0, Step("the log file", output.reload))
        return observer
