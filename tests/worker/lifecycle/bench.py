"""A life-cycle with a fake world."""

from __future__ import annotations

from gateway.worker.lifecycle.backoff import Backoff
from gateway.worker.lifecycle.broker_limits import BrokerLimits
from gateway.worker.lifecycle.gate import Gate
from gateway.worker.lifecycle.ledger import Ledger
from gateway.worker.lifecycle.lifecycle import Lifecycle

from ..fakes import FakeRun, Time, World, settings


class Bench:
    """A life-cycle with a fake world, and a note of what its listener was told."""

    def __init__(self, folder, before: Bench | None = None, **changes: object) -> None:
        """`before`: the one whose gateway was killed; the world is the same."""
        self.time = Time() if before is None else before.time
        self.told: list[str] = []
        self.settings = settings(state_dir=folder, **changes)
        self.world = World() if before is None else before.world
        self.ledger = Ledger(self.settings.state_dir, self.told.append)
        self.limits = BrokerLimits(
            self.settings, self.ledger, clock=self.time.seconds, wall=self.time.wall
        )
        self.limits.begin()
        self.backoff = Backoff(self.settings, lambda: 0.0)
        self.gate = Gate([self.limits.hold, self.backoff.hold])
        self.lifecycle = Lifecycle(
            self.time,
            self.settings,
            launch=self._launch,
            gate=self.gate,
            limits=self.limits,
            backoff=self.backoff,
            listener=self,
            wall=self.time.wall,
        )

    def _launch(self, generation: int, listener) -> FakeRun:
        return self.launch(generation, listener)  # which a test may replace

    def launch(self, generation: int, listener) -> FakeRun:
        run = FakeRun(generation, listener, self.time, self.settings, self.world)
        self.world.runs.append(run)
        return run

    def adopt(self, left: FakeRun) -> FakeRun:
        """Go on with what the gateway before left."""

        def make(listener) -> FakeRun:
            run = FakeRun(left.generation, listener, self.time, self.settings, self.world)
            run.adopted = True
            run.pid, run.settled, run.counted = left.pid, left.settled, left.counted
            self.world.runs.append(run)
            self.world.lives[:] = [run]
            return run

        self.lifecycle.adopt(make, self.time.wall() if left.settled else None)
        return self.run

    def state_changed(self) -> None:
        self.told.append(self.state)

    def worker_exited(self, run: FakeRun) -> None:
        self.told.append(f"exit of {run.generation}")

    @property
    def state(self) -> str:
        """What people are told."""
        return self.lifecycle.state.name

    @property
    def since(self) -> float:
        return self.lifecycle.state.since

    @property
    def held_by(self) -> str:
        return self.lifecycle.state.held_by

    @property
    def next_start(self) -> tuple[float, float] | None:
        """In seconds since 1970, and from now."""
        left = self.lifecycle.state.starts_in
        return None if left is None else (self.time.wall() + left, left)

    @property
    def run(self) -> FakeRun:
        return self.world.runs[-1]

    def up(self) -> FakeRun:
        """A running worker."""
        self.lifecycle.begin()
        self.run.begin()
        self.run.settle()
        return self.run
