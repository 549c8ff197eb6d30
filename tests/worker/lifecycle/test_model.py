"""The life-cycle under any order of requests, exits, timers and key changes."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from twisted.trial.unittest import SynchronousTestCase

from gateway.worker.errors import WorkerError
from gateway.worker.lifecycle.gate import Hold
from gateway.worker.lifecycle.states import BackingOff, Fatal, Running, Starting

from ..fakes import FakeRun
from .bench import Bench

CALLS = ("launch", "started", "verdict", "starts", "state_changed", "worker_exited", "end")
"""What the life-cycle asks of others, and what may raise."""


class Life(RuleBasedStateMachine):
    """People, processes, time, reasons against a start and faults, in any order.

    Never two live workers; none is started while the gate is shut; the keys of the last start
    are those that were posted last before it; every request is answered once the world comes
    to rest, and then there is a worker, or a plan for one, or a person is waited for.
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.bench = Bench(Path(self.folder.name), budget=10_000)
        self.lifecycle = self.bench.lifecycle
        self.answers = []
        self.posted = 0
        self.keys_of = {}
        self.held = None
        self.broken = set()
        self.bench.gate.checks.append(lambda **_: self.held)
        launch = self.bench.launch

        def noting(generation, listener):
            assert self.held is None, "a start while the gate is shut"
            self.keys_of[generation] = self.posted
            return launch(generation, listener)

        self.bench.launch = self.breakable("launch", noting)
        for thing, name in (
            (self.bench.limits, "started"),
            (self.bench.backoff, "verdict"),
            (self.bench.ledger, "starts"),
            (self.bench, "state_changed"),
            (self.bench, "worker_exited"),
        ):
            setattr(thing, name, self.breakable(name, getattr(thing, name)))
        self.lifecycle.begin()

    def breakable(self, name, call):
        """`call`, which raises once after `name` was broken."""

        def called(*arguments, **words):
            if name in self.broken:
                self.broken.discard(name)
                raise OSError(24, "Too many open files")
            return call(*arguments, **words)

        return called

    @property
    def run(self):
        return self.bench.run

    def ask(self, what, *arguments, **words) -> None:
        try:
            answer = what(*arguments, **words)
        except WorkerError:
            return None
        outcome = []
        answer.addCallbacks(outcome.append, lambda failure: outcome.append(failure.value))
        self.answers.append(outcome)
        return outcome

    @rule(force=st.booleans())
    def restart(self, force) -> None:
        self.ask(self.lifecycle.restart, force=force)

    @rule()
    def start(self) -> None:
        self.ask(self.lifecycle.start)

    @rule()
    def stop(self) -> None:
        self.ask(self.lifecycle.stop)

    @rule()
    def post_keys(self) -> None:
        self.posted += 1
        wanted = self.posted
        outcome = self.ask(self.lifecycle.restart)
        if outcome is not None:

            def has_the_keys():
                if outcome and isinstance(outcome[0], dict):
                    pid = outcome[0]["newPid"]
                    run = next(run for run in self.bench.world.runs if run.pid == pid)
                    assert self.keys_of[run.generation] >= wanted
                    return True
                return False

            self.pending_keys = [*getattr(self, "pending_keys", []), has_the_keys]

    @rule(state=st.sampled_from([Running, Fatal, BackingOff, Starting]))
    def renew(self, state) -> None:
        self.lifecycle.renew("a test", states=(state,))

    @rule(cause=st.sampled_from(["ban", "too-many-connections"]))
    def impose(self, cause) -> None:
        self.bench.limits.notice(cause, self.lifecycle.generation)
        self.lifecycle.reconsider()

    @rule()
    def suspend(self) -> None:
        """The worker logs in again during the pause."""
        for _ in range(2):
            self.lifecycle.broker_refused("ban", self.lifecycle.generation)
            self.bench.time.advance(1)

    @rule(seconds=st.sampled_from([5, 100, float("inf")]), imposed=st.booleans())
    def shut_the_gate(self, seconds, imposed) -> None:
        self.held = Hold("a test", seconds, imposed=imposed)
        self.lifecycle.reconsider()

    @rule()
    def open_the_gate(self) -> None:
        self.held = None
        self.lifecycle.reconsider()

    @rule(names=st.sets(st.sampled_from(CALLS), min_size=1))
    def break_calls(self, names) -> None:
        self.broken |= names
        if "end" in names:
            self.run.end = self.breakable("end", partial(FakeRun.end, self.run))

    @rule(seconds=st.sampled_from([0.1, 0.5, 5, 61, 700]))
    def wait(self, seconds) -> None:
        self.bench.time.advance(seconds)

    @rule(seconds=st.sampled_from([-3600, 3600]))
    def jump(self, seconds) -> None:
        """Somebody sets the clock."""
        before = self.bench.state, self.lifecycle.generation
        self.bench.time.offset += seconds
        assert (self.bench.state, self.lifecycle.generation) == before

    @precondition(lambda self: self.run.exit is None and self.run.pid is None)
    @rule()
    def process_begins(self) -> None:
        self.run.begin()

    @precondition(lambda self: self.run.alive and not self.run.settled)
    @rule()
    def process_settles(self) -> None:
        self.run.settle()

    @precondition(lambda self: self.run.exit is None)
    @rule(cause=st.sampled_from(["other", "network", "ban"]))
    def process_dies(self, cause) -> None:
        self.run.die(cause, code=1)

    @precondition(lambda self: self.run.exit is not None and not self.run.reaped)
    @rule()
    def process_is_reaped(self) -> None:
        self.run.reap()

    @precondition(lambda self: len(self.bench.world.runs) > 1)
    @rule(word=st.sampled_from(["settle", "die", "reap"]))
    def old_process_says_something_late(self, word) -> None:
        getattr(self.bench.world.runs[-2], word)()

    @invariant()
    def never_two_live_workers(self) -> None:
        self.bench.world.check()
        assert sum(run.alive for run in self.bench.world.runs) <= 1

    @invariant()
    def the_state_is_true(self) -> None:
        state, run = self.bench.state, self.run
        if state in ("stopped", "backoff", "fatal"):
            assert not run.alive
        if state == "running":
            assert run.alive and run.settled
        if state == "exited":
            assert run.exit is not None
        assert (self.bench.next_start is not None) == (state == "backoff")

    def teardown(self) -> None:
        """Let the processes do what they are asked; then nobody waits any more."""
        self.held = None
        self.broken.clear()
        for _ in range(1000):
            run = self.run
            if run.exit is not None and not run.reaped:
                run.reap()
            elif run.asked_at is not None and run.exit is None:
                run.die(code=0)
            elif run.exit is None and run.pid is None:
                run.begin()
            elif run.alive and not run.settled:
                run.settle()
            elif self.bench.state in ("backoff", "stopping"):
                self.bench.time.advance(60)
            else:
                break
        assert all(len(outcome) == 1 for outcome in self.answers), self.bench.state
        assert self.bench.state in ("running", "stopped", "fatal"), self.bench.state
        for check in getattr(self, "pending_keys", []):
            check()
        self.folder.cleanup()


Life.TestCase.settings = hypothesis_settings(max_examples=80, stateful_step_count=40, deadline=None)


class StatefulTests(SynchronousTestCase):
    def test_any_order_of_requests_exits_timers_and_keys(self) -> None:
        case = Life.TestCase("runTest")
        case.settings = Life.TestCase.settings
        case.runTest()
