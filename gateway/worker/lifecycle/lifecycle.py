"""One worker's life-cycle: what people and timers ask for, and what is done.

`states` has the theory of operation, and says what each input leads to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger

from gateway.contract import GoingDownError
from gateway.worker.lifecycle.gate import refusal
from gateway.worker.lifecycle.requests import (
    PendingRequests,
    Until,
    fail,
    wants_a_worker,
)
from gateway.worker.lifecycle.run_reports import RunReports, superseded_error
from gateway.worker.lifecycle.states import BackingOff, Fatal, Running, Starting, Stopped
from gateway.worker.lifecycle.transitions import Transitions

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.worker.lifecycle.backoff import Backoff
    from gateway.worker.lifecycle.broker_limits import BrokerLimits
    from gateway.worker.lifecycle.exits import LastExits
    from gateway.worker.lifecycle.gate import Gate
    from gateway.worker.lifecycle.protocols import LifecycleListener, WorkerListener, WorkerRun
    from gateway.worker.lifecycle.requests import Facts
    from gateway.worker.lifecycle.states import WorkerState
    from gateway.worker.settings import WorkerSettings

_log = Logger(namespace="gateway.worker")


class Lifecycle:
    """Drives the life-cycle of one worker at a time, and answers requests with the true outcome.

    `launch(generation, listener)` makes the next run, `gate` says whether it may be made
    now, `backoff` how long to wait after an exit, `limits` what the broker allows.  None of
    them is trusted not to raise: what they can't do is tried again, so that no state waits for
    something that never comes.  `wall` gives seconds since 1970.  `check` raises a WorkerError
    while no worker can be launched: a person's restart then fails, and the old worker stays.
    """

    def __init__(
        self,
        reactor: Any,
        settings: WorkerSettings,
        *,
        launch: Callable[[int, WorkerListener], WorkerRun],
        gate: Gate,
        limits: BrokerLimits,
        backoff: Backoff,
        listener: LifecycleListener,
        wall: Callable[[], float],
        check: Callable[[], object] = lambda: None,
    ) -> None:
        self._reactor = reactor
        self._settings = settings
        self._gate = gate
        self._backoff = backoff
        self._wall = wall
        self._check = check
        self._requests = PendingRequests()
        self._transitions = Transitions(
            reactor,
            settings,
            launch=lambda generation: launch(generation, self.reports),
            gate=gate,
            backoff=backoff,
            requests=self._requests,
            listener=listener,
            wall=wall,
        )
        self._going_down = False
        self._refused = ""
        self.reports = RunReports(
            self._transitions,
            self._requests,
            gate=gate,
            limits=limits,
            listener=listener,
            wall=wall,
        )
        """What the worker's runs are told to; what is heard of one is told here, too."""

    # -- asked by people ----------------------------------------------------------------

    def start(self, *, force: bool = False) -> Deferred[Facts]:
        """Start a worker, if there is none; fires with its `pid`.  Raises WorkerError."""
        if isinstance(self.state, Running):
            return succeed({"pid": self.state.worker.pid})
        under_way = isinstance(self.state, Starting)
        if not under_way:
            self._admit(force=force)
        wish = self._wish(self.generation + (not under_way), person=True, force=force)
        self.state.start(self._transitions)
        return wish.addCallback(lambda facts: {"pid": facts["newPid"]})

    def restart(self, *, force: bool = False) -> Deferred[Facts]:
        """Start a new worker; fires with `oldPid`, `ended` (how the old one ended), `newPid`.

        Raises WorkerError; the old one keeps running then.
        """
        self._check()
        self._admit(force=force)
        wish = self._wish(self.generation + 1, person=True, force=force)
        self.state.restart(self._transitions)
        return wish

    def stop(self) -> Deferred[Facts]:
        """End the worker, and want none; fires when nothing is left of its tree."""
        gone = self._requests.wait(Until.GONE) if self.state.worker else succeed({})
        superseded = self._requests.take(wants_a_worker)
        self.state.stop(self._transitions)
        fail(superseded, superseded_error())
        return gone

    def shut_down(self) -> Deferred[Facts]:
        """As `stop`; nothing is started any more."""
        self._going_down = True
        return self.stop()

    def kill(self) -> None:
        """Kill the present worker at once."""
        if self.worker is not None:
            self.worker.kill()

    def until_ready(self) -> Deferred[Facts]:
        """Fires when the present worker is ready; fails with a WorkerError."""
        if self.worker is not None and self.worker.vitals.was_ready:
            return succeed({})
        generation, within = self.generation, self._settings.ready_timeout
        late = self._reactor.callLater(
            within,
            self.reports.not_ready,
            generation,
            f"it did not say that it is ready within {within:g} s",
        )
        return self._requests.wait(Until.READY, generation=generation).addBoth(_cancel, late)

    # -- asked by machines --------------------------------------------------------------

    def begin(self) -> None:
        """The first start of the gateway, or of a session."""
        if not self._going_down:
            self.state.start(self._transitions)

    @property
    def may_adopt(self) -> bool:
        """Whether a worker that is there would do: one is wanted, and there is none."""
        return not self._going_down and isinstance(self.state, BackingOff | Fatal)

    def adopt(
        self, make: Callable[[WorkerListener], WorkerRun], settled: float | None = None
    ) -> None:
        """Go on with the worker that `make(listener)` adopts; only when that may be.

        `settled`: since when it counts as started, in seconds since 1970; None: not yet.
        What `make` raises is raised, and then nothing has changed.
        """
        self._transitions.adopt(make(self.reports), settled)

    def renew(
        self, reason: str, *, states: tuple[type[WorkerState], ...], cured: bool = False
    ) -> None:
        """Restart for `reason`, if the state is one of `states` and nothing forbids it.

        `cured`: what failed may be cured.
        """
        if self._going_down or not isinstance(self.state, states):
            return
        if cured:
            self._backoff.asked()
        hold = self._gate.hold()
        if hold is not None:
            why = f"No restart ({reason}): {hold.reason}"
            if why != self._refused:  # who looks every second says it once
                self._refused = why
                _log.warn("{why}", tag="Python", why=why)
            return
        self._refused = ""
        _log.info("Restarting the worker: {reason}", tag="Python", reason=reason)
        self._wish(self.generation + 1).addErrback(lambda _: None)  # the state tells
        self.state.restart(self._transitions)

    def give_way(self) -> None:
        """Another gateway may have a worker: end ours; it is started when the gate lets it."""
        self.state.give_way(self._transitions)

    def reconsider(self) -> None:
        """What forbids a start has changed: ask the gate again for a planned start."""
        self.state.reconsider(self._transitions)

    # -- how it is ------------------------------------------------------------------------

    @property
    def state(self) -> WorkerState:
        """The present state."""
        return self._transitions.state

    @property
    def last_exits(self) -> LastExits:
        """The last exits, newest first."""
        return self.reports.last_exits

    @property
    def generation(self) -> int:
        """How many workers there were."""
        return self._transitions.generation

    @property
    def worker(self) -> WorkerRun | None:
        """The present generation, or the last one."""
        return self._transitions.worker

    @property
    def live_worker(self) -> WorkerRun | None:
        """The present generation while its process lives."""
        worker = self.worker
        return worker if worker is not None and worker.alive else None

    # -- inside -------------------------------------------------------------------------

    def _admit(self, *, force: bool) -> None:
        """Let a person's request through, or raise WorkerError.

        Where nothing is planned yet, a start is for when what forbids it is over.
        """
        if self._going_down:
            raise GoingDownError("The gateway is going down", "its worker is being stopped")
        self._backoff.asked()
        hold = self._gate.hold(person=True, force=force)
        if hold is None:
            return
        if isinstance(self.state, Stopped | Fatal):
            self.state.start(self._transitions)
        raise refusal(hold, self._wall())

    def _wish(
        self, generation: int, *, person: bool = False, force: bool = False
    ) -> Deferred[Facts]:
        """Wait for a worker of `generation` or later."""
        replaced = self.state.worker
        return self._requests.wait(
            Until.SETTLED,
            generation=generation,
            old_pid=replaced and replaced.pid,
            person=person,
            force=force,
        )


def _cancel(result: Any, late: Any) -> Any:
    if late.active():
        late.cancel()
    return result
