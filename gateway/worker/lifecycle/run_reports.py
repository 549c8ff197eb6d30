"""What the worker's runs report, and what follows from it.

`states` has the theory of operation, and says what each input leads to.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from twisted.logger import Logger

from gateway.common.attempt import attempt
from gateway.contract import FailedAtOnceError, NotReadyError, SupersededError
from gateway.worker.lifecycle.classification import PREVENTS_LOGIN
from gateway.worker.lifecycle.exits import LastExits
from gateway.worker.lifecycle.gate import refusal
from gateway.worker.lifecycle.requests import (
    answer,
    fail,
    served_by,
    waits_until_ready,
    wants_a_worker,
    wants_after,
    wants_none,
)
from gateway.worker.lifecycle.states import Running, Starting

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.worker.lifecycle.broker_limits import BrokerLimits
    from gateway.worker.lifecycle.gate import Gate
    from gateway.worker.lifecycle.protocols import LifecycleListener, WorkerRun
    from gateway.worker.lifecycle.requests import Facts, PendingRequest, PendingRequests
    from gateway.worker.lifecycle.transitions import Transitions

_log = Logger(namespace="gateway.worker")


class RunReports:
    """The `WorkerListener` of each generation; what an old one reports is ignored.

    It tells the state, answers those who wait, and remembers the exits.  `wall` gives seconds
    since 1970.
    """

    def __init__(
        self,
        transitions: Transitions,
        requests: PendingRequests,
        *,
        gate: Gate,
        limits: BrokerLimits,
        listener: LifecycleListener,
        wall: Callable[[], float],
    ) -> None:
        self._transitions = transitions
        self._requests = requests
        self._gate = gate
        self._limits = limits
        self._listener = listener
        self._wall = wall
        self.last_exits = LastExits()

    # -- what a run tells -----------------------------------------------------------------

    def started(self, worker: WorkerRun) -> None:
        """Its process runs."""
        if worker is not self._transitions.worker:
            return
        if not worker.counted:  # it is new, or its gateway was killed before it had counted it
            attempt("Counting the start", partial(self._limits.started, worker.note_counted))
        if worker.adopted is not None:
            attempt("Counting the login that was saved", self._limits.adopted)

    def settled(self, worker: WorkerRun) -> None:
        """It counts as started: answer who waited for it, and serve who wants a newer one."""
        if worker is not self._transitions.worker:
            return
        state = self._transitions.state
        state.settled(self._transitions)
        if not isinstance(state, Starting):
            return
        answer(self._requests.take(served_by(worker.generation)), self._facts)
        if state.suspended and isinstance(self._transitions.state, Running):
            self._transitions.state.restart(self._transitions)
        if not self._requests.find(wants_after(worker.generation)):
            return
        hold = self._gate.hold(**self._transitions.asker)
        if hold is None:
            self._transitions.state.restart(self._transitions)
        else:  # heard meanwhile: this worker stays
            fail(self._requests.take(wants_a_worker), refusal(hold, self._wall()))

    def became_ready(self, worker: WorkerRun) -> None:
        """It is ready; may be called at each of its events, since later calls cost nothing."""
        if self._requests:
            answer(self._requests.take(waits_until_ready(worker.generation)), lambda _: {})

    def complained(self, worker: WorkerRun, cause: str | None, words: str) -> None:
        """It reported an error of class `cause`: with some of them no login succeeds."""
        if cause is not None:
            self.broker_refused(cause, worker.generation)
        if worker.alive and cause in PREVENTS_LOGIN:
            self.not_ready(worker.generation, words)

    def expired(self, worker: WorkerRun) -> None:
        """Its time is over."""
        if worker is self._transitions.worker:
            self._transitions.state.give_way(self._transitions)

    def exited(self, worker: WorkerRun) -> None:
        """Its process is gone."""
        if worker is not self._transitions.worker or worker.exit is None:
            return
        self.last_exits.add(self._wall() - worker.told_late, worker.exit, worker.cause)
        self._transitions.state.exited(self._transitions)
        if worker.cause is not None:
            attempt(
                "Heeding the broker",
                partial(self.broker_refused, worker.cause, worker.generation),
            )
        attempt("Telling of the worker's end", partial(self._listener.worker_exited, worker))
        if worker.exit.asked:
            fail(self._requests.take(waits_until_ready(worker.generation)), superseded_error())
        else:
            self.not_ready(worker.generation, worker.exit_summary)

    def reaped(self, worker: WorkerRun) -> None:
        """Nothing is left of its tree."""
        if worker is not self._transitions.worker or worker.exit is None:
            return
        failed = self._requests.take(served_by(worker.generation))
        gone = self._requests.take(wants_none)
        self._transitions.state.reaped(self._transitions)
        # Answers come last: who gets one may ask again.
        fail(
            failed,
            worker.error or FailedAtOnceError("The worker ended at once", worker.exit_summary),
        )
        proof = worker.exit.proof()
        answer(gone, lambda _: {"oldPid": worker.pid, "ended": proof})

    # -- what is heard of a run -------------------------------------------------------------

    def printed(self, cause: str, generation: int) -> None:
        """The worker `generation` printed an error of class `cause`."""
        worker = self._transitions.worker
        if worker is not None and worker.generation == generation:
            worker.note_error(cause)
        self.broker_refused(cause, generation)

    def broker_refused(self, cause: str, generation: int) -> None:
        """The worker `generation` told of an error of class `cause`, or ended by it.

        If that imposes a pause the next start waits.  A worker that says it again did not wait,
        and is stopped for the pause, unless it is ready: one that works is left alone.
        """
        words = self._limits.record_error(cause, generation)
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
        self._transitions.state.reconsider(self._transitions)
        worker = self._transitions.state.worker
        present = worker is not None and worker.alive and worker.generation == generation
        if words > 1 and worker is not None and present and not worker.vitals.ready:
            self._transitions.state.suspend(self._transitions)

    def not_ready(self, generation: int, reason: str) -> None:
        """Fail the requests that wait for `generation` to be ready; the error says why."""
        error = NotReadyError("The worker did not become ready; the previous keys are back", reason)
        fail(self._requests.take(waits_until_ready(generation)), error)

    # -- inside -----------------------------------------------------------------------------

    def _facts(self, request: PendingRequest) -> Facts:
        worker = self._transitions.worker
        ended = self.last_exits.proof(request.old_pid)
        return {
            "oldPid": request.old_pid,
            "ended": ended,
            "newPid": worker and worker.pid,
        }


def superseded_error() -> SupersededError:
    """A later request asked for the opposite."""
    return SupersededError("The worker was stopped", "a later request asked for that")
