"""The states, without a life-cycle: what each input leads to, in any order."""

from __future__ import annotations

import ast
from pathlib import Path

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.ops.metrics.worker import STATES
from gateway.worker.lifecycle import states
from gateway.worker.lifecycle.gate import Hold
from gateway.worker.lifecycle.states import (
    BackingOff,
    Exited,
    Fatal,
    Running,
    Starting,
    Stopped,
    Stopping,
    WorkerState,
)
from tests.untraced import untraced

LIFECYCLE = Path(states.__file__).parent
WISHES = ("start", "restart", "stop")
TOLD = ("settled", "exited", "reaped")
INPUTS = (*WISHES, *TOLD, "suspend", "give_way", "reconsider")


class Worker:
    """A process that does what the test says."""

    exit = None


class Termination:
    """Notes what is asked of it."""

    def __init__(self) -> None:
        self.asked = self.expected = self.over = 0

    def ask(self) -> None:
        self.asked += 1

    def expect(self) -> None:
        self.expected += 1

    def done(self) -> None:
        self.over += 1


class World:
    """A `StateActions` with one worker at a time and a gate that the test shuts."""

    def __init__(self) -> None:
        self.state: WorkerState = Stopped()
        self.hold: Hold | None = None
        self.clock = Clock()
        self.starts = 0
        self.names = [self.state.name]

    def enter(self, state: WorkerState) -> None:
        self.state.leave()
        self.state = state
        self.names.append(state.name)
        state.begin()

    def try_start(self, pause: float = 0.0) -> None:
        assert self.state.worker is None or self.reaped, "while there is one"
        hold = self.hold
        if hold is None and not pause:
            self.starts += 1
            self.reaped = False
            self.enter(Starting(Worker()))
        elif hold is not None and hold.endless:
            self.enter(Fatal())
        else:
            planned = BackingOff(self.clock, lambda: self.state.reconsider(self))
            planned.plan(pause, hold)
            self.enter(planned)

    def judge(self, worker: Worker) -> None:
        self.try_start(1.0)

    def termination_of(self, worker: Worker) -> Termination:
        self.ending = Termination()
        return self.ending

    # -- what the test does -----------------------------------------------------------

    reaped = False

    def say(self, name: str) -> None:
        """An input, as a worker or a person may give it now."""
        state = self.state
        if name == "exited" and state.worker is not None:
            state.worker.exit = "an exit"
        if name == "reaped":
            if state.worker is None or state.worker.exit is None:
                return
            self.reaped = True
        if name == "settled" and state.worker is not None and state.worker.exit is not None:
            return
        getattr(state, name)(self)

    def rest(self) -> None:
        """Let the process do what it is asked to, and time pass."""
        for _ in range(20):
            if isinstance(self.state, Stopping | Exited):
                self.say("exited")
                self.say("reaped")
            elif isinstance(self.state, Starting):
                self.say("settled")
            elif isinstance(self.state, BackingOff):
                self.hold = None
                self.clock.advance(60)
            else:
                return


def after(*names: str) -> World:
    world = World()
    for name in names:
        world.say(name)
    return world


REACHED = {
    Stopped: (),
    Starting: ("start",),
    Running: ("start", "settled"),
    Stopping: ("start", "settled", "stop"),
    Exited: ("start", "settled", "exited"),
    BackingOff: ("start", "settled", "exited", "reaped"),
}
"""How each state is reached while the gate is open."""


class StateTests(SynchronousTestCase):
    def test_metrics_know_all_states(self) -> None:
        self.assertEqual({kind.name for kind in (*REACHED, Fatal)}, set(STATES))

    def test_each_state_is_reached(self) -> None:
        for kind, names in REACHED.items():
            self.assertIsInstance(after(*names).state, kind)

    def test_people_get_what_they_ask_for_in_every_state(self) -> None:
        for names in REACHED.values():
            for wish, kind in (("start", Running), ("restart", Running), ("stop", Stopped)):
                with self.subTest(names=names, wish=wish):
                    world = after(*names, wish)
                    world.rest()
                    self.assertIsInstance(world.state, kind)

    def test_the_last_wish_counts(self) -> None:
        for names in REACHED.values():
            world = after(*names, "stop", "restart", "stop")
            world.rest()
            self.assertIsInstance(world.state, Stopped, names)
            world = after(*names, "restart", "stop", "start")
            world.rest()
            self.assertIsInstance(world.state, Running, names)

    def test_words_that_do_not_fit_the_state_change_nothing(self) -> None:
        """They are an older generation's, or were said before."""
        for kind, words in (
            (Stopped, TOLD),
            (Running, ("settled", "reaped")),
            (Stopping, ("settled", "exited")),  # the end is asked for again
            (Exited, ("settled", "exited")),
            (BackingOff, TOLD),
        ):
            for word in words:
                world = after(*REACHED[kind])
                before = world.state
                getattr(before, word)(world)
                self.assertIs(world.state, before, (kind, word))

    def test_an_interpreter_that_starts_is_not_interrupted(self) -> None:
        world = after("start", "restart", "start")
        self.assertIsInstance(world.state, Starting)

    def test_the_end_is_asked_for_once_and_not_of_one_that_is_gone(self) -> None:
        world = after("start", "settled", "restart", "stop", "restart")
        self.assertEqual((world.ending.asked, world.ending.expected), (1, 0))
        world = after("start", "settled", "exited", "restart", "stop")
        self.assertEqual((world.ending.asked, world.ending.expected), (0, 2))
        world.say("reaped")
        self.assertGreater(world.ending.over, 0)

    def test_a_plan_is_dropped_with_its_state(self) -> None:
        for wish in WISHES:
            world = after("start", "settled", "exited", "reaped", wish)
            self.assertEqual(world.clock.getDelayedCalls(), [], wish)

    def test_one_that_is_suspended_while_it_starts_is_stopped_when_it_has_settled(self) -> None:
        world = after("start", "suspend", "suspend")
        self.assertTrue(world.state.suspended)
        self.assertIsInstance(after("start", "settled", "suspend").state, Stopping)

    @untraced
    @hypothesis_settings(max_examples=300, deadline=None)
    @given(
        st.lists(
            st.sampled_from(INPUTS)
            | st.sampled_from([None, Hold("a test", 5.0), Hold("a test", float("inf"))])
        )
    )
    def test_any_order_of_inputs_keeps_one_worker_and_comes_to_rest(self, inputs) -> None:
        world = World()
        for each in inputs:
            if isinstance(each, str):
                world.say(each)
            else:
                world.hold = each
            planned = isinstance(world.state, BackingOff)
            self.assertEqual(world.state.starts_in is not None, planned)
            self.assertEqual(bool(world.clock.getDelayedCalls()), planned)
        world.hold = None
        world.rest()
        self.assertIsInstance(world.state, Stopped | Running | Fatal)


class PlanTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.looks: list[float] = []
        self.state = BackingOff(self.clock, lambda: self.looks.append(self.clock.seconds()))

    def test_it_looks_when_it_is_due_and_every_half_minute(self) -> None:
        self.state.plan(5.0, None)
        self.clock.advance(5)
        self.state.plan(0, Hold("a test", 100.0))
        self.clock.advance(30)
        self.assertEqual(self.looks, [5, 35])
        self.assertEqual((self.state.starts_in, self.state.held_by), (70, "a test"))

    def test_what_is_news(self) -> None:
        self.assertTrue(self.state.plan(0, Hold("a", 5.0)))
        self.assertFalse(self.state.plan(0, Hold("a", 5.5)), "hardly moved")
        self.assertTrue(self.state.plan(0, Hold("a", 60.0)), "moved")
        self.assertTrue(self.state.plan(0, Hold("b", 60.0)), "another reason")
        self.clock.advance(60)
        self.assertFalse(self.state.plan(0, Hold("b", 60.0)), "it goes on")


class SourceTests(SynchronousTestCase):
    def test_a_worker_is_started_at_one_place(self) -> None:
        """`Starting` is made where the gate is asked, and for a worker that is there already."""
        makers = [
            (path.name, function.name)
            for path in LIFECYCLE.parent.rglob("*.py")
            for function in ast.walk(ast.parse(path.read_text()))
            if isinstance(function, ast.FunctionDef)
            for call in ast.walk(function)
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Starting"
        ]
        self.assertEqual(makers, [("transitions.py", "try_start"), ("transitions.py", "adopt")])
