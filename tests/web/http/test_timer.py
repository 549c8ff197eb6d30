from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.deadlines import Deadlines
from gateway.web.http.timer import drive


class DriverTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.deadlines = Deadlines(self.clock.seconds)
        self.made: list[str] = []

    def later(self, seconds: float, name: str) -> None:
        self.deadlines.call_later(seconds, lambda: self.made.append(name))

    def test_deadlines_are_met_with_one_timer(self) -> None:
        self.later(3, "c")
        drive(self.clock, self.deadlines)
        self.later(1, "a")
        self.later(2, "b")
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        for expected in ("a", "ab", "abc"):
            self.clock.advance(1)
            self.assertEqual("".join(self.made), expected)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_deadline_may_set_others(self) -> None:
        drive(self.clock, self.deadlines)
        self.deadlines.call_later(1, lambda: self.later(1, "b"))
        self.later(1, "a")
        self.clock.advance(1)
        self.assertEqual((self.made, len(self.clock.getDelayedCalls())), (["a"], 1))
        self.clock.advance(1)
        self.assertEqual(self.made, ["a", "b"])

    def test_a_deadline_that_is_over_is_met_at_once(self) -> None:
        self.later(1, "a")
        self.clock.advance(5)
        drive(self.clock, self.deadlines)
        self.clock.advance(0)
        self.assertEqual(self.made, ["a"])

    def test_one_that_fails_costs_the_others_nothing(self) -> None:
        def fail() -> None:
            raise ValueError

        drive(self.clock, self.deadlines)
        self.deadlines.call_later(1, fail)
        self.later(1, "a")
        self.later(2, "b")
        self.assertRaises(ValueError, self.clock.advance, 1)
        self.clock.advance(0)
        self.clock.advance(1)
        self.assertEqual(self.made, ["a", "b"])

    def test_stopped_it_leaves_nothing_behind(self) -> None:
        driver = drive(self.clock, self.deadlines)
        self.later(1, "a")
        driver.stop()
        self.later(0.5, "b")
        self.assertEqual(self.clock.getDelayedCalls(), [])
        driver.stop()
        self.clock.advance(2)
        self.assertEqual(self.made, [])

    def test_a_deadline_may_stop_it(self) -> None:
        driver = drive(self.clock, self.deadlines)
        self.deadlines.call_later(1, driver.stop)
        self.later(2, "a")
        self.clock.advance(1)
        self.assertEqual(self.clock.getDelayedCalls(), [])
