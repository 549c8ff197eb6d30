"""The life-cycle under any order of requests, exits, timers and key changes."""

from __future__ import annotations

import contextlib
import tempfile
from functools import partial
from pathlib import Path
from types import SimpleNamespace

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from twisted.trial.unittest import SynchronousTestCase

from gateway.contract import WorkerError
from gateway.worker.lifecycle.gate import Hold
from gateway.worker.lifecycle.states import BackingOff, Fatal, Running, Starting

from ..fakes import FakeRun
from .bench import Bench

HEARS = ("started", "verdict", "state_changed", "worker_exited", "end")
"""What the life-cycle asks of others; a pause may be heard meanwhile."""
CALLS = (*HEARS, "launch", "starts", "record_error", "asked")
"""What may raise."""
WISHES = st.sampled_from(["start", "restart", "stop"])

NOBODY = SimpleNamespace(
    generation=0, alive=False, pid=None, exit="long ago", reaped=True, asked_at=None
)
"""In the place of a run, where this gateway has made none."""


class Life(RuleBasedStateMachine):
    """People, processes, time, reasons against a start, faults, and ends of the gateway itself.

    In any order: never two live workers; none is started while the gate is shut; the keys of the
    last start are those that were posted last before it; every request is answered once when the
    world comes to rest, and then there is a worker, or a plan for one, or a person is waited for.
    A gateway that was killed answers nobody; its worker is taken over by the next one, or ends
    before that one starts another.
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.left = None
        """The run of a gateway that was killed, while something of its tree is there."""
        self.posted = 0
        self.keys_of = {}
        self.begin_anew(None)

    def begin_anew(self, before) -> None:
        """A gateway begins; its world is that of the one before."""
        self.bench = Bench(Path(self.folder.name), before, budget=10_000)
        self.lifecycle = self.bench.lifecycle
        self.answers = []
        self.pending_keys = []
        self.held = None
        self.broken = set()
        self.hearing = set()
        self.wrong = []
        """What must not be, and was seen where an exception would be guarded against."""
        self.forced = []
        self.bench.gate.checks.append(lambda **_: self.held)
        self.bench.gate.checks.append(lambda **_: self.left and Hold("the one before", 5.0))
        launch = self.bench.launch

        def noting(generation, listener):
            if self.held is not None or self.left is not None:
                self.wrong.append("a start while the gate is shut")
            if self.bench.limits.hold(person=True) is not None and all(self.forced):
                self.wrong.append("a start in a pause that nobody overrides")
            self.keys_of[generation] = self.posted
            return launch(generation, listener)

        self.bench.launch = self.breakable("launch", noting)
        for thing, name in (
            (self.bench.limits, "started"),
            (self.bench.limits, "record_error"),
            (self.bench.backoff, "asked"),
            (self.bench.backoff, "verdict"),
            (self.bench.ledger, "starts"),
            (self.bench, "state_changed"),
            (self.bench, "worker_exited"),
        ):
            setattr(thing, name, self.breakable(name, getattr(thing, name)))

    @initialize(steps=st.integers(0, 4))
    def begin(self, steps) -> None:
        self.lifecycle.begin()
        for _ in range(steps):
            self.goes_on()

    def breakable(self, name, call):
        """`call`, which raises once after `name` was broken, and may hear a pause."""

        def called(*arguments, **words):
            if name in self.hearing:
                self.hearing.discard(name)
                self.hear("ban")
            if name in self.broken:
                self.broken.discard(name)
                raise OSError(24, "Too many open files")
            return call(*arguments, **words)

        return called

    @property
    def run(self):
        return self.bench.world.runs[-1] if self.bench.world.runs else NOBODY

    def ask(self, wish, *, then=None, force=False):
        """Somebody wants something, and something else when that is answered."""
        words = {"force": True} if force else {}
        outcome = []
        if force:
            self.forced.append(outcome)
        try:
            answer = getattr(self.lifecycle, wish)(**words)
        except (WorkerError, OSError) as error:
            outcome.append(error)
            return None
        answer.addCallbacks(outcome.append, lambda failure: outcome.append(failure.value))
        if then is not None:
            answer.addCallback(lambda _: self.ask(then))
        self.answers.append(outcome)
        return outcome

    def hear(self, cause) -> None:
        """The present worker, or the last one, tells of an error of that class."""
        if self.lifecycle.generation:
            with contextlib.suppress(OSError):  # who heard it for us logs that
                self.lifecycle.reports.broker_refused(cause, self.lifecycle.generation)

    @rule(wish=WISHES, then=WISHES | st.none())
    def wish(self, wish, then) -> None:
        self.ask(wish, then=then)

    @rule(wish=st.sampled_from(["start", "restart"]))
    def insist(self, wish) -> None:
        self.ask(wish, force=True)

    @rule()
    def wait_until_ready(self) -> None:
        self.ask("until_ready")

    @precondition(lambda self: self.run.alive)
    @rule()
    def worker_is_ready(self) -> None:
        self.run.vitals.heard("shioaji_ready")
        self.lifecycle.reports.became_ready(self.run)

    @rule(cause=st.sampled_from(["ban", "authentication", "network", None]))
    def worker_complains(self, cause) -> None:
        with contextlib.suppress(OSError):
            self.lifecycle.reports.complained(self.run, cause, "words")

    @rule()
    def post_keys(self) -> None:
        self.posted += 1
        wanted = self.posted
        outcome = self.ask("restart")
        if outcome is not None:

            def has_the_keys():
                if outcome and isinstance(outcome[0], dict):
                    pid = outcome[0]["newPid"]
                    run = next(run for run in self.bench.world.runs if run.pid == pid)
                    assert self.keys_of[run.generation] >= wanted
                    return True
                return False

            self.pending_keys.append(has_the_keys)

    @rule(state=st.sampled_from([Running, Fatal, BackingOff, Starting]))
    def renew(self, state) -> None:
        with contextlib.suppress(OSError):
            self.lifecycle.renew("a test", states=(state,))

    @rule(cause=st.sampled_from(["ban", "too-many-connections"]))
    def impose(self, cause) -> None:
        self.hear(cause)

    @rule()
    def log_in_again(self) -> None:
        """The worker logs in again during the pause."""
        for _ in range(2):
            self.hear("ban")
            self.bench.time.advance(1)

    @rule(names=st.sets(st.sampled_from(HEARS), min_size=1))
    def hear_in_calls(self, names) -> None:
        """A pause is heard in the middle of a transition."""
        self.hearing |= names
        self.watch_the_end(names)

    @rule(seconds=st.sampled_from([5, 100, float("inf")]), imposed=st.booleans())
    def shut_the_gate(self, seconds, imposed) -> None:
        self.held = Hold("a test", seconds, imposed=imposed)
        self.lifecycle.reconsider()

    @rule()
    def another_gateway_has_the_right(self) -> None:
        self.held = Hold("another gateway has the worker", 5.0)
        with contextlib.suppress(OSError):
            self.lifecycle.give_way()

    @rule()
    def open_the_gate(self) -> None:
        self.held = None
        self.lifecycle.reconsider()

    @rule(names=st.sets(st.sampled_from(CALLS), min_size=1))
    def break_calls(self, names) -> None:
        self.broken |= names
        self.watch_the_end(names)

    def watch_the_end(self, names) -> None:
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

    @rule(steps=st.integers(1, 5))
    def the_world_goes_on(self, steps) -> None:
        """Most of the time processes do what is expected of them."""
        for _ in range(steps):
            self.goes_on()

    @rule(steps=st.integers(1, 5))
    def and_on(self, steps) -> None:
        self.the_world_goes_on(steps)

    @rule(steps=st.integers(1, 5))
    def and_on_and_on(self, steps) -> None:
        self.the_world_goes_on(steps)

    @rule()
    def the_gateway_is_killed(self) -> None:
        """What was asked of it is never answered; its timers are gone, its processes are not."""
        run = self.run
        for call in list(self.bench.time.getDelayedCalls()):  # it shrinks meanwhile
            call.cancel()
        if self.left is None and run in self.bench.world.lives:
            self.left = run
        self.bench.world.runs.clear()
        self.begin_anew(self.bench)
        self.lifecycle.begin()

    @precondition(lambda self: self.may_stay)
    @rule()
    def the_worker_is_taken_over(self) -> None:
        left, self.left = self.left, None
        self.broken.discard("starts")  # which this test calls, too
        used = self.bench.limits.used
        counts_it = not left.counted and "started" not in self.broken
        run = self.bench.adopt(left)
        assert self.lifecycle.worker is run
        assert self.bench.state == ("running" if left.settled else "starting")
        assert self.lifecycle.generation == left.generation
        assert self.bench.limits.used == used + counts_it

    @property
    def may_stay(self) -> bool:
        """A guardian keeps the worker that was left, and it is wanted, with its keys."""
        left = self.left
        if left is None or not left.alive or left.asked_at is not None:
            return False
        return self.lifecycle.may_adopt and self.keys_of[left.generation] == self.posted

    @precondition(lambda self: self.left is not None and self.left.alive)
    @rule()
    def the_worker_ends_meanwhile(self) -> None:
        self.left.exit = "nobody was told"

    @precondition(lambda self: self.left is not None)
    @rule()
    def what_was_left_ends(self) -> None:
        left, self.left = self.left, None
        left.reaped = True
        self.bench.world.lives.clear()
        self.lifecycle.reconsider()

    def goes_on(self) -> bool:
        """The process does what is asked of it, or time passes; False: all is at rest."""
        if self.left is not None:
            self.the_worker_is_taken_over() if self.may_stay else self.what_was_left_ends()
            return True
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
            return False
        return True

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
    def nothing_went_wrong(self) -> None:
        assert self.wrong == []

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
        self.hearing.clear()
        for _ in range(1000):
            if not self.goes_on() and not all(self.answers):
                self.bench.time.advance(60)
        self.nothing_went_wrong()
        assert all(len(outcome) == 1 for outcome in self.answers), self.bench.state
        assert self.bench.state in ("running", "stopped", "fatal"), self.bench.state
        for check in self.pending_keys:
            check()
        self.folder.cleanup()


Life.TestCase.settings = hypothesis_settings(max_examples=80, stateful_step_count=40, deadline=None)


class StatefulTests(SynchronousTestCase):
    def test_any_order_of_requests_exits_timers_and_keys(self) -> None:
        case = Life.TestCase("runTest")
        case.settings = Life.TestCase.settings
        case.runTest()
