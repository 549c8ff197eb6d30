"""The states of the worker's life-cycle.

Theory of operation
===================

A state is an object.  It holds what exists only while it lasts: the worker, the plan for the
next start, the wish for another worker.  What people are told (`name`) follows from it.

A *generation* is one start, its process, and the end of that process's whole tree.  There is
one at a time: the next one is made when nothing is left of the one before.  A generation tells
of itself `started`, `settled`, `exited`, `reaped`, each at most once and in this order; one of
which no process could be made tells `exited` and `reaped` alone.  What an older generation
tells, or one tells twice, changes nothing.

What each input leads to (`-`: nothing, the state stays):

    state       start       restart     stop      settled  exited  reaped
    ----------  ----------  ----------  --------  -------  ------  ---------------------------
    Stopped     GATE        GATE        -         .        .       .
    Starting    -           - (1)       Stopping  Running  Exited  .
    Running     -           Stopping+   Stopping  -        Exited  .
    Stopping    Stopping+   Stopping+   Stopping  - (2)    -       Stopped; wanted (+): GATE
    Exited      Stopping+   Stopping+   Stopping  -        -       GATE after a pause, or Fatal
    BackingOff  GATE        GATE        Stopped   .        .       . (3)
    Fatal       GATE        GATE        Stopped   .        .       .

    GATE    the one way to a new worker, `StateActions.try_start`.  Open: Starting.  Held for some
            time: BackingOff.  Held until a person asks: Fatal.
    +       a worker is wanted afterwards.  The last wish counts.
    .       can't happen: there is no process in this state, or more of it is left.
    (1)     an interpreter that starts is not interrupted.  Whoever waits for a newer worker
            is served at `settled`: if the gate is open then, this worker is replaced; else it
            stays, and they are refused.
    (2)     now it can be told to end, and is.
    (3)     when its time has come BackingOff leads to GATE by itself.  It asks the gate every
            30 s until then, and at once when it is told that something has changed.

A worker that a gateway before this one left comes by `Transitions.adopt` instead of GATE, in
BackingOff and Fatal: it leads to Running, or to Starting if it has not settled.

A worker that logs in again during the broker's pause is *suspended*: as by `restart`, and the
gate, held by the pause, puts the next start off.

Where several gateways share one worker, Starting and Running *give way* when another gateway may
have it: they lead to Stopping+, and the gate is held until the right is ours again.

The order within one transition: the old state is left (its timers end), the new one is there,
its effect is done, people are told, and at last those who waited get their answers; an answer
may ask for something again.  Effects do not raise: `attempt` turns an exception into a reason,
and what was not done is tried again: a start after 5 s, an end after at most 10 s past all
patience.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from twisted.logger import Logger

from gateway.common.attempt import Countdown

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.worker.lifecycle.gate import Hold
    from gateway.worker.lifecycle.protocols import StateActions, WorkerRun
    from gateway.worker.lifecycle.transitions import Termination

_log = Logger(namespace="gateway.worker")

LOOK: Final = 30.0
"""Seconds for which a plan is trusted: a hold by the calendar moves when the clock is set."""
MOVED: Final = 1.0
"""A plan that moved by more seconds than this is news."""


class WorkerState:
    """One state: what exists while it lasts, and what each input leads to in it."""

    name: ClassVar[str]
    """What people are told: in `/status`, `/health`, `/metrics` and `python_status`."""
    since = 0.0
    """When it began, in seconds since 1970."""
    worker: WorkerRun | None = None
    """The worker of which something is there; one that has exited may have left children."""
    held_by = ""
    """What forbids the planned start besides the worker's own pause."""

    @property
    def starts_in(self) -> float | None:
        """Seconds until the planned start; None: none is planned."""
        return None

    def start(self, control: StateActions) -> None:
        """Someone wants a worker, no matter which."""
        control.try_start()

    def restart(self, control: StateActions) -> None:
        """Someone wants a new worker."""
        control.try_start()

    def stop(self, control: StateActions) -> None:
        """Someone wants no worker."""
        control.enter(Stopped())

    def suspend(self, control: StateActions) -> None:
        """The worker logs in again during the broker's pause."""

    def give_way(self, control: StateActions) -> None:
        """The right to have a worker has ended."""

    def reconsider(self, control: StateActions) -> None:
        """What forbids a start may have changed."""

    def settled(self, control: StateActions) -> None:
        """The worker lived long enough to count as started."""

    def exited(self, control: StateActions) -> None:
        """Its process is gone."""

    def reaped(self, control: StateActions) -> None:
        """Nothing is left of its tree."""

    def begin(self) -> None:
        """The effect of the state, when it is entered."""

    def leave(self) -> None:
        """It is over: its timers end."""


class Stopped(WorkerState):
    """There is no worker, and none is wanted."""

    name = "stopped"

    def stop(self, control: StateActions) -> None:
        pass


class Fatal(WorkerState):
    """There is no worker until a person asks, or a schedule tries once."""

    name = "fatal"


class Up(WorkerState):
    """There is a worker, and nobody asked for its end."""

    def __init__(self, worker: WorkerRun) -> None:
        self.worker: WorkerRun = worker

    def start(self, control: StateActions) -> None:
        pass

    def stop(self, control: StateActions) -> None:
        control.enter(Stopping(self.worker, control.termination_of(self.worker)))

    def give_way(self, control: StateActions) -> None:
        control.enter(Stopping(self.worker, control.termination_of(self.worker), wanted=True))

    def exited(self, control: StateActions) -> None:
        control.enter(Exited(self.worker, control.termination_of(self.worker)))


class Starting(Up):
    """A worker was started, and has not settled."""

    name = "starting"
    suspended = False
    """It is to be stopped, because of the broker's pause, when it has settled."""

    def restart(self, control: StateActions) -> None:
        pass

    def suspend(self, control: StateActions) -> None:
        if not self.suspended:
            self.suspended = True
            _tell_suspended()

    def settled(self, control: StateActions) -> None:
        control.enter(Running(self.worker))


class Running(Up):
    """The worker has settled."""

    name = "running"

    def restart(self, control: StateActions) -> None:
        control.enter(Stopping(self.worker, control.termination_of(self.worker), wanted=True))

    def suspend(self, control: StateActions) -> None:
        _tell_suspended()
        self.restart(control)


class Stopping(WorkerState):
    """The worker and its tree are being ended, since somebody asked for that."""

    name = "stopping"

    def __init__(self, worker: WorkerRun, ending: Termination, *, wanted: bool = False) -> None:
        self.worker: WorkerRun = worker
        self._ending = ending
        self._wanted = wanted
        """Whether another worker is wanted afterwards."""

    def start(self, control: StateActions) -> None:
        self._wanted = True

    def restart(self, control: StateActions) -> None:
        self._wanted = True

    def stop(self, control: StateActions) -> None:
        self._wanted = False

    def settled(self, control: StateActions) -> None:
        self._ending.ask()  # before, it could not be told

    def reaped(self, control: StateActions) -> None:
        self._ending.done()
        if self._wanted:
            control.try_start()
        else:
            control.enter(Stopped())

    def begin(self) -> None:
        if self.worker.exit is None:
            self._ending.ask()
        else:
            self._ending.expect()


class Exited(WorkerState):
    """The process ended by itself; what it left is being ended."""

    name = "exited"

    def __init__(self, worker: WorkerRun, ending: Termination) -> None:
        self.worker: WorkerRun = worker
        self._ending = ending

    def start(self, control: StateActions) -> None:
        self._go_on(control, wanted=True)

    def restart(self, control: StateActions) -> None:
        self._go_on(control, wanted=True)

    def stop(self, control: StateActions) -> None:
        self._go_on(control, wanted=False)

    def reaped(self, control: StateActions) -> None:
        self._ending.done()
        control.judge(self.worker)

    def begin(self) -> None:
        self._ending.expect()

    def _go_on(self, control: StateActions, *, wanted: bool) -> None:
        control.enter(Stopping(self.worker, self._ending, wanted=wanted))


class BackingOff(WorkerState):
    """The next start is planned: it comes after the worker's own pause and the gate's hold.

    `look` is called when it is due, and every `LOOK` seconds until then.
    """

    name = "backoff"

    def __init__(self, reactor: Any, look: Callable[[], None]) -> None:
        self._clock: Callable[[], float] = reactor.seconds
        self._timer = Countdown(reactor, "Looking whether the next start is due", look)
        self._pause_ends: float = 0.0
        self._planned: float = self._clock()
        self._is_open = False
        """Whether nobody knows when the start will be."""
        self.held_by = ""

    def reconsider(self, control: StateActions) -> None:
        control.try_start(max(0.0, self._pause_ends - self._clock()))

    def leave(self) -> None:
        self._timer.cancel()

    def plan(self, pause: float, hold: Hold | None) -> bool:
        """Plan the start for after `pause` (seconds) and `hold`; whether people must be told.

        They must if the reason is another one, or if the start moved before it was due.
        """
        was_due, before, held_by = not self._left, self._planned, self.held_by
        self._pause_ends = self._clock() + pause
        self._planned = max(self._pause_ends, self._clock() + (hold.seconds if hold else 0))
        self.held_by = hold.reason if hold else ""
        self._is_open = hold is not None and hold.is_open
        self._timer.begin(min(self._left, LOOK))
        moved = abs(self._planned - before) > MOVED and not self._is_open
        return held_by != self.held_by or (moved and not was_due)

    @property
    def starts_in(self) -> float | None:
        return None if self._is_open else self._left

    @property
    def _left(self) -> float:
        """Seconds until the gate is asked again at last."""
        return max(0.0, self._planned - self._clock())


def _tell_suspended() -> None:
    _log.warn(
        "The worker logs in again during the broker's pause: it is stopped, and started after that",
        tag="Python",
    )
