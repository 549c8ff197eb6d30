"""The one composition root: makes every object of the gateway, once, of the settings.

It opens no port and starts no thread or timer: that is done when the service starts.  Files that
options name are read, and closed.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from attrs import asdict
from twisted.logger import LogLevel

from gateway import __version__
from gateway.app.access_parts import AccessParts
from gateway.app.child_services import (
    DeadlineService,
    ObserverService,
    PortService,
    SessionService,
    WorkerService,
)
from gateway.app.cluster_parts import (
    cluster_settings,
    flushes,
    join,
    make_cluster,
    make_elected,
    make_neighbours,
)
from gateway.app.collectors import Registry, register_collectors
from gateway.app.hand_over import HandOver
from gateway.app.history_taps import HistoryTaps
from gateway.app.image import Image
from gateway.app.layer_settings import (
    alert_settings,
    client_bundle,
    engine_settings,
    mark_of,
    relay_settings,
    socket_settings,
    worker_settings,
)
from gateway.app.memory_parts import make_memory
from gateway.app.memory_service import LOOK_EVERY
from gateway.app.process import Reloads, Step, process_services
from gateway.app.replay_control import make_replay
from gateway.app.seen_worker import mark_rehearsed
from gateway.app.service import Gateway, Part, periodic
from gateway.app.status import GatewayStatus
from gateway.app.web_site import make_gateway_site
from gateway.app.worker_events import TracedWorkerEvents, WorkerEvents
from gateway.common.redact import Redactor
from gateway.common.times import iso
from gateway.contract import NoWorker, no_replay
from gateway.engineio.deadlines import Deadlines
from gateway.engineio.server import Server as EngineServer
from gateway.market.hours import Calendar
from gateway.ops.alerts.alerts import Alerts
from gateway.ops.logs import STDOUT, EventCounts, LogObserver, LogTail, SessionLog, make_log
from gateway.ops.systemd import Notifier
from gateway.relay.journal import DirectJournal
from gateway.relay.relay import Relay
from gateway.socketio.server import Server as SocketServer
from gateway.system.system import this_system
from gateway.system.turn_end import TurnEnd
from gateway.web.http.early import NOTHING
from gateway.web.http.held import Held
from gateway.web.http.inherited import Inherited
from gateway.web.http.listen import CERTIFICATE_SECONDS, Listeners
from gateway.web.routes.rest import RestHandlers
from gateway.web.websocket.upgrade import Upgrader
from gateway.worker.process.output import TAGS
from gateway.worker.process.tenure import UNSHARED
from gateway.worker.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from twisted.application.service import Service

    from gateway.options import Settings
    from gateway.web.http.early import Early
    from gateway.web.http.site import Site


class GatewayAssembly:
    """Makes all parts of the gateway; `gateway` is the service, the other attributes are parts.

    `runner`: the options of twistd or twist where they run the gateway alone; then the process,
    its log and its signals are ours.  None: the gateway is one service of an application.
    `folder`: the working directory in which the options were read; None: the present one.
    `early`: sockets that listen already, and who was accepted there.
    Raises ValueError, OSError or ListenError, with one line for the user.
    """

    def __init__(
        self,
        settings: Settings,
        reactor: Any,
        runner: MutableMapping[str, Any] | None = None,
        folder: Path | None = None,
        early: Early = NOTHING,
    ) -> None:
        self._settings = settings
        self._reactor = reactor
        self._started = iso(time.time())
        self._system = this_system(portable=settings.portable)
        self._turn_end = TurnEnd(reactor)
        self._clock = reactor.seconds if runner is None else time.monotonic
        self._level = LogLevel.levelWithName("debug" if settings.dev else settings.log_level)
        self._deadlines = Deadlines(self._clock)
        self.access = AccessParts(
            settings, os.environ, self._deadlines, self._guardian, self._system
        )
        self._calendar = Calendar(settings.holiday_file)
        self._counts = EventCounts(self._deadlines.call_later)
        self._events = self._make_worker_events()
        self.cluster = make_cluster(
            cluster_settings(settings), reactor, self._deadlines, self._turn_end.call
        )
        self.supervisor = self._make_supervisor(
            self._system.memo_of(Held.told(os.environ).own_memo)
        )
        self.relay = self._make_relay()
        self.engine = self._make_engine()
        alerting = alert_settings(settings)
        self._alerts = Alerts(
            reactor,
            self._deadlines,
            alerting,
            port=lambda: settings.port or self.listeners.worker_port,
        )
        self._events.listeners.append(self._alerts.published)
        self._history = HistoryTaps(settings, self._calendar, reactor, self.relay, self._alerts)
        if self.supervisor is not None:
            self._events.listeners.append(self.supervisor.told)
        self.redact = self.supervisor.redact if self.supervisor else Redactor()
        self._events.redact = self.redact
        self.access.join(self.engine.sessions, self.redact)
        self.redact.learn(*alerting.secrets)
        if self.cluster is not None:
            self.redact.learn(*self.cluster.settings.secrets)
        self._tail = LogTail(self.redact, self._level, without=TAGS.values(), now=time.time)
        caps = self.access.caps()
        self._registry = Registry()
        self._notifier = Notifier(os.environ, reactor)
        self.hand_over = HandOver(
            reactor,
            Image.of(runner, folder),
            self._notifier,
            (*self._history.flushes(self.relay), *flushes(self.cluster)),
            self._memo,
            part=self.engine.end_polling,
            has_worker=lambda: self.supervisor is not None and self.supervisor.settled,
        )
        self.site = self._make_site()
        register_collectors(
            self._registry,
            events=self._events,
            sessions=self.engine.sessions,
            counts=self._counts,
            caps=caps,
            site=self.site,
            admission=self.access.admission,
            alerts=self._alerts,
            supervisor=self.supervisor,
            recording=self._history.recording,
            deadlines=self._deadlines,
            bars=self._history.bars,
            neighbours=self.neighbours,
        )
        site: Any = self.site  # typed as a factory of its own channels
        self.listeners = Listeners(
            reactor,
            site,
            caps,
            self.access.guard.proxies.believes,
            Inherited.taken_from(os.environ, early),
        )
        self.hand_over.listeners = self.listeners
        self.reloads = Reloads(
            Step("the certificates", self.listeners.reload_certificates),
            Step("the holidays", self._calendar.reload),
            Step("the tokens", self.access.tokens.reload),
        )
        self.gateway = Gateway(
            lambda: self.log_by(STDOUT if runner is None else runner),
            self.reloads,
            is_alone=runner is not None,
        )
        for child in self._children(is_alone=runner is not None):
            child.setServiceParent(self.gateway)

    # -- making --------------------------------------------------------------------------

    def _make_worker_events(self) -> WorkerEvents:
        settings = self._settings
        kind = TracedWorkerEvents if self._level is LogLevel.debug else WorkerEvents
        return kind(
            self._counts,
            self.access.identities,
            self.access.admission,
            self._deadlines,
            time.time,
            silence=0 if settings.replay else settings.tick_silence,
            calendar=self._calendar,
            names=(*settings.state_events, *settings.quote_events),
            mark=mark_of(settings),
        )

    def _make_supervisor(self, memo: bytes) -> Supervisor | None:
        """None without a worker; `memo` is of the program before this one in the process."""
        self.elected = make_elected(self._settings, self._reactor, self.cluster)
        if self._settings.no_worker:
            return None
        made = Supervisor(
            self._reactor,
            worker_settings(self._settings, self.access.guarding, os.environ),
            self._events.tell,
            trades=self._calendar.is_open,
            is_connected=self.access.worker_sessions.is_connected,
            spoke_version_3=self.access.worker_sessions.spoke_version_3,
            system=self._system,
            tenure=self.elected or UNSHARED,
        )
        if self.elected is not None:
            self.elected.supervisor = made
            self._events.leads = self.elected.leads
        if memo:
            made.recall(memo)
        return made

    def _make_relay(self) -> Relay:
        """The relay, and what outlives its process: a memory, or the log of a cluster."""
        cluster = self.cluster
        settings = relay_settings(
            self._settings, os.environ, None if cluster is None else cluster.pid_key
        )
        relay = Relay(
            settings,
            self._deadlines,
            self._reactor.callLater,
            self._events,
            wall=time.time,
            call_soon=self._turn_end.call if cluster is None else cluster.after_answer,
            journal=DirectJournal if cluster is None else cluster.journal,
        )
        self._events.relay, self._events.worker = relay, self.supervisor
        self.memory = None
        if cluster is not None:
            join(cluster, self._events)
            cluster.on_alarm.append(self._alarm)
        else:
            self.memory = make_memory(
                self._settings, settings, relay, self._events, self.supervisor, system=self._system
            )
        return relay

    def _make_engine(self) -> EngineServer:
        application = SocketServer(
            socket_settings(self._settings), self._deadlines, limit=self.access.allowance.limit
        )
        self.relay.register(application)
        logged = SessionLog(application, self._deadlines.call_later)
        return EngineServer(
            engine_settings(self._settings, self.cluster.sid_prefix if self.cluster else ""),
            self.access.worker_sessions.received(logged),
            self._deadlines,
            outbox=self.relay.outbox,
            bounds=self.access.caps(),  # for sessions: polling ones may have no connection
        )

    def _make_site(self) -> Site:
        freshness = self._events.freshness
        own = self.supervisor or NoWorker(lambda: freshness.last)
        count = self.engine.sessions.__len__
        bars = self._history.bars
        self.neighbours = make_neighbours(self._reactor, self.cluster, own, self.elected, count)
        if self.neighbours is not None:
            self.neighbours.share(self._history)
        control = own if self.neighbours is None else self.neighbours.control
        replay = make_replay(self._settings, self._events, self._deadlines, bars)
        mark_rehearsed(self._settings, self._events)
        status = GatewayStatus(
            control.status,
            self.relay,
            freshness,
            self.engine.sessions,
            self._clock,
            recording=self._history.recording,
            more={
                "version": lambda: __version__,
                "startedAt": lambda: self._started,
                "timezone": lambda: self._settings.timezone,
                "alerting": self._alerts.status,
                "actions": lambda: self.site.audit.actions(),  # noqa: PLW0108  # it is made later
                **({} if bars is None else {"bars": lambda: asdict(bars.status())}),
                **({} if replay is None else {"replaying": replay.status}),
                **({} if self.neighbours is None else {"cluster": self.neighbours.status}),
            },
        )
        self._events.listeners.append(status.changed)
        settings = self._settings
        return make_gateway_site(
            self._reactor,
            self.access,
            rest=RestHandlers(
                control,
                status=status,
                access=self.access.guard.access,
                bars=self._history.ask,
                codes=self._history.codes(settings.timezone, self._clock),
                test_alerts=self._alerts.test,
                hand_over=self.hand_over.ask,
                replay=no_replay if replay is None else replay.command,
                own_lines=self._tail.tail,
                elsewhere=str if self.cluster is None else self.cluster.excuse,
            ),
            registry=self._registry,
            engine=self.engine,
            upgrader=Upgrader(
                self._reactor, self._deadlines, self.access.allowance, deflate=settings.deflate
            ),
            more_paths=(settings.path,) if settings.path else (),
            client_bundle=client_bundle(settings),
        )

    def _children(self, *, is_alone: bool) -> Iterator[Service]:
        """The services in the order of their start; they stop in the opposite order.

        So no hand-over is begun any more, systemd hears of the end, then nobody new comes in, and
        browsers are still there while the worker ends.
        """
        reactor = self._reactor
        count = self.engine.sessions.__len__
        yield ObserverService(self._tail)
        yield from process_services(
            reactor,
            self.reloads,
            count,
            system=self._system,
            turn_end=self._turn_end,
            is_alone=is_alone,
        )
        yield Part("the event counts", stop=self._counts.finish)
        yield DeadlineService(reactor, self._deadlines)
        yield from self.access.services(reactor)
        yield Part("the alerts", start=self._alerts.start, stop=self._alerts.stop)
        yield from self._history.services()
        if self.memory is not None:
            yield self.memory
            yield periodic(reactor, "Looking at the memory", LOOK_EVERY, self.memory.look)
        if self.cluster is not None:
            yield self.cluster
        if self.neighbours is not None:
            yield from self.neighbours.services()
        yield SessionService(reactor, self.relay, self.engine)
        if self.elected is not None:
            yield self.elected
        if self.supervisor is not None:
            secret = self.access.worker_secret
            yield WorkerService(self.supervisor, lambda: self.listeners.worker_port, secret)
        if self._settings.listen:
            look = self.listeners.look_at_certificates
            yield periodic(reactor, "Looking at the certificates", CERTIFICATE_SECONDS, look)
        yield PortService(self.listeners, self._settings, self.access)
        yield self._notifier
        yield self.hand_over

    # -- what the parts do ---------------------------------------------------------------

    def _guardian(self) -> int | None:
        """The process above the worker."""
        return None if self.supervisor is None else self.supervisor.guardian_pid

    def _memo(self) -> AbstractContextManager[int]:
        """What the program after this one in the process is told in memory."""
        return self._system.memo(b"" if self.supervisor is None else self.supervisor.memo())

    def _alarm(self, why: str) -> None:
        """Tell people that the shared log does not answer, or that it does again."""
        self._alerts.cluster(why)

    def log_by(self, runner: MutableMapping[str, Any]) -> LogObserver:
        """The observer that logs to where `runner` says.  Raises OSError or ValueError."""
        observer, output = make_log(
            self._settings,
            runner,
            self._reactor,
            redact=self.redact,
            level=self._level,
            again=self._system.opened_again,
        )
        self.reloads.steps.insert(0, Step("the log file", output.reload))
        return observer
