"""A keeper with a fake world."""

from __future__ import annotations

from gateway.worker.keeper import Keeper
from gateway.worker.lifecycle.backoff import Backoff
from gateway.worker.lifecycle.broker_limits import BrokerLimits
from gateway.worker.lifecycle.gate import Gate
from gateway.worker.lifecycle.ledger import Ledger

from ..fakes import FakeRun, Time, World, settings


class Bench:
    """A keeper with a fake world, and a note of what observers were told."""

    def __init__(self, folder, **changes: object) -> None:
        self.time = Time()
        self.told: list[str] = []
        self.settings = settings(state_dir=folder, **changes)
        self.world = World()
        self.ledger = Ledger(self.settings.state_dir, self.told.append)
        self.limits = BrokerLimits(
            self.settings, self.ledger, clock=self.time.seconds, wall=self.time.wall
        )
        self.backoff = Backoff(self.settings, lambda: 0.0)
        self.gate = Gate([self.limits.hold, self.backoff.hold])
        self.keeper = Keeper(
            self.time,
            self.settings,
            launch=self.launch,
            gate=self.gate,
            limits=self.limits,
            backoff=self.backoff,
            observer=self,
            wall=self.time.wall,
        )

    def launch(self, generation: int, keeper: Keeper) -> FakeRun:
        run = FakeRun(generation, keeper, self.time, self.settings, self.world)
        self.world.runs.append(run)
        return run

    def changed(self) -> None:
        self.told.append(self.keeper.state)

    def exited(self, run: FakeRun) -> None:
        self.told.append(f"exit of {run.generation}")

    @property
    def run(self) -> FakeRun:
        return self.world.runs[-1]

    def up(self) -> FakeRun:
        """A running worker."""
        self.keeper.begin()
        self.run.begin()
        self.run.settle()
        return self.run
