"""Stand-ins for what the supervisor's pure parts talk to."""

from __future__ import annotations

from pathlib import Path

from twisted.internet.task import Clock

from gateway.worker.lifecycle import states
from gateway.worker.lifecycle.exits import Exit
from gateway.worker.readiness.vitals import Vitals
from gateway.worker.settings import WorkerSettings

MONDAY = 1709510400.0
"""2024-03-04 08:00 in Taipei, a Monday: the broker's day begins."""


class Time(Clock):
    """A monotonic clock, and a wall clock that goes with it until somebody sets it."""

    def __init__(self, wall: float = MONDAY) -> None:
        super().__init__()
        self.offset = wall

    def wall(self) -> float:
        return self.seconds() + self.offset


def settings(**changes: object) -> WorkerSettings:
    return WorkerSettings(**{"state_dir": Path("unused"), **changes})


def state(name: str) -> states.WorkerState:
    """The state that people are told by `name`, as far as others look at it."""
    kinds: dict[str, object] = {
        "stopped": states.Stopped,
        "starting": lambda: states.Starting(None),
        "running": lambda: states.Running(None),
        "stopping": lambda: states.Stopping(None, None),
        "exited": lambda: states.Exited(None, None),
        "backoff": lambda: states.BackingOff(Clock(), int),
        "fatal": states.Fatal,
    }
    return kinds[name]()


class FakeRun:
    """A run whose process does what the test says."""

    def __init__(
        self, generation: int, listener, clock: Time, told: WorkerSettings, world: World
    ) -> None:
        self.generation = generation
        self.adopted: float | None = None
        self.told_late = 0.0
        self.counted = False
        self.vitals = Vitals(told, clock.seconds)
        self.listener = listener
        self.clock = clock
        self.world = world
        self.pid = None
        self.exit = None
        self.error = None
        self.cause = None
        self.last_stderr = []
        self.asked_at = None
        self.killed = False
        self.settled = False
        self.reaped = False

    @property
    def alive(self) -> bool:
        return self.pid is not None and self.exit is None

    def end(self) -> None:
        if self.asked_at is None:
            self.asked_at = self.clock.seconds()

    def kill(self) -> None:
        self.killed = True

    def note_counted(self) -> None:
        self.counted = True

    def resume(self) -> None:
        self.listener.started(self)

    stuck_details = "nothing helped"

    @property
    def exit_summary(self) -> str:
        return "; ".join((str(self.exit), *self.last_stderr))

    # -- what the test does -----------------------------------------------------------

    def begin(self, pid: int | None = None) -> None:
        self.pid = pid or 1000 + self.generation
        self.world.lives.append(self)
        self.world.check()
        self.listener.started(self)

    def settle(self) -> None:
        self.settled = True
        self.listener.settled(self)

    def die(self, cause: str | None = "other", **how: object) -> None:
        asked = self.asked_at
        self.exit = Exit(
            pid=self.pid,
            asked=asked is not None,
            seconds=None if asked is None else self.clock.seconds() - asked,
            lived=self.vitals.lived,
            ready_for=self.vitals.ready_for,
            **how,
        )
        self.cause = cause
        self.listener.exited(self)

    def reap(self) -> None:
        self.reaped = True
        if self in self.world.lives:
            self.world.lives.remove(self)
        self.listener.reaped(self)

    def crash(self, cause: str = "other", **how: object) -> None:
        self.die(cause, **{"code": 1, **how})
        self.reap()


class World:
    """All the processes there are."""

    def __init__(self) -> None:
        self.lives: list[FakeRun] = []
        self.runs: list[FakeRun] = []
        self.most = 0

    def check(self) -> None:
        self.most = max(self.most, len(self.lives))
        assert self.most <= 1, "two live workers"
