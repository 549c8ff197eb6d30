"""Keeps one worker: gives the machine its hands, and those who ask their answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from twisted.internet.defer import succeed
from twisted.logger import Logger

from gateway.common.guard import attempt
from gateway.worker.ending import Ending
from gateway.worker.errors import (
    FailedAtOnceError,
    GoingDownError,
    LaunchError,
    SupersededError,
    WorkerError,
)
from gateway.worker.lifecycle.exits import History
from gateway.worker.lifecycle.gate import Hold, refusal
from gateway.worker.machine import machine
from gateway.worker.plan import Plan
from gateway.worker.requests import Requests, fail

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.defer import Deferred

    from gateway.worker.lifecycle.backoff import Backoff
    from gateway.worker.lifecycle.broker_limits import BrokerLimits
    from gateway.worker.lifecycle.gate import Gate
    from gateway.worker.requests import Facts
    from gateway.worker.run import Run
    from gateway.worker.settings import Settings

_log = Logger(namespace="gateway.worker")

RETRY: Final = 5.0
"""Seconds until a start is tried again that the gateway itself could not make."""


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

    `launch` starts a new generation for the keeper, `gate` says whether it may now,
    `wall` gives seconds since 1970.  None of them is trusted not to raise: what they
    can't do is tried again, so that no state waits for something that never comes.
    """

    def __init__(
        self,
        reactor: Any,
        settings: Settings,
        *,
        launch: Callable[[int, Keeper], Run],
        gate: Gate,
        limits: BrokerLimits,
        backoff: Backoff,
        observer: Observer,
        wall: Callable[[], float],
    ) -> None:
        self._launch = launch
        self._gate = gate
        self._limits = limits
        self._backoff = backoff
        self._observer = observer
        self._wall = wall
        self._lifecycle = machine(self)
        self._requests = Requests()
        self._plan = Plan(
            reactor,
            gate,
            due=self._lifecycle.elapsed,
            hopeless=self._lifecycle.give_up,
            moved=self._tell,
        )
        self._ending = Ending(reactor, settings, self._stuck)
        self._going_down = False
        self._refused = self._told = ""
        self._suspended = 0
        """The generation that is stopped because of the broker's pause."""
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
        answer = self._wish(self._next(fresh=False), force=force)
        self._lifecycle.start()
        return answer.addCallback(lambda facts: {"pid": facts["newPid"]})

    def restart(self, *, force: bool = False) -> Deferred[Facts]:
        """A new worker.  Raises WorkerError; the old one keeps running."""
        self._admit(force=force)
        answer = self._wish(self._next(fresh=True), force=force)
        self._lifecycle.restart()
        return answer

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
        """The first start of the gateway, or of a session."""
        self._lifecycle.start()

    def renew(self, reason: str, *, states: tuple[str, ...], cured: bool = False) -> None:
        """Restart for `reason`, if the state is one of `states` and nothing stands against it.

        `cured`: what failed may be cured.
        """
        if self._going_down or self.state not in states:
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
        answer = self._wish(self._next(fresh=True), person=False)
        answer.addErrback(lambda _: None)  # the state tells
        self._lifecycle.restart()

    def suspend(self) -> None:
        """The worker logs in again during the broker's pause: stop it until that is over."""
        if self._suspended == self.generation or self.state not in ("starting", "running"):
            return
        self._suspended = self.generation
        _log.warn(
            "The worker logs in again during the broker's pause: it is stopped, and started"
            " after that",
            tag="Python",
        )
        if self.state == "running":
            self._lifecycle.restart()

    def reconsider(self) -> None:
        """What stands against a start has changed: one that is planned moves."""
        if self.state == "backoff":
            self._plan.look()

    @property
    def held_by(self) -> str:
        """What stands against the planned start besides the worker's own pause."""
        return self._plan.reason if self.state == "backoff" else ""

    @property
    def next_start(self) -> tuple[float, float] | None:
        """When the next start is planned: seconds since 1970, and from now."""
        if self.state != "backoff":
            return None
        return self._wall() + self._plan.left, self._plan.left

    # -- what the machine has done ------------------------------------------------------

    def enter(self, state: str) -> None:
        if state == self.state and self.held_by == self._told:
            return  # a start was due, and what stood against it still does
        if state != self.state:
            self.since = self._wall()
        self.state = state
        self._tell()

    def spawn(self) -> None:
        asker = self._requests.asker
        hold = self._gate.hold(**asker)
        if hold is not None:
            held = self._requests.take()
            self._put_off(0, hold)
            fail(held, refusal(hold, self._wall()))
            return
        failed = attempt("Starting the worker", self._spawn)
        if failed is not None:
            waiting = self._requests.take()
            self._put_off(RETRY, Hold(f"it can't be started now: {failed}", RETRY))
            fail(waiting, LaunchError("The worker was not started", failed))
            return
        self._lifecycle.spawned()

    def end(self) -> None:
        if self.run is not None:
            self._ending.begin(self.run)

    def wait(self) -> None:
        self._plan.wait()

    def hurry(self) -> None:
        self._plan.drop()

    def judge(self) -> None:
        if self.run is not None and self._requests.waiting(self.run.generation):
            self._lifecycle.again()
            return
        pauses: list[float | None] = []
        attempt("Judging the worker's end", lambda: pauses.append(self._verdict()))
        pause = pauses[0] if pauses else RETRY
        if pause is None:
            self._lifecycle.give_up()
        else:
            self._put_off(pause, self._gate.hold())

    # -- what a run tells; an old generation's words are ignored ---------------------------

    def run_started(self, run: Run) -> None:
        if run is self.run:
            attempt("Counting the start", self._limits.started)

    def run_settled(self, run: Run) -> None:
        if run is not self.run or self.state != "starting":
            return
        self._lifecycle.settled()
        self._requests.settled(run.generation, self._facts)
        if self._suspended == run.generation and self.state == "running":
            self._lifecycle.restart()
        if not self._requests.waiting(run.generation):
            return
        hold = self._gate.hold(**self._requests.asker)
        if hold is None:
            self._lifecycle.restart()
        else:  # heard meanwhile: this worker stays
            fail(self._requests.take(), refusal(hold, self._wall()))

    def run_exited(self, run: Run) -> None:
        if run is not self.run or run.exit is None:
            return
        self.history.add(self._wall(), run.exit, run.cause)
        self._ending.expect(run)
        self._lifecycle.exited()
        attempt("Telling of the worker's end", lambda: self._observer.exited(run))

    def run_reaped(self, run: Run) -> None:
        if run is not self.run or run.exit is None:
            return
        self._ending.done()
        failed = self._requests.take(run.generation)
        self._lifecycle.reaped()
        # Answers come last: who gets one may ask again.
        fail(failed, run.error or FailedAtOnceError("The worker ended at once", run.epitaph))
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

    def _wish(
        self, generation: int, *, person: bool = True, force: bool = False
    ) -> Deferred[Facts]:
        return self._requests.start(generation, self._pid, person=person, force=force)

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
        if self.state in ("stopped", "fatal"):
            self._lifecycle.start()
        raise refusal(hold, self._wall())

    def _spawn(self) -> None:
        self.run = self._launch(self.generation + 1, self)
        self.generation += 1

    def _verdict(self) -> float | None:
        assert self.run is not None and self.run.exit is not None  # the table says so
        return self._backoff.verdict(self.run.exit, self.run.cause or "")

    def _put_off(self, pause: float, hold: Hold | None) -> None:
        """The next start comes after `pause` and `hold`, or when a person asks."""
        if self._plan.put_off(pause, hold):
            self._lifecycle.retry()
        else:
            self._lifecycle.give_up()

    def _tell(self) -> None:
        self._told = self.held_by
        attempt("Telling of the worker's state", self._observer.changed)

    def _facts(self, old_pid: int | None) -> Facts:
        ended = self.history.proof(old_pid)
        return {"oldPid": old_pid, "ended": ended, "newPid": self.run and self.run.pid}

    def _stuck(self, error: WorkerError) -> None:
        fail(self._requests.take() + self._requests.take_stops(), error)
