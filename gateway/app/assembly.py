"""The one composition root: makes every object of the gateway, once, of the settings.

It opens no port and starts no thread or timer: that is done when the service starts.  Files that
options name are read, and closed.
"""

from __future__ import annotations

import os
import time
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry
from twisted.logger import Logger, LogLevel

from gateway import __version__
from gateway.app.admission import Admission, Publish, Revocation
from gateway.app.bars import asker_of, make_bars
from gateway.app.child_services import DeadlineService, PortService, SessionService, WorkerService
from gateway.app.collectors import register_collectors
from gateway.app.layer_settings import (
    alert_settings,
    allowance,
    engine_settings,
    guard_settings,
    publish_choice,
    record_settings,
    relay_settings,
    socket_settings,
    token_sources,
    worker_settings,
)
from gateway.app.process import Reloads, Step, process_services
from gateway.app.service import Gateway, Part, periodic
from gateway.app.status import GatewayStatus
from gateway.app.worker_events import TracedWorkerEvents, WorkerEvents
from gateway.app.worker_sessions import WorkerSessions
from gateway.common.redact import Redactor
from gateway.contract import NoWorker
from gateway.engineio.deadlines import Deadlines
from gateway.engineio.server import Server as EngineServer
from gateway.market.hours import Calendar
from gateway.ops.alerts.alerts import Alerts
from gateway.ops.logs import STDOUT, EventCounts, LogObserver, SessionLog, make_log
from gateway.ops.systemd import Notifier
from gateway.relay.relay import Relay
from gateway.socketio.server import Server as SocketServer
from gateway.web.http.counting import Caps
from gateway.web.http.listen import CERTIFICATE_SECONDS, Listeners
from gateway.web.http.site import Mount, make_site
from gateway.web.routes.engine import EngineResource
from gateway.web.routes.page import page_routes
from gateway.web.routes.rest import RestHandlers
from gateway.web.routes.route_table import metrics_route, rest_routes
from gateway.web.routes.router import mounts
from gateway.web.security import token_files
from gateway.web.security.guard import Guard
from gateway.web.security.tokens import Strikes
from gateway.web.websocket.upgrade import Upgrader
from gateway.worker.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping, Sequence

    from twisted.application.service import Service

    from gateway.history.recording import Recording
    from gateway.options import Settings
    from gateway.web.http.site import Site
    from gateway.web.security.tokens import Token

_log = Logger(namespace="gateway")


class GatewayAssembly:
    """Makes all parts of the gateway; `gateway` is the service.

    `runner`: the options of twistd or twist where they run the gateway alone; then the process,
    its log and its signals are ours.  None: the gateway is one service of an application.
    Raises ValueError, OSError or ListenError, with one line for the user.
    """

    def __init__(
        self,
        settings: Settings,
        reactor: Any,
        runner: MutableMapping[str, Any] | None = None,
    ) -> None:
        self._settings = settings
        self._reactor = reactor
        self._clock = reactor.seconds if runner is None else time.monotonic
        self._level = LogLevel.levelWithName("debug" if settings.dev else settings.log_level)
        supervised = not settings.no_worker
        self._guarding = guard_settings(settings)
        self._guard = Guard(self._guarding)
        self._deadlines = Deadlines(self._clock)
        publish = publish_choice(settings, has_tokens=self._guard.has_tokens)
        # Workers append paths to their URL, so it stays clean unless a secret is needed.
        self._secret = token_urlsafe(16) if publish is Publish.WORKER else ""
        self._worker_sessions = WorkerSessions(
            self._guardian, self._secret, self._deadlines, supervised=supervised
        )
        identities = self._worker_sessions.identities
        self._calendar = Calendar(settings.holiday_file)
        self._counts = EventCounts(self._deadlines.call_later)
        self._strikes = Strikes(self._clock)
        remember, strikes = identities.remember, self._strikes
        admission = Admission(
            self._guard, publish, identities.is_worker, remember=remember, strikes=strikes
        )
        self._events = self._make_worker_events(admission)
        self._supervisor = self._make_supervisor() if supervised else None
        self._relay = Relay(
            relay_settings(settings, os.environ),
            self._deadlines,
            reactor.callLater,
            self._events,
            wall=time.time,
        )
        self._recording = self._make_recording()
        self._bars = make_bars(settings, self._calendar, reactor, self._relay)
        self._events.relay = self._relay
        self._events.worker = self._supervisor
        self._allowance = allowance(
            settings, self._worker_sessions.is_publisher, self._worker_sessions.is_exempt
        )
        self._engine = self._make_engine()
        self._worker_sessions.sessions = self._engine.sessions
        alerting = alert_settings(settings)
        self._alerts = Alerts(reactor, self._deadlines, alerting)
        self._events.listeners.append(self._alerts.published)
        self._alert_of_history()
        if self._supervisor is not None:
            self._events.listeners.append(self._supervisor.told)
        self._redact = self._supervisor.redact if self._supervisor else Redactor()
        self._redact.learn(*alerting.secrets)
        self._events.redact = self._redact
        self._revocation = Revocation(self._guard, identities, self._engine.sessions)
        tokens = self._guarding.all_tokens
        self._redact.learn(*(token.secret for token in tokens))
        self._tokens = token_files.TokenFiles(
            token_sources(settings), tokens, self._heed_tokens, wall=time.time
        )
        caps = self._caps()
        self._registry = CollectorRegistry()
        site: Any = self._make_site()  # typed as a factory of its own channels
        register_collectors(
            self._registry,
            events=self._events,
            sessions=self._engine.sessions,
            counts=self._counts,
            caps=caps,
            site=site,
            admission=admission,
            alerts=self._alerts,
            supervisor=self._supervisor,
            recording=self._recording,
            deadlines=self._deadlines,
            bars=self._bars,
        )
        self._listeners = Listeners(reactor, site, caps, self._guard.proxies.believes)
        self.reloads = Reloads()
        self.reloads.steps += [
            Step("the certificates", self._listeners.reload_certificates),
            Step("the holidays", self._calendar.reload),
            Step("the tokens", self._tokens.reload),
        ]
        self.gateway = Gateway(
            lambda: self.log_by(STDOUT if runner is None else runner),
            self.reloads,
            is_alone=runner is not None,
        )
        for child in self._children(is_alone=runner is not None):
            child.setServiceParent(self.gateway)

    # -- making --------------------------------------------------------------------------

    def _make_worker_events(self, admission: Admission) -> WorkerEvents:
        settings = self._settings
        kind = TracedWorkerEvents if self._level is LogLevel.debug else WorkerEvents
        return kind(
            self._counts,
            self._worker_sessions.identities,
            admission,
            self._deadlines,
            time.time,
            silence=settings.tick_silence,
            calendar=self._calendar,
            names=(*settings.state_events, *settings.quote_events),
        )

    def _make_supervisor(self) -> Supervisor:
        return Supervisor(
            self._reactor,
            worker_settings(self._settings, self._guarding, os.environ),
            self._events.tell,
            trades=self._calendar.is_open,
            is_connected=self._worker_sessions.is_connected,
            spoke_version_3=self._worker_sessions.spoke_version_3,
        )

    def _make_recording(self) -> Recording | None:
        """What records the relay's events; None: nothing does."""
        settings = record_settings(self._settings)
        if settings is None or self._settings.demo:
            return None
        from gateway.history import recording  # noqa: PLC0415  # else nothing needs zstd

        made = recording.Recording(
            settings, self._calendar.trading_part, self._reactor, version=__version__
        )
        self._relay.hubs["/"].log.taps.append(made.tap)
        return made

    def _recording_services(self) -> Iterator[Service]:
        made, reactor = self._recording, self._reactor
        if made is not None:
            yield periodic(reactor, "Looking at the recording", made.LOOK_EVERY, made.look)
            yield Part("the recording", start=made.start, stop=made.stop)
        elif self._settings.record is not None:
            yield Part(
                "the recording",
                start=lambda: _log.warn("Nothing is recorded: --demo shows no market data"),
            )

    def _alert_of_history(self) -> None:
        """Have people told when recording or bars fail."""
        if self._recording is not None:
            self._recording.listeners.append(self._alerts.recording)
        if self._bars is not None:
            self._bars.listeners.append(self._alerts.bars)

    def _make_engine(self) -> EngineServer:
        application = SocketServer(
            socket_settings(self._settings), self._deadlines, limit=self._allowance.limit
        )
        self._relay.register(application)
        return EngineServer(
            engine_settings(self._settings),
            self._worker_sessions.received(SessionLog(application, self._deadlines.call_later)),
            self._deadlines,
            outbox=self._relay.outbox,
            bounds=self._caps(),
        )

    def _caps(self) -> Caps:
        """For connections, and the same again for sessions: polling ones may have none."""
        most = self._settings.max_connections
        return Caps(most, self._settings.max_connections_per_address, self._guard.proxies.believes)

    def _make_site(self) -> Site:
        engine = self._engine.settings
        upgrader = Upgrader(
            self._reactor, self._deadlines, self._allowance, deflate=self._settings.deflate
        )
        freshness = self._events.freshness
        control = self._supervisor or NoWorker(lambda: freshness.last)
        status = GatewayStatus(
            control.status,
            self._relay,
            freshness,
            self._engine.sessions,
            self._clock,
            recording=self._recording,
            bars=None if self._bars is None else self._bars.status,
        )
        self._events.listeners.append(status.changed)
        site = make_site(
            self._reactor,
            self._guard,
            mounts(
                [
                    *rest_routes(RestHandlers(control, status=status, bars=asker_of(self._bars))),
                    *page_routes(),
                    metrics_route(self._registry),
                ]
            ),
            engine=Mount(
                EngineResource(
                    self._engine,
                    upgrader,
                    allowance=self._allowance,
                    too_old=self._worker_sessions.too_old,
                ).render,
                body_limit=engine.max_payload,
            ),
            engine_path=engine.path.encode(),
            more_engine_paths=[self._settings.path.encode()] if self._settings.path else [],
            strikes=self._strikes,
        )
        site.noisy = False
        return site

    def _children(self, *, is_alone: bool) -> Iterator[Service]:
        """The services in the order of their start; they stop in the opposite order.

        So systemd hears of the end first, then nobody new comes in, and browsers are still there
        while the worker ends.
        """
        reactor = self._reactor
        count = self._engine.sessions.__len__
        yield from process_services(reactor, self.reloads, count, is_alone=is_alone)
        yield Part("the event counts", stop=self._counts.finish)
        if self._bars is not None:
            yield Part("the bars", start=self._bars.start, stop=self._bars.stop)
        yield DeadlineService(reactor, self._deadlines)
        if token_sources(self._settings):
            look = self._tokens.look
            yield periodic(reactor, "Looking at the tokens", token_files.LOOK_INTERVAL, look)
        yield Part("the alerts", stop=self._alerts.stop)
        yield from self._recording_services()
        yield SessionService(reactor, self._relay, self._engine)
        if self._supervisor is not None:
            yield WorkerService(self._supervisor, lambda: self._listeners.worker_port, self._secret)
        if self._settings.listen:
            look = self._listeners.look_at_certificates
            yield periodic(reactor, "Looking at the certificates", CERTIFICATE_SECONDS, look)
        yield PortService(
            self._listeners, self._settings, self._guarding, self._guard, self._tokens
        )
        yield Notifier(os.environ, reactor)

    # -- what the parts do ---------------------------------------------------------------

    def _guardian(self) -> int | None:
        """The process above the worker."""
        return None if self._supervisor is None else self._supervisor.guardian_pid

    def _heed_tokens(self, tokens: Sequence[Token]) -> None:
        """Other tokens count from now on."""
        self._redact.learn(*(token.secret for token in tokens))
        self._revocation(tokens)

    def log_by(self, runner: MutableMapping[str, Any]) -> LogObserver:
        """The observer that logs to where `runner` says.  Raises OSError or ValueError."""
        observer, output = make_log(
            self._settings, runner, self._reactor, redact=self._redact, level=self._level
        )
        self.reloads.steps.insert(0, Step("the log file", output.reload))
        return observer
