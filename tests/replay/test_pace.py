"""Which time of the recording it is, by a clock of the test's own."""

import math

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.replay.pace import MOST_LATE, Pace

WALL = 5_000_000.0


class PaceTests(SynchronousTestCase):
    def make(self, speed: float = 1.0) -> Pace:
        self.clock = Clock()
        seconds = self.clock.seconds
        return Pace(1000.0, speed, clock=seconds, wall=lambda: WALL + seconds())

    def test_it_runs_as_fast_as_is_asked(self) -> None:
        for speed in (0.5, 1, 10):
            pace = self.make(speed)
            self.clock.advance(2)
            self.assertEqual(pace.now, 1000 + 2 * speed)
            self.assertEqual(pace.wait(pace.now + 3 * speed), 3)
            self.assertEqual(pace.until(pace.now - speed), pace.now)

    def test_a_change_of_speed_begins_where_it_is(self) -> None:
        pace = self.make()
        self.clock.advance(5)
        pace.change(speed=10)
        self.clock.advance(1)
        self.assertEqual(pace.now, 1015)

    def test_nothing_is_due_in_a_pause_and_it_goes_on_from_there(self) -> None:
        pace = self.make()
        self.clock.advance(5)
        for pause in ({"paused": True}, {"speed": 0}):
            pace.change(**pause)
            self.clock.advance(100)
            self.assertEqual((pace.until(900.0), pace.wait(900.0)), (-math.inf, math.inf))
        pace.change(paused=False)
        self.assertEqual((pace.now, pace.speed), (1005, 1))

    def test_with_speed_0_it_begins_in_a_pause(self) -> None:
        pace = self.make(0)
        self.assertTrue(pace.paused)
        pace.change(paused=False)
        self.clock.advance(3)
        self.assertEqual(pace.now, 1003)

    def test_max_waits_for_nothing_and_shows_the_newest_event(self) -> None:
        pace = self.make(math.inf)
        self.assertEqual((pace.until(1e9), pace.wait(1e9)), (math.inf, 0))
        pace.told(1234.0)
        self.clock.advance(9)
        self.assertEqual(pace.now, 1234)
        pace.change(speed=1)
        self.clock.advance(1)
        self.assertEqual(pace.now, 1235)

    def test_what_was_held_up_for_long_is_not_made_up_for(self) -> None:
        pace = self.make(10)
        self.clock.advance(MOST_LATE)
        self.assertEqual(pace.until(1000.0), 1000 + 10 * MOST_LATE)
        self.clock.advance(60)
        self.assertEqual(pace.until(1000.0), 1000)
        self.clock.advance(1)
        self.assertEqual(pace.now, 1010)

    def test_times_move_with_the_clock_on_the_wall(self) -> None:
        pace = self.make(10)
        self.clock.advance(1)  # late, which is not seen
        self.assertEqual(pace.wall_of(1005.0), WALL + 0.5)
        pace.change(speed=math.inf)
        self.assertEqual(pace.wall_of(1005.0), WALL + 1)
