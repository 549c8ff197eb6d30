from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.deadlines import Deadlines
from gateway.ops.metrics.gateway import ReactorDelay
from gateway.web.http.timer import drive
from tests.ops.metrics.reading import read


class ReactorDelayTests(SynchronousTestCase):
    def test_each_second_by_how_much_a_timer_was_late(self):
        clock = Clock()
        deadlines = Deadlines(clock.seconds)
        metrics = ReactorDelay(deadlines)
        drive(clock, deadlines)
        for turn in (1.0, 1.02, 1.5, 11.0):
            clock.advance(turn)
        found = read(metrics)
        self.assertEqual(found["reactor_delay_seconds_count"], 4)
        self.assertAlmostEqual(found["reactor_delay_seconds_sum"], 10.52)
        buckets = [
            found[f'reactor_delay_seconds_bucket{{le="{bound}"}}']
            for bound in ("0.001", "0.01", "0.025", "0.25", "0.5", "2.5", "+Inf")
        ]
        self.assertEqual(buckets, [1, 1, 2, 2, 3, 3, 4])
