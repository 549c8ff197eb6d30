"""The one composition root: makes the gateway of its settings.

To make it changes nothing outside: no port is opened, no thread or timer started, no signal
handled before the service starts.  Files that options name are read, and closed.
"""

from __future__ import annotations

import os
import time
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry
from twisted.logger import LogLevel

from gateway.app.admission import Admission, Publish, Revocation
from gateway.app.children import DeadlineTimer, Ports, Sessions, Worker
from gateway.app.layers import (
    alert_settings,
    allowance,
    engine_settings,
    guard_settings,
    relay_settings,
    socket_settings,
    token_sources,
    worker_settings,
)
from gateway.app.measures import measure
from gateway.app.process import Limits, OwnProcess, steady_clock
from gateway.app.reload import Reloads, Step
from gateway.app.senders import Senders
from gateway.app.service import Gateway, Part, periodic
from gateway.app.status import Status
from gateway.app.visitors import Visitors
from gateway.app.worker_events import Overseer, TracingOverseer
from gateway.common.redact import Redactor
from gateway.contract import NoWorker
from gateway.engineio.deadlines import Deadlines
from gateway.engineio.server import Server as EngineServer
from gateway.market.hours import Calendar
from gateway.ops import memory, reaper
from gateway.ops.alerts.alerts import Alerts
from gateway.ops.logs import EventCounts, Observer, make_log
from gateway.ops.systemd import Notifier
from gateway.relay.relay import Relay
from gateway.socketio.server import Server as SocketServer
from gateway.web.http.limits import Caps
from gateway.web.http.listen import CERTIFICATE_SECONDS, Listeners
from gateway.web.http.site import Mount, make_site
from gateway.web.routes.engine import EngineResource
from gateway.web.routes.metrics import metrics_mounts
from gateway.web.routes.page import page_mounts
from gateway.web.routes.rest import rest_mounts
from gateway.web.security import token_files
from gateway.web.security.access import Guard
from gateway.web.security.strikes import Strikes
from gateway.web.websocket.upgrade import Upgrader
from gateway.worker.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping, Sequence

    from twisted.application.service import Service

    from gateway.options import Settings
    from gateway.web.http.site import Site
    from gateway.web.security.tokens import Token

STDOUT: MutableMapping[str, Any] = {"logfile": "-", "nodaemon": True, "syslog": False}
"""Where a guest logs to that has no --log-file: as twistd's options would say it."""


class Assembly:
    """What the gateway is made of; `gateway` is the service.

    `runner`: the options of twistd or twist, when they were asked to run the gateway and
    nothing else; then the process, its log and its signals are ours.  None: it is a guest in
    somebody's application.  Raises ValueError, OSError or ListenError, with one line for the
    user, for settings that make no sense.
    """

    def __init__(
        self,
        settings: Settings,
        reactor: Any,
        runner: MutableMapping[str, Any] | None = None,
    ) -> None:
        self._settings = settings
        self._reactor = reactor
        self._clock = reactor.seconds if runner is None else steady_clock(reactor.seconds())
        self._level = LogLevel.levelWithName("debug" if settings.dev else settings.log_level)
        supervised = not settings.no_worker
        self._guarding = guard_settings(settings)
        self._guard = Guard(self._guarding)
        self._deadlines = Deadlines(self._clock)
        publish = self._publish()
        # Workers append paths to their URL, so it stays clean unless a secret is needed.
        self._secret = token_urlsafe(16) if publish is Publish.WORKER else ""
        self._senders = Senders(
            self._guardian, self._secret, self._deadlines, supervised=supervised
        )
        self._calendar = Calendar(settings.holiday_file)
        self._counts = EventCounts(self._deadlines.call_later)
        self._strikes = Strikes(self._clock)
        admission = Admission(
            self._guard,
            publish,
            self._senders.identities.is_worker,
            remember=self._senders.identities.remember,
            strikes=self._strikes,
        )
        self._overseer = self._make_overseer(admission)
        self._supervisor = self._make_supervisor() if supervised else None
        self._relay = Relay(
            relay_settings(settings, os.environ),
            self._deadlines,
            reactor.callLater,
            self._overseer,
            wall=time.time,
        )
        self._overseer.relay = self._relay
        self._overseer.listener = self._supervisor
        self._allowance = allowance(settings, self._senders.is_publisher, self._senders.is_exempt)
        self._engine = self._make_engine()
        self._senders.sessions = self._engine.sessions
        alerting = alert_settings(settings)
        self._alerts = Alerts(reactor, self._deadlines, alerting)
        self._overseer.told.append(self._alerts.told)
        if self._supervisor is not None:
            self._overseer.told.append(self._supervisor.told)
        self._redact = self._supervisor.redact if self._supervisor else Redactor()
        self._redact.learn(*alerting.secrets)
        self._overseer.redact = self._redact
        self._revocation = Revocation(self._guard, self._senders.identities, self._engine.sessions)
        tokens = self._guarding.all_tokens
        self._redact.learn(*(token.secret for token in tokens))
        self._tokens = token_files.TokenFiles(
            token_sources(settings), tokens, self._heed_tokens, wall=time.time
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

    def _publish(self) -> Publish:
        """Whose events are relayed."""
        settings = self._settings
        if not settings.publish:
            return Publish.by_default(tokens=self._guard.has_tokens)
        if settings.publish == Publish.WORKER.value and settings.no_worker:
            raise ValueError("--publish worker needs a worker; use --publish token")
        return Publish(settings.publish)

    def _make_overseer(self, admission: Admission) -> Overseer:
        settings = self._settings
        kind = TracingOverseer if self._level is LogLevel.debug else Overseer
        return kind(
            self._counts,
            self._senders.identities,
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
            self._overseer.tell,
            trades=self._calendar.is_open,
            is_connected=self._senders.is_connected,
            spoke_version_3=self._senders.spoke_version_3,
        )

    def _make_engine(self) -> EngineServer:
        application = SocketServer(
            socket_settings(self._settings), self._deadlines, limit=self._allowance.limit
        )
        self._relay.register(application)
        return EngineServer(
            engine_settings(self._settings),
            self._senders.received(Visitors(application, self._deadlines.call_later)),
            self._deadlines,
            outbox=self._relay.outbox,
            bounds=self._caps(),
        )

    def _caps(self) -> Caps:
        """For connections, and the same again for sessions: polling ones may have none."""
        most = self._settings.max_connections
        return Caps(most, self._settings.max_connections_per_address, self._guard.believes)

    def _make_site(self) -> Site:
        engine = self._engine.settings
        upgrader = Upgrader(
            self._reactor, self._deadlines, self._allowance, deflate=self._settings.deflate
        )
        freshness = self._overseer.freshness
        control = self._supervisor or NoWorker(lambda: freshness.last)
        status = Status(control.status, self._relay, freshness, self._engine.sessions, self._clock)
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
                EngineResource(
                    self._engine,
                    upgrader,
                    allowance=self._allowance,
                    too_old=self._senders.too_old,
                ),
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
        yield Limits()
        if is_alone:
            yield OwnProcess(reactor, self._clock, self.reloads)
            if os.getpid() == 1:
                yield periodic(reactor, "Collecting orphans", reaper.PERIOD, reaper.reap_orphans)
        yield Part("the event counts", stop=self._counts.finish)
        yield DeadlineTimer(reactor, self._deadlines)
        if token_sources(self._settings):
            look = self._tokens.look
            yield periodic(reactor, "Looking at the tokens", token_files.SECONDS, look)
        yield Part("the alerts", stop=self._alerts.stop)
        gives_back = memory.GivesBack(self._engine.sessions.__len__)
        yield periodic(reactor, "Giving memory back", memory.EVERY, gives_back.look)
        yield Sessions(reactor, self._relay, self._engine)
        if self._supervisor is not None:
            yield Worker(self._supervisor, lambda: self._listeners.worker_port, self._secret)
        if self._settings.listen:
            look = self._listeners.look_at_certificates
            yield periodic(reactor, "Looking at the certificates", CERTIFICATE_SECONDS, look)
        yield Ports(self._listeners, self._settings, self._guarding, self._guard, self._tokens)
        yield Notifier(os.environ, reactor)

    # -- what the parts do ---------------------------------------------------------------

    def _guardian(self) -> int | None:
        """The process above the worker."""
        return None if self._supervisor is None else self._supervisor.guardian_pid

    def _heed_tokens(self, tokens: Sequence[Token]) -> None:
        """Other tokens count from now on."""
        self._redact.learn(*(token.secret for token in tokens))
        self._revocation(tokens)

    def log_by(self, runner: MutableMapping[str, Any]) -> Observer:
        """The observer that logs to where `runner` says.  Raises OSError or ValueError."""
        observer, output = make_log(
            self._settings, runner, self._reactor, redact=self._redact, level=self._level
        )
        self.reloads.steps.insert(0, Step("the log file", output.reload))
        return observer
