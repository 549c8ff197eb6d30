"""What is done at the end of a turn: after what was read, once, and whatever else fails."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.system.turn_end import TurnEnd


class TimedTests(SynchronousTestCase):
    def test_without_a_poll_of_its_own_it_is_a_timed_call(self) -> None:
        clock, done = Clock(), []
        TurnEnd(clock).call(lambda: done.append("end"))
        self.assertEqual(done, [])
        clock.advance(0)
        self.assertEqual(done, ["end"])


class PolledTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.end = TurnEnd(None)
        self.seen: list[Any] = []
        self.reads: list[str] = []
        self.turn = self.end.around(self.poll)

    def poll(self, seconds: float | None) -> None:
        self.seen.append(seconds)
        for name in self.reads:
            self.ask(name)
        self.reads = []

    def ask(self, name: str) -> None:
        self.end.call(lambda: self.seen.append(name))

    def test_it_comes_after_all_that_was_read_and_once(self) -> None:
        self.reads = ["a", "b"]
        self.turn(None)
        self.turn(7)
        self.assertEqual(self.seen, [None, "a", "b", 7])

    def test_what_a_timer_asks_for_does_not_wait_for_the_poll(self) -> None:
        self.ask("timer")
        self.turn(None)
        self.assertEqual(self.seen, ["timer", None])

    def test_what_is_asked_for_within_it_is_of_the_next_turn_which_does_not_wait(self) -> None:
        def again() -> None:
            self.seen.append("first")
            self.ask("second")

        self.end.call(again)
        self.turn(None)
        self.assertEqual(self.seen, ["first", 0, "second"])

    def test_one_that_raises_costs_no_other(self) -> None:
        self.end.call(lambda: 1 / 0)
        self.ask("other")
        self.turn(None)
        self.assertEqual(self.seen, ["other", None])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
