"""Rate limits."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.common.rate import MINUTE, LeakyBucket, Throttle, ThrottleEach


class RateTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.now = self.clock.seconds

    def test_a_throttle_passes_once_in_a_minute(self) -> None:
        throttle = Throttle(self.now)
        passed = []
        for _ in range(3):
            passed += [throttle(), throttle()]
            self.clock.advance(MINUTE / 2)
        self.assertEqual(passed, [True, False, False, False, True, False])

    def test_each_value_passes_once_and_those_over_the_bound_are_counted(self) -> None:
        throttle = ThrottleEach(self.now, most=2)
        told = [throttle(value) for value in "aabcd"]
        self.assertEqual(told, [(each, 0) for each in (True, False, True, False, False)])
        self.clock.advance(MINUTE)
        self.assertEqual([throttle(value) for value in "ca"], [(True, 2), (True, 0)])

    def test_a_bucket_takes_a_burst_and_then_the_rate(self) -> None:
        bucket = LeakyBucket(0.5, self.now)
        self.assertEqual([bucket.add(2) for _ in range(4)], [1, 2, 3, 3])
        self.clock.advance(2)
        self.assertEqual((bucket.level, bucket.add(2), bucket.add(2)), (1, 2, 3))
        self.clock.advance(100)
        self.assertEqual(bucket.level, 0)

    def test_what_is_added_without_a_bound_counts_whole(self) -> None:
        bucket = LeakyBucket(1, self.now)
        self.assertEqual(bucket.add(amount=5), 5)
        self.clock.advance(3)
        self.assertEqual(bucket.level, 2)
