"""The interfaces between the life-cycle, the worker's runs, and those who are told.

Objects of the life-cycle call back into others only through these, and through the functions
that they were given, such as `look` of `BackingOff`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Hashable

    from gateway.contract import WorkerError
    from gateway.worker.lifecycle.exits import Exit
    from gateway.worker.lifecycle.states import WorkerState
    from gateway.worker.lifecycle.transitions import Termination
    from gateway.worker.readiness.vitals import Vitals


class WorkerRun(Protocol):
    """One generation of the worker: one start, its process, and the end of its tree.

    It tells its `WorkerListener` what becomes of it.
    """

    @property
    def generation(self) -> int:
        """1 for the first worker of this gateway, 2 for the next, and so on."""
        ...

    @property
    def adopted(self) -> float | None:
        """Seconds after its start at which we took it over; None: it is our own."""
        ...

    @property
    def told_late(self) -> float:
        """Seconds from its exit until we were told of it: it was kept for us meanwhile."""
        ...

    @property
    def pid(self) -> int | None:
        """None: there is no process yet."""
        ...

    @property
    def alive(self) -> bool:
        """Whether its process lives."""
        ...

    @property
    def guardian(self) -> int | None:
        """The pid of its guardian; None while there is none."""
        ...

    @property
    def vitals(self) -> Vitals:
        """What it said of itself."""
        ...

    @property
    def exit(self) -> Exit | None:
        """How its process ended; None: it did not."""
        ...

    @property
    def cause(self) -> str | None:
        """The class of its exit; None when it ended as asked, or did not end."""
        ...

    @property
    def error(self) -> WorkerError | None:
        """Why it never became a process."""
        ...

    @property
    def last_stderr(self) -> list[str]:
        """The last lines of stderr, redacted."""
        ...

    @property
    def exit_summary(self) -> str:
        """How it ended, and its very last words."""
        ...

    @property
    def stuck_details(self) -> str:
        """For a run that does not end: what was tried so far."""
        ...

    def heard(self, name: str, value: object, connection: Hashable) -> str | None:
        """It sent an event over one of its connections; returns the class of an error in it."""
        ...

    @property
    def counted(self) -> bool:
        """Whether its start is in the ledger's file."""
        ...

    def note_counted(self) -> None:
        """Its start is there now; whoever takes it over must not count it again."""
        ...

    def note_error(self, cause: str) -> None:
        """It told an error of this class."""
        ...

    def resume(self) -> None:
        """Of an adopted one: tell what became of it until now."""
        ...

    def extend(self, until: float) -> None:
        """It may live until then, in seconds of its guardian's clock."""
        ...

    def end(self) -> None:
        """End it and its tree, politely.  Before it has settled that is only noted."""
        ...

    def kill(self) -> None:
        """End them at once."""
        ...


class WorkerListener(Protocol):
    """Receives what becomes of a worker: each call at most once, and most in this order."""

    def started(self, worker: WorkerRun) -> None:
        """Its process runs; one that could not be made is told as `exited`."""
        ...

    def settled(self, worker: WorkerRun) -> None:
        """It lived long enough to count as started."""
        ...

    def expired(self, worker: WorkerRun) -> None:
        """Its guardian ends it, since its time is over; may come at any time."""
        ...

    def exited(self, worker: WorkerRun) -> None:
        """Its process is gone; others of its tree may not be."""
        ...

    def reaped(self, worker: WorkerRun) -> None:
        """Nothing is left of its tree."""
        ...


class LifecycleListener(Protocol):
    """Receives changes of the life-cycle after they have happened."""

    def state_changed(self) -> None:
        """The state or the planned start has changed."""
        ...

    def worker_exited(self, worker: WorkerRun) -> None:
        """The process of `worker` is gone, asked or not."""
        ...


class StateActions(Protocol):
    """What states do to the life-cycle.  None of it raises."""

    def enter(self, state: WorkerState) -> None:
        """`state` is the state from now on."""
        ...

    def try_start(self, pause: float = 0.0) -> None:
        """Start a worker, plan its start, or give up: `pause` (seconds), and what the gate says."""
        ...

    def judge(self, worker: WorkerRun) -> None:
        """Nothing is left of `worker`, and nobody asked for its end: decide what comes next."""
        ...

    def termination_of(self, worker: WorkerRun) -> Termination:
        """Something that sees to the end of `worker`."""
        ...
