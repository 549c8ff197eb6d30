"""What the states do: one state after the other, the one way to a new worker, and its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from twisted.logger import Logger

from gateway.common.attempt import AGAIN, Countdown, attempt
from gateway.contract import LaunchError, WorkerError
from gateway.worker.lifecycle.gate import Hold, refusal
from gateway.worker.lifecycle.requests import fail, wants_a_worker, wants_after, wants_none
from gateway.worker.lifecycle.states import BackingOff, Exited, Fatal, Running, Starting, Stopped

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.worker.lifecycle.backoff import Backoff
    from gateway.worker.lifecycle.gate import Gate
    from gateway.worker.lifecycle.protocols import LifecycleListener, WorkerRun
    from gateway.worker.lifecycle.requests import PendingRequests
    from gateway.worker.lifecycle.states import WorkerState
    from gateway.worker.settings import WorkerSettings

_log = Logger(namespace="gateway.worker")

RETRY: Final = 5.0
"""Seconds until a start is tried again that the gateway itself could not make."""
STUCK: Final = 10.0
"""Seconds past all patience after which a worker counts as not to be ended."""


class Transitions:
    """The `StateActions` of the states.

    `launch(generation)` makes a worker.  Neither it nor the `listener` is trusted not to raise.
    """

    def __init__(
        self,
        reactor: Any,
        settings: WorkerSettings,
        *,
        launch: Callable[[int], WorkerRun],
        gate: Gate,
        backoff: Backoff,
        requests: PendingRequests,
        listener: LifecycleListener,
        wall: Callable[[], float],
    ) -> None:
        self._reactor = reactor
        self._settings = settings
        self._launch = launch
        self._gate = gate
        self._backoff = backoff
        self._requests = requests
        self._listener = listener
        self._wall = wall
        self.state: WorkerState = Stopped()
        self.state.since = wall()
        self.generation = 0
        """How many workers there were."""
        self.worker: WorkerRun | None = None
        """The present one, or the last."""

    def enter(self, state: WorkerState) -> None:
        """Change to `state`: do its effect, then tell people of it."""
        if type(state) is type(self.state):
            return  # a try that failed at once
        self.state.leave()
        state.since = self._wall()
        self.state = state
        state.begin()
        if not isinstance(state, Exited):  # that is told with the exit
            self._tell()

    def try_start(self, pause: float = 0.0) -> None:
        """The one way to a new worker: start it if no `pause` is left and nothing forbids it.

        Else the start is planned or given up, and those who wait for it are told why.
        """
        hold = self._gate.hold(**self.asker)
        if hold is None and pause > 0:
            self._put_off(pause, None)
            return
        error: WorkerError | None = None
        if hold is None:
            failed = attempt("Starting the worker", self._make_worker)
            if failed is None and self.worker is not None:
                self.enter(Starting(self.worker))
                return
            pause, hold = RETRY, Hold(f"it can't be started now: {failed}", RETRY)
            error = LaunchError("The worker was not started", failed or "")
        waiting = self._requests.take(wants_a_worker)
        self._put_off(pause, hold)
        fail(waiting, error or refusal(hold, self._wall()))

    def adopt(self, worker: WorkerRun, settled: float | None) -> None:
        """Go on with a worker that is there, the run of which was made; no gate is asked.

        `settled`: since when it counts as started, in seconds since 1970; None: not yet.
        """
        self.generation = worker.generation
        self.worker = worker
        self.enter(Starting(worker) if settled is None else Running(worker))
        self.state.since = settled or self.state.since
        attempt("Hearing what became of the worker", worker.resume)

    def judge(self, worker: WorkerRun) -> None:
        """Nobody asked for the end of `worker`: when does the next one start?"""
        if self._requests.find(wants_after(worker.generation)):
            self.try_start()
            return
        pauses: list[float | None] = []
        attempt("Judging the worker's end", lambda: pauses.append(self._verdict(worker)))
        pause = pauses[0] if pauses else RETRY
        if pause is None:
            self.enter(Fatal())
        else:
            self.try_start(pause)

    def termination_of(self, worker: WorkerRun) -> Termination:
        """Something that sees to the end of `worker`."""
        told = self._settings
        interrupt = max(told.patience_login, told.patience_interrupt)
        return Termination(
            self._reactor,
            worker,
            patience=interrupt + told.patience_terminate,
            strays=told.patience_strays,
            stuck=self._stuck,
        )

    @property
    def asker(self) -> dict[str, bool]:
        """Whether a person, or one with `force`, waits for the next worker; for `Gate.hold`."""
        asking = self._requests.find(wants_after(self.generation))
        return {
            "person": any(request.person for request in asking),
            "force": any(request.force for request in asking),
        }

    # -- inside -------------------------------------------------------------------------

    def _make_worker(self) -> None:
        self.worker = self._launch(self.generation + 1)
        self.generation += 1

    def _put_off(self, pause: float, hold: Hold | None) -> None:
        """The next start comes after `pause` and `hold`, or when a person asks."""
        if hold is not None and hold.endless:
            self.enter(Fatal())
        elif isinstance(self.state, BackingOff):
            if self.state.plan(pause, hold):
                self._tell()
        else:
            planned = BackingOff(self._reactor, self._look)
            planned.plan(pause, hold)
            self.enter(planned)

    def _look(self) -> None:
        self.state.reconsider(self)

    def _verdict(self, worker: WorkerRun) -> float | None:
        assert worker.exit is not None  # it is reaped
        return self._backoff.verdict(worker.exit, worker.cause or "")

    def _stuck(self, error: WorkerError) -> None:
        waiting = self._requests.take(wants_a_worker) + self._requests.take(wants_none)
        fail(waiting, error)

    def _tell(self) -> None:
        attempt("Telling of the worker's state", self._listener.state_changed)


class Termination:
    """Ends one worker; when that takes too long it is logged, and tried again.

    `patience` is what the guardian takes to end it, `strays` what it takes to end its children,
    in seconds.  `stuck(error)` is called when it outlives both, again and again.
    """

    def __init__(
        self,
        reactor: Any,
        worker: WorkerRun,
        *,
        patience: float,
        strays: float,
        stuck: Callable[[WorkerError], None],
    ) -> None:
        self._worker = worker
        self._patience = patience
        self._strays = strays
        self._stuck = stuck
        self._overdue = Countdown(reactor, "Looking after a worker that does not end", self._look)
        self._again = Countdown(reactor, "Ending the worker", self.ask)

    def ask(self) -> None:
        """End it with its tree; may be called again, and is called again soon if that raises."""
        self.expect(self._patience)
        if attempt("Ending the worker", self._worker.end) is not None:
            self._again.begin(AGAIN)

    def expect(self, patience: float = 0.0) -> None:
        """What is left of it must be gone after `patience`; only the first call counts."""
        if not self._overdue.active:
            self._overdue.begin(patience + self._strays + STUCK)

    def done(self) -> None:
        """Nobody waits for its end any more."""
        self._overdue.cancel()
        self._again.cancel()

    def _look(self) -> None:
        error = WorkerError("The old worker can't be ended", self._worker.stuck_details)
        _log.error("{error}", tag="Python", error=str(error))
        self._overdue.begin(STUCK)
        self.ask()
        self._stuck(error)
