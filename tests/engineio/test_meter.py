"""What a client costs, and how fast it may go on."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.meter import Meter


class MeterTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.meter = Meter(10, 5, self.clock.seconds)

    def pay(self, units: float = 1) -> float:
        self.meter.charge(units)
        return self.meter.settle()

    def test_a_burst_costs_no_time(self) -> None:
        self.assertEqual([self.pay() for _ in range(5)], [0.0] * 5)

    def test_who_spent_more_waits_until_it_is_paid_for(self) -> None:
        self.pay(5)
        self.assertAlmostEqual(self.pay(2), 0.2)
        self.clock.advance(0.1)
        self.assertAlmostEqual(self.meter.settle(), 0.1)
        self.clock.advance(0.1)
        self.assertEqual(self.meter.settle(), 0.0)

    def test_a_rest_gives_back_the_burst_and_no_more(self) -> None:
        self.pay(7)
        self.clock.advance(1000)
        self.assertEqual(self.pay(5), 0.0)
        self.assertAlmostEqual(self.pay(), 0.1)

    def test_all_that_was_charged_is_paid_at_once(self) -> None:
        for _ in range(6):
            self.meter.charge(1)
        self.assertEqual(self.meter.spent, 6)
        self.assertAlmostEqual(self.meter.settle(), 0.1)
        self.assertEqual(self.meter.spent, 0)

    def test_a_clock_that_jumps_back_takes_nothing(self) -> None:
        now = [1000.0]
        meter = Meter(10, 5, lambda: now[0])
        now[0] = 0.0
        meter.charge(5)
        self.assertEqual(meter.settle(), 0.0)

    def test_without_a_rate_or_once_released_nobody_waits(self) -> None:
        unlimited = Meter(0, 0, self.clock.seconds)
        unlimited.charge(10**9)
        self.assertEqual((unlimited.settle(), unlimited.spent), (0.0, 0.0))
        self.meter.charge(10**9)
        self.meter.release()
        self.assertEqual(self.meter.settle(), 0.0)

    @given(st.lists(st.tuples(st.floats(0, 5), st.integers(1, 20)), max_size=30))
    @settings(max_examples=100, deadline=None)
    def test_who_pauses_as_told_never_goes_over_the_rate(
        self, steps: list[tuple[float, int]]
    ) -> None:
        clock = Clock()
        meter = Meter(10, 5, clock.seconds)
        spent = 0
        for wait, units in steps:
            clock.advance(wait)
            meter.charge(units)
            spent += units
            clock.advance(meter.settle())
            self.assertLessEqual(spent, 5 + 10 * clock.seconds() + 1e-6)
