"""The supervisor: everything that is done with a worker, behind one object."""

from __future__ import annotations

import os
import random
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger

from gateway.common.attempt import attempt
from gateway.common.escape import escape
from gateway.common.redact import Redactor
from gateway.market.events import ERROR
from gateway.system.system import this_system
from gateway.worker.calendar.periodic_checks import PeriodicChecks
from gateway.worker.estate import Estate
from gateway.worker.keys.store import CredentialChange, CredentialStore
from gateway.worker.lifecycle.backoff import Backoff
from gateway.worker.lifecycle.broker_limits import BrokerLimits
from gateway.worker.lifecycle.gate import Gate
from gateway.worker.lifecycle.ledger import Ledger
from gateway.worker.lifecycle.lifecycle import Lifecycle
from gateway.worker.lifecycle.states import Running
from gateway.worker.process.claim import Claim
from gateway.worker.process.launch import Launcher
from gateway.worker.process.output import WorkerOutput
from gateway.worker.process.run_maker import RunMaker
from gateway.worker.process.tenure import UNSHARED
from gateway.worker.process.usage import Usage
from gateway.worker.readiness.overdue import LateWorkerChecks, SilentFeeds
from gateway.worker.report import WorkerNews, WorkerReport
from gateway.worker.takeover import Takeover

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from gateway.common.credentials import Credentials
    from gateway.system.system import System
    from gateway.worker.lifecycle.protocols import WorkerRun
    from gateway.worker.lifecycle.requests import Facts
    from gateway.worker.process.tenure import Tenure
    from gateway.worker.settings import WorkerSettings

_log = Logger(namespace="gateway.worker")


class Supervisor:
    """Runs one worker; each of its Deferreds tells the true outcome, or a WorkerError.

    `emit(name, argument)` tells the browsers.  `environ` and `cwd` are the gateway's own;
    `wall` gives seconds since 1970, `random` numbers from 0 to 1.  Durations are measured
    by `reactor.seconds()`.  `trades(seconds since 1970)` tells whether a market is open then,
    `is_connected()` whether the worker has a connection to us, `spoke_version_3(seconds)`
    whether a client of this machine was refused for Engine.IO 3 in the last `seconds`.
    `tenure`: the right to have a worker, where several gateways share it.  `system`: by default
    the one that this is.
    `in_thread` does what waits for the disk, by default in the reactor's threads.
    Raises ValueError for settings that make no sense.
    """

    def __init__(
        self,
        reactor: Any,
        settings: WorkerSettings,
        emit: Callable[[str, dict[str, Any]], object],
        *,
        environ: Mapping[str, str] = os.environ,
        cwd: Path | None = None,
        wall: Callable[[], float] = time.time,
        random: Callable[[], float] = random.random,
        trades: Callable[[float], bool] = lambda _: True,
        is_connected: Callable[[], bool] = lambda: True,
        spoke_version_3: Callable[[float], bool] = lambda _: False,
        system: System | None = None,
        tenure: Tenure = UNSHARED,
        in_thread: Callable[[Callable[[], Any]], Deferred[Any]] | None = None,
    ) -> None:
        system = system or this_system()
        self._settings = settings
        self._wall = wall
        self._trades = trades
        self._gateway_url = settings.gateway_url
        self.redact = Redactor()
        self.redact.learn(*settings.secrets)
        self._news = WorkerNews(lambda status: self._report.event(wall(), status), emit)
        self._keys = CredentialStore(settings, self.redact, environ)
        self._launcher = Launcher(settings, environ, cwd or Path.cwd(), reactor, tenure.cluster)
        self._output = WorkerOutput(
            reactor,
            settings,
            wall=wall,
            redact=self.redact,
            complain=self._printed,
        )
        self._ledger = Ledger(
            settings.state_dir, self._alert, in_thread or partial(_in_thread, reactor)
        )
        clock = lambda: reactor.seconds()  # noqa: E731, PLW0108  # it is another one after the start
        self._limits = BrokerLimits(settings, self._ledger, clock=clock, wall=wall)
        claim = Claim(
            settings.state_dir,
            self._identity,
            self._alert,
            system=system,
            keeps=settings.keep > 0,
        )
        runs = RunMaker(
            reactor,
            settings,
            launcher=self._launcher,
            keys=self._keys,
            output=self._output,
            claim=claim,
            system=system,
            tenure=tenure,
            trades=lambda: trades(wall()),
            gateway_url=lambda: self._gateway_url,
        )
        self._takeover = Takeover(
            reactor,
            settings,
            claim,
            runs,
            self._keys,
            limits=self._limits,
            system=system,
            tenure=tenure,
            lifecycle=lambda: self._lifecycle,
            wall=wall,
            taken=lambda: self.checks.took_over(),  # noqa: PLW0108  # they are made later
        )
        self.estate = Estate(
            self._ledger, self._limits, self._keys, self._takeover, lambda: self._lifecycle
        )
        """For the gateway of a cluster that has the worker next."""
        backoff = Backoff(settings, random)
        self.gate = Gate([tenure.hold, self._limits.hold, self._takeover.hold, backoff.hold])
        """Asked before every start; further checks may be added to its list."""
        self._lifecycle = Lifecycle(
            reactor,
            settings,
            launch=runs,
            gate=self.gate,
            limits=self._limits,
            backoff=backoff,
            listener=self._news,
            wall=wall,
            check=self._launcher.check,
        )
        self.last_exits = self._lifecycle.last_exits
        self._credential_change = CredentialChange(
            self._keys,
            self._lifecycle,
            check=self._launcher.check,
            folder=lambda: self._launcher.target().folder,
        )
        overdue = LateWorkerChecks(
            settings,
            self._news.tell,
            folder=lambda: self._launcher.main().parent,
            may_wait=self._may_wait,
            is_connected=is_connected,
            spoke_version_3=spoke_version_3,
        )
        self.checks = PeriodicChecks(
            reactor,
            settings,
            lifecycle=self._lifecycle,
            limits=self._limits,
            launcher=self._launcher,
            wall=wall,
            also=overdue.looks,
            memory=self._ledger,
        )
        self.gate.checks.append(self.checks.hold)
        self._report = WorkerReport(
            self._lifecycle,
            self._limits,
            checks=self.checks,
            overdue=overdue,
            keys=self._keys,
            usage=Usage(clock),
            shown_url=lambda: self.redact(self._gateway_url),
            program=lambda: self._launcher.program,
            mark=settings.mark,
        )
        self._silent_feeds = SilentFeeds(
            reactor, settings.restart_silent, partial(self._lifecycle.renew, states=(Running,))
        )
        self.told = self._silent_feeds.told
        """To be told what browsers are told of feeds."""

    # -- the service ----------------------------------------------------------------------

    def start(self, gateway_url: str | None = None) -> None:
        """Begin; `gateway_url` is what the worker is told, if it became known only now."""
        self._gateway_url = gateway_url or self._gateway_url
        self._ledger.begin()
        self._limits.begin()
        attempt("Reading the credentials", self._keys.load)
        wanted = self._takeover.begin()
        self.checks.begin(wanted=wanted)
        if not wanted or self.checks.reopens is not None:
            self._news.tell()

    def stop(self, *, now: bool = False) -> Deferred[None]:
        """Stop the worker for good; may be called again, and then `now` ends all patience."""
        self.checks.end()
        self._silent_feeds.stop()
        left = self._takeover.end(now=now)
        stopped = self._lifecycle.shut_down()
        if now:
            self._lifecycle.kill()
        return stopped.addCallback(lambda _: left).addCallback(lambda _: self._ledger.flush())

    def memo(self) -> bytes:
        """What the next program of this process is to know, and no disk: the keys in use."""
        return self._keys.memo()

    def recall(self, memo: bytes) -> None:
        """Heed the `memo` of the program before this one; before the start."""
        self._keys.recall(memo)

    # -- requests -------------------------------------------------------------------------

    def restart(self, *, force: bool = False) -> Deferred[Facts]:
        """Start a new worker; fires with `oldPid`, `ended` (how the old one ended), `newPid`.

        `force` overrides a pause that the broker imposed.
        """
        self._takeover.wished(stopped=False)
        return maybeDeferred(self._lifecycle.restart, force=force)

    def start_worker(self) -> Deferred[Facts]:
        """Start a worker, if there is none; fires with its `pid`."""
        self._takeover.wished(stopped=False)
        return maybeDeferred(self._lifecycle.start)

    def stop_worker(self) -> Deferred[Facts]:
        """End the worker; none is started until someone asks, even if the gateway is killed."""
        self._takeover.wished(stopped=True)
        return maybeDeferred(self._lifecycle.stop)

    def set_credentials(
        self, credentials: Credentials, *, wait_ready: bool = False
    ) -> Deferred[Facts]:
        """Start a new worker with new keys; fires with what `restart` does.

        With `wait_ready` it fires when that worker is ready; if it does not become ready, the
        previous keys are put back.  Fails with CredentialsError, and nothing is changed, where the
        certificate cannot be read.
        """
        self._takeover.wished(stopped=False)
        return self._credential_change.change(credentials, wait_ready=wait_ready)

    # -- the right to have a worker, where several gateways share it --------------------------

    def may_live(self, until: float | None) -> None:
        """The right lasts until then, in seconds of `guarding.words.now`; None: it has ended."""
        worker = self._lifecycle.worker
        if until is None:
            self._lifecycle.give_way()
        elif worker is not None:
            worker.extend(until)
        self._lifecycle.reconsider()

    # -- how it is ---------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether a worker process lives."""
        return self._lifecycle.live_worker is not None

    @property
    def adopted(self) -> bool:
        """Whether a worker lives that a gateway before this one has started."""
        worker = self._lifecycle.live_worker
        return worker is not None and worker.adopted is not None

    @property
    def ready(self) -> bool:
        """Whether the worker said so, is connected to us and the broker, and is not late."""
        worker = self._lifecycle.live_worker
        return worker is not None and worker.vitals.ready

    @property
    def settled(self) -> bool:
        """Whether a worker lives that counts as started."""
        return self.state == Running.name

    @property
    def state(self) -> str:
        """stopped, starting, running, stopping, backoff, exited or fatal."""
        return self._lifecycle.state.name

    @property
    def generation(self) -> int:
        """How many workers there were."""
        return self._lifecycle.generation

    @property
    def pid(self) -> int | None:
        """The worker's pid while it lives."""
        worker = self._lifecycle.live_worker
        return worker.pid if worker else None

    @property
    def guardian_pid(self) -> int | None:
        """The pid of the guardian, the root of the worker's process tree; None: there is none."""
        worker = self._lifecycle.worker
        return worker.guardian if worker else None

    def health(self) -> dict[str, Any]:
        """For `/health`."""
        return self._report.health()

    def readiness(self) -> dict[str, Any]:
        """For `/readyz`."""
        return self._report.readiness()

    def status(self) -> dict[str, Any]:
        """For `/status`."""
        return self._report.status(self._wall())

    @property
    def log_position(self) -> int:
        """The number of the next line that the worker prints."""
        return self._output.position

    def log_tail(self, lines: int) -> list[str]:
        """The last lines the workers printed, redacted, oldest first."""
        return self._output.tail(lines)

    # -- the worker's own connection ----------------------------------------------------------

    def heard(self, name: str, value: object, connection: Hashable = None) -> None:
        """The worker sent the event `name`, whose first argument is `value`.

        `connection` is the same for all that comes over one of its connections.
        """
        worker = self._lifecycle.worker
        if worker is None:
            return
        cause = worker.heard(name, value, connection)
        if name == ERROR:
            self._lifecycle.reports.complained(worker, cause, self._clean_error(value))
        elif worker.vitals.was_ready:
            self._lifecycle.reports.became_ready(worker)

    def gone(self, connection: Hashable = None) -> None:
        """One of the worker's own connections is closed."""
        if self._lifecycle.worker is not None:
            self._lifecycle.worker.vitals.gone(connection)

    # -- inside -------------------------------------------------------------------------------

    def _printed(self, cause: str, generation: int) -> None:
        self._lifecycle.reports.printed(cause, generation)

    def _identity(self) -> str:
        """What is run, and for which port: two gateways may run one main.py for two accounts."""
        return f"{self._launcher.identity()} {urlsplit(self._gateway_url).port}"

    def _may_wait(self, worker: WorkerRun) -> bool:
        """Whether the worker need not be ready now: it has no keys, or no session is open."""
        trades = self.checks.in_session if self._settings.sessions else self._trades(self._wall())
        lacks_keys = worker.vitals.lacks_keys or (self._keys.missing and not self._settings.mark)
        return lacks_keys or not trades

    def _clean_error(self, value: object) -> str:
        error = value.get("error", value) if isinstance(value, dict) else value
        return escape(self.redact(str(error)))[:300]

    def _alert(self, message: str) -> None:
        _log.warn("{message}", message=message, tag="Config")


def _in_thread(reactor: Any, work: Callable[[], Any]) -> Deferred[Any]:
    return deferToThreadPool(reactor, reactor.getThreadPool(), work)
