"""One worker's life-cycle: who asks for what, what the worker tells, and what is done.

`states` has the theory of operation, and says what each input leads to.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger

from gateway.common.guard import attempt
from gateway.worker.errors import (
    FailedAtOnceError,
    GoingDownError,
    NotReadyError,
    SupersededError,
)
from gateway.worker.lifecycle.classification import PREVENTS_LOGIN
from gateway.worker.lifecycle.exits import History
from gateway.worker.lifecycle.gate import refusal
from gateway.worker.lifecycle.requests import (
    PendingRequests,
    Until,
    answer,
    fail,
    served_by,
    waits_until_ready,
    wants_a_worker,
    wants_after,
    wants_none,
)
from gateway.worker.lifecycle.states import Fatal, Running, Starting, Stopped
from gateway.worker.lifecycle.transitions import Transitions

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.worker.lifecycle.backoff import Backoff
    from gateway.worker.lifecycle.broker_limits import BrokerLimits
    from gateway.worker.lifecycle.gate import Gate
    from gateway.worker.lifecycle.interfaces import LifecycleListener, WorkerListener, WorkerRun
    from gateway.worker.lifecycle.requests import Facts, PendingRequest
    from gateway.worker.lifecycle.states import WorkerState
    from gateway.worker.settings import Settings

_log = Logger(namespace="gateway.worker")


class Lifecycle:
    """Keeps one worker; the `WorkerListener` of each generation.

    `launch(generation, listener)` makes the next generation, `gate` says whether it may be made
    now, `backoff` how long to wait after an exit, `limits` what the broker allows.  None of
    them is trusted not to raise: what they can't do is tried again, so that no state waits for
    something that never comes.  `wall` gives seconds since 1970.  `check` raises a WorkerError
    while no worker can be launched: a person's restart leaves the old one alone then.
    """

    def __init__(
        self,
        reactor: Any,
        settings: Settings,
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
        self._limits = limits
        self._backoff = backoff
        self._listener = listener
        self._wall = wall
        self._check = check
        self._requests = PendingRequests()
        self._transitions = Transitions(
            reactor,
            settings,
            launch=lambda generation: launch(generation, self),
            gate=gate,
            backoff=backoff,
            requests=self._requests,
            listener=listener,
            wall=wall,
        )
        self._going_down = False
        self._refused = ""
        self.history = History()

    # -- asked by people ----------------------------------------------------------------

    def start(self, *, force: bool = False) -> Deferred[Facts]:
        """A worker, if there is none: its `pid`.  Raises WorkerError."""
        if isinstance(self.state, Running):
            return succeed({"pid": self.state.worker.pid})
        under_way = isinstance(self.state, Starting)
        if not under_way:
            self._admit(force=force)
        wish = self._wish(self.generation + (not under_way), person=True, force=force)
        self.state.start(self._transitions)
        return wish.addCallback(lambda facts: {"pid": facts["newPid"]})

    def restart(self, *, force: bool = False) -> Deferred[Facts]:
        """A new worker: `oldPid`, `ended` (how), `newPid`.

        Raises WorkerError; the old one keeps running then.
        """
        self._check()
        self._admit(force=force)
        wish = self._wish(self.generation + 1, person=True, force=force)
        self.state.restart(self._transitions)
        return wish

    def stop(self) -> Deferred[Facts]:
        """No worker; fires when nothing is left of its tree."""
        gone = self._requests.wait(Until.GONE) if self.state.worker else succeed({})
        superseded = self._requests.take(wants_a_worker)
        self.state.stop(self._transitions)
        fail(superseded, _superseded())
        return gone

    def shut_down(self) -> Deferred[Facts]:
        """As `stop`; nothing is started any more."""
        self._going_down = True
        return self.stop()

    def kill(self) -> None:
        """Spend no more patience on the present worker."""
        if self.worker is not None:
            self.worker.kill()

    def until_ready(self) -> Deferred[Facts]:
        """Fires when the present worker is ready; fails with a WorkerError."""
        if self.worker is not None and self.worker.vitals.was_ready:
            return succeed({})
        generation, within = self.generation, self._settings.ready_timeout
        late = self._reactor.callLater(
            within,
            self._not_ready,
            generation,
            f"it did not say that it is ready within {within:g} s",
        )
        return self._requests.wait(Until.READY, generation=generation).addBoth(_cancel, late)

    # -- asked by machines --------------------------------------------------------------

    def begin(self) -> None:
        """The first start of the gateway, or of a session."""
        if not self._going_down:
            self.state.start(self._transitions)

    def renew(
        self, reason: str, *, states: tuple[type[WorkerState], ...], cured: bool = False
    ) -> None:
        """Restart for `reason`, if the state is one of `states` and nothing stands against it.

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

    def broker_refused(self, cause: str, generation: int) -> None:
        """The worker `generation` told of an error of class `cause`, or ended by it.

        If that imposes a pause the next start waits.  A worker that says it again did not wait,
        and is stopped for the pause, unless it is ready: one that works is left alone.
        """
        words = self._limits.notice(cause, generation)
        if not words:
            return
        if words == 1:
            hold = self._limits.hold(person=True)
            _log.warn(
                "The broker asked for a pause ({cause}): no start for {seconds:.0f} s",
                tag="Python",
                cause=cause,
                seconds=hold.seconds if hold else 0,
            )
        self.state.reconsider(self._transitions)
        worker = self.state.worker
        present = worker is not None and worker.alive and worker.generation == generation
        if words > 1 and worker is not None and present and not worker.vitals.ready:
            self.state.suspend(self._transitions)

    def reconsider(self) -> None:
        """What stands against a start has changed: one that is planned moves."""
        self.state.reconsider(self._transitions)

    # -- how it is ------------------------------------------------------------------------

    @property
    def state(self) -> WorkerState:
        """The present state."""
        return self._transitions.state

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

    # -- what a worker tells; an old generation's words are ignored ---------------------------

    def started(self, worker: WorkerRun) -> None:
        """Its process runs."""
        if worker is self.worker:
            attempt("Counting the start", self._limits.started)

    def settled(self, worker: WorkerRun) -> None:
        """It counts as started: who waited for it is answered, who wants a newer one is served."""
        if worker is not self.worker:
            return
        state = self.state
        state.settled(self._transitions)
        if not isinstance(state, Starting):
            return
        answer(self._requests.take(served_by(worker.generation)), self._facts)
        if state.suspended and isinstance(self.state, Running):
            self.state.restart(self._transitions)
        if not self._requests.find(wants_after(worker.generation)):
            return
        hold = self._gate.hold(**self._transitions.asker)
        if hold is None:
            self.state.restart(self._transitions)
        else:  # heard meanwhile: this worker stays
            fail(self._requests.take(wants_a_worker), refusal(hold, self._wall()))

    def became_ready(self, worker: WorkerRun) -> None:
        """It is ready; this may be told at each of its events, and costs nothing then."""
        if self._requests:
            answer(self._requests.take(waits_until_ready(worker.generation)), lambda _: {})

    def complained(self, worker: WorkerRun, cause: str | None, words: str) -> None:
        """It reported an error of class `cause`: with some of them no login succeeds."""
        if cause is not None:
            self.broker_refused(cause, worker.generation)
        if worker.alive and cause in PREVENTS_LOGIN:
            self._not_ready(worker.generation, words)

    def exited(self, worker: WorkerRun) -> None:
        """Its process is gone."""
        if worker is not self.worker or worker.exit is None:
            return
        self.history.add(self._wall(), worker.exit, worker.cause)
        self.state.exited(self._transitions)
        if worker.cause is not None:
            attempt(
                "Heeding the broker",
                partial(self.broker_refused, worker.cause, worker.generation),
            )
        attempt("Telling of the worker's end", partial(self._listener.worker_exited, worker))
        if worker.exit.asked:
            fail(self._requests.take(waits_until_ready(worker.generation)), _superseded())
        else:
            self._not_ready(worker.generation, worker.exit_summary)

    def reaped(self, worker: WorkerRun) -> None:
        """Nothing is left of its tree."""
        if worker is not self.worker or worker.exit is None:
            return
        failed = self._requests.take(served_by(worker.generation))
        gone = self._requests.take(wants_none)
        self.state.reaped(self._transitions)
        # Answers come last: who gets one may ask again.
        fail(
            failed,
            worker.error or FailedAtOnceError("The worker ended at once", worker.exit_summary),
        )
        proof = worker.exit.proof()
        answer(gone, lambda _: {"oldPid": worker.pid, "ended": proof})

    # -- inside -------------------------------------------------------------------------

    def _admit(self, *, force: bool) -> None:
        """Let a person's request through, or raise WorkerError.

        Where nothing is planned yet, a start is for when what stands against it is over.
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

    def _facts(self, request: PendingRequest) -> Facts:
        ended = self.history.proof(request.old_pid)
        return {
            "oldPid": request.old_pid,
            "ended": ended,
            "newPid": self.worker and self.worker.pid,
        }

    def _not_ready(self, generation: int, reason: str) -> None:
        error = NotReadyError("The worker did not become ready; the previous keys are back", reason)
        fail(self._requests.take(waits_until_ready(generation)), error)


def _superseded() -> SupersededError:
    return SupersededError("The worker was stopped", "a later request asked for that")


def _cancel(result: Any, late: Any) -> Any:
    if late.active():
        late.cancel()
    return result
