"""Keeps one worker: gives the machine its hands, and those who ask their answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from twisted.internet.defer import succeed
from twisted.logger import Logger

from gateway.worker.countdown import Countdown
from gateway.worker.errors import (
    FailedAtOnceError,
    GoingDownError,
    PausedError,
    SupersededError,
    WorkerError,
)
from gateway.worker.history import History
from gateway.worker.machine import machine
from gateway.worker.requests import Requests, fail
from gateway.worker.times import iso

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.defer import Deferred

    from gateway.worker.governor import Governor
    from gateway.worker.policy import Policy
    from gateway.worker.requests import Facts
    from gateway.worker.run import Run
    from gateway.worker.settings import Settings

_log = Logger(namespace="gateway.worker")

STUCK = 10.0
"""Seconds past all patience after which a worker counts as not to be ended."""


class Observer(Protocol):
    """Who is told what became of the worker."""

    def changed(self) -> None:
        """The state is a new one, or the next start is."""
        ...

    def exited(self, run: Run) -> None:
        """The process of `run` is gone."""
        ...


class Keeper:
    """One life-cycle.

    `launch` starts a new generation for the keeper, `wall` gives seconds since 1970.
    """

    def __init__(
        self,
        reactor: Any,
        settings: Settings,
        *,
        launch: Callable[[int, Keeper], Run],
        governor: Governor,
        policy: Policy,
        observer: Observer,
        wall: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._launch = launch
        self._governor = governor
        self._policy = policy
        self._observer = observer
        self._wall = wall
        self._lifecycle = machine(self)
        self._requests = Requests()
        self._pause = 0.0
        self._waiting = Countdown(reactor, self._elapsed)
        self._overdue = Countdown(reactor, self._stuck)
        self._going_down = False
        self._forced = False
        self.state = "stopped"
        self.since = wall()
        self.generation = 0
        self.run: Run | None = None
        """The present generation, or the last one."""
        self.history = History()

    # -- asked by people ----------------------------------------------------------------

    def start(self, *, force: bool = False) -> Deferred[Facts]:
        """A worker, if there is none.  Raises WorkerError."""
        if self.state == "running":
            return succeed({"pid": self.run and self.run.pid})
        if self.state != "starting":
            self._admit(force=force)
        answer = self._requests.start(self._next(fresh=False), self._pid)
        self._lifecycle.start()
        return answer.addCallback(lambda facts: {"pid": facts["newPid"]})

    def restart(self, *, force: bool = False) -> Deferred[Facts]:
        """A new worker.  Raises WorkerError; the old one keeps running."""
        self._admit(force=force)
        return self._replace()

    def stop(self) -> Deferred[Facts]:
        """No worker; fires when its tree is gone."""
        up = self.state in ("starting", "running", "stopping", "exited")
        answer = self._requests.stop() if up else succeed({})
        superseded = self._requests.take()
        self._lifecycle.stop()
        fail(
            superseded, SupersededError("The worker was stopped", "a later request asked for that")
        )
        return answer

    def shut_down(self) -> Deferred[Facts]:
        """As `stop`; no request is heard any more."""
        self._going_down = True
        return self.stop()

    def kill(self) -> None:
        """Spend no more patience on the present worker."""
        if self.run is not None:
            self.run.kill()

    # -- asked by machines --------------------------------------------------------------

    def begin(self) -> None:
        """The first start of the gateway; later, if something stands against it now."""
        hold = self._governor.hold()
        if hold is None:
            self._lifecycle.start()
        else:
            self._postpone(hold.seconds)

    def renew(self, reason: str, *, states: tuple[str, ...]) -> None:
        """Restart for `reason`, if the state is one of `states` and nothing stands against it."""
        hold = self._governor.hold()
        if self._going_down or self.state not in states:
            return
        if hold is not None:
            _log.warn(
                "No restart ({reason}): {hold}", tag="Python", reason=reason, hold=hold.reason
            )
            return
        _log.info("Restarting the worker: {reason}", tag="Python", reason=reason)
        self._replace().addErrback(lambda _: None)  # the state tells

    def imposed(self) -> None:
        """The broker imposed a pause: a start that is planned comes no earlier."""
        hold = self._governor.hold()
        if self.state == "backoff" and hold is not None and hold.seconds > self._waiting.left:
            self._postpone(hold.seconds)

    @property
    def next_start(self) -> tuple[float, float] | None:
        """When the next start is planned: seconds since 1970, and from now."""
        if self.state != "backoff":
            return None
        left = self._waiting.left if self._waiting.active else self._pause
        return self._wall() + left, left

    # -- what the machine has done ------------------------------------------------------

    def enter(self, state: str) -> None:
        self.state = state
        self.since = self._wall()
        self._observer.changed()

    def spawn(self) -> None:
        self.generation += 1
        self.run = self._launch(self.generation, self)

    def end(self) -> None:
        assert self.run is not None  # the table says so
        told = self._settings
        self._expect_end(
            max(told.patience_login, told.patience_interrupt) + told.patience_terminate
        )
        self.run.end()

    def wait(self) -> None:
        self._waiting.begin(self._pause)

    def hurry(self) -> None:
        self._waiting.cancel()

    def judge(self) -> None:
        assert self.run is not None and self.run.exit is not None
        if self._requests.waiting(self.generation):
            self._lifecycle.again()
            return
        pause = self._policy.verdict(self.run.exit, self.run.cause or "")
        if pause is None:
            self._lifecycle.give_up()
        else:
            hold = self._governor.hold()
            self._pause = max(pause, hold.seconds if hold else 0)
            self._lifecycle.retry()

    # -- what a run tells; an old generation's words are ignored ---------------------------

    def run_started(self, run: Run) -> None:
        if run is self.run:
            self._governor.started()

    def run_settled(self, run: Run) -> None:
        if run is self.run and self.state == "starting":
            self._lifecycle.settled()
            self._requests.settled(run.generation, self._facts)
            if self._requests.waiting(run.generation):
                self._lifecycle.restart()

    def run_exited(self, run: Run) -> None:
        if run is not self.run or run.exit is None:
            return
        self.history.add(self._wall(), run.exit, run.cause)
        self._expect_end(0)
        self._lifecycle.exited()
        self._observer.exited(run)

    def run_reaped(self, run: Run) -> None:
        if run is not self.run or run.exit is None:
            return
        self._overdue.cancel()
        failed = self._requests.take(run.generation)
        hold = self._governor.hold(person=True, force=self._forced)
        held = self._requests.take() if hold and self.state == "exited" else []
        self._lifecycle.reaped()
        # Answers come last: who gets one may ask again.
        fail(failed, run.error or FailedAtOnceError("The worker ended at once", run.epitaph))
        if hold is not None:
            fail(held, self._paused(hold.seconds))
        self._requests.stopped({"oldPid": run.pid, "ended": run.exit.proof()})

    # -- inside -------------------------------------------------------------------------

    @property
    def _pid(self) -> int | None:
        """The process that a request would replace."""
        gone = self.state in ("stopped", "backoff", "fatal")
        return None if gone or self.run is None else self.run.pid

    def _next(self, *, fresh: bool) -> int:
        """The generation that a request made now is answered by."""
        return self.generation + (fresh or self.state != "starting")

    def _replace(self) -> Deferred[Facts]:
        answer = self._requests.start(self._next(fresh=True), self._pid)
        self._lifecycle.restart()
        return answer

    def _admit(self, *, force: bool) -> None:
        """Let a person's request through, or raise WorkerError."""
        if self._going_down:
            raise GoingDownError("The gateway is going down", "its worker is being stopped")
        hold = self._governor.hold(person=True, force=force)
        if hold is not None:
            raise self._paused(hold.seconds)
        self._forced = force
        self._policy.asked()

    def _paused(self, seconds: float) -> WorkerError:
        return PausedError.until(iso(self._wall() + seconds))

    def _postpone(self, seconds: float) -> None:
        self._pause = seconds
        known = self.state == "backoff"
        self._lifecycle.postpone()
        if known:
            self._observer.changed()

    def _elapsed(self) -> None:
        hold = self._governor.hold()
        if hold is None:
            self._lifecycle.elapsed()
        else:
            self._postpone(hold.seconds)

    def _facts(self, old_pid: int | None) -> Facts:
        ended = self.history.proof(old_pid)
        return {"oldPid": old_pid, "ended": ended, "newPid": self.run and self.run.pid}

    def _expect_end(self, patience: float) -> None:
        """What is left of the worker must be gone after `patience`, or those who wait are told."""
        if not self._overdue.active:
            self._overdue.begin(patience + self._settings.patience_strays + STUCK)

    def _stuck(self) -> None:
        pid = self.run and self.run.pid
        error = WorkerError(
            "The old worker can't be ended", f"process {pid} did not even die of SIGKILL"
        )
        _log.error("{error}", tag="Python", error=str(error))
        self._overdue.begin(STUCK)
        fail(self._requests.take() + self._requests.take_stops(), error)
