import gc

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.deadlines import Deadline, Deadlines


class DeadlinesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.now = 100.0
        self.deadlines = Deadlines(lambda: self.now)
        self.made: list[str] = []

    def later(self, seconds: float, name: str) -> None:
        self.deadlines.call_later(seconds, lambda: self.made.append(name))

    def test_calls_are_made_when_due_in_the_order_of_their_times(self) -> None:
        self.later(2, "b")
        self.later(1, "a")
        self.later(2, "c")
        self.later(3, "d")
        self.deadlines.advance()
        self.assertEqual(self.made, [])
        self.now += 2
        self.deadlines.advance()
        self.assertEqual((self.made, self.deadlines.next), (["a", "b", "c"], 103))

    def test_a_cancelled_call_is_not_made_nor_waited_for(self) -> None:
        deadline = self.deadlines.call_later(1, self.fail)
        self.later(5, "a")
        self.assertTrue(deadline.active)
        deadline.cancel()
        self.assertEqual((deadline.active, self.deadlines.next), (False, 105))
        self.now += 5
        self.deadlines.advance()
        self.assertEqual((self.made, self.deadlines.next), (["a"], None))

    def test_cancelled_calls_of_a_distant_time_are_not_kept(self) -> None:
        self.later(5, "a")
        before = _deadlines()
        for _ in range(1000):
            self.deadlines.call_later(60, self.fail).cancel()
        self.assertLessEqual(_deadlines() - before, 101)
        self.now += 60
        self.deadlines.advance()
        self.assertEqual((self.made, self.deadlines.next), (["a"], None))

    def test_on_sooner_is_told_of_a_new_first(self) -> None:
        told: list[float | None] = []
        self.deadlines.on_sooner = lambda: told.append(self.deadlines.next)
        for seconds in (5, 7, 3, 3):
            self.later(seconds, "")
        self.assertEqual(told, [105, 103])

    def test_a_failing_call_leaves_the_others(self) -> None:
        def fail() -> None:
            raise ValueError

        self.deadlines.call_later(1, fail)
        self.later(1, "a")
        self.now += 1
        self.assertRaises(ValueError, self.deadlines.advance)
        self.deadlines.advance()
        self.assertEqual(self.made, ["a"])

    @settings(deadline=None, max_examples=50)
    @given(st.lists(st.tuples(st.floats(0, 100), st.booleans())))
    def test_all_that_are_due_and_not_cancelled_are_made_once(
        self, plan: list[tuple[float, bool]]
    ) -> None:
        now, made = 0.0, []
        deadlines = Deadlines(lambda: now)
        for number, (seconds, keep) in enumerate(plan):
            deadline = deadlines.call_later(seconds, lambda number=number: made.append(number))
            if not keep:
                deadline.cancel()
        expected = sorted(
            [number for number, (_, keep) in enumerate(plan) if keep],
            key=lambda number: plan[number][0],
        )
        while (when := deadlines.next) is not None:
            now = when
            deadlines.advance()
        self.assertEqual(made, expected)


def _deadlines() -> int:
    """How many of them there are in this process."""
    return sum(isinstance(each, Deadline) for each in gc.get_objects())
