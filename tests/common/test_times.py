"""Times as text, and daily windows."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.common.times import Window, is_between, iso

BERLIN = ZoneInfo("Europe/Berlin")


class IsoTests(SynchronousTestCase):
    def test_it_has_milliseconds_and_z(self) -> None:
        self.assertEqual(iso(0), "1970-01-01T00:00:00.000Z")
        self.assertEqual(iso(0.25), "1970-01-01T00:00:00.250Z")
        self.assertEqual(iso(1708875000), "2024-02-25T15:30:00.000Z")
        self.assertEqual(iso(1708875000.1239), "2024-02-25T15:30:00.123Z")
        self.assertEqual(iso(1708875000.9999999), "2024-02-25T15:30:01.000Z")

    @settings(deadline=None)
    @given(st.floats(-1e9, 4e9))
    def test_it_says_what_datetime_says(self, seconds: float) -> None:
        there = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
        self.assertEqual(iso(seconds), there.replace("+00:00", "Z"))


class WindowTests(SynchronousTestCase):
    def test_a_window_that_ends_no_later_than_it_starts_ends_on_the_next_day(self) -> None:
        day = date(2024, 2, 29)
        for hour, last in ((5, date(2024, 3, 1)), (15, date(2024, 3, 1)), (16, day)):
            opened, closed = Window(time(15), time(hour)).on(day, UTC)
            self.assertEqual(opened, datetime(2024, 2, 29, 15, tzinfo=UTC))
            self.assertEqual(closed, datetime.combine(last, time(hour), UTC))

    def test_its_start_is_in_it_and_its_end_is_not(self) -> None:
        opened, closed = Window(time(9), time(10)).on(date(2024, 2, 29), UTC)
        self.assertTrue(is_between(opened, opened, closed))
        self.assertFalse(is_between(opened, closed, closed))

    def test_points_in_time_are_compared_in_the_hour_that_comes_twice(self) -> None:
        opened, closed = Window(time(2, 15), time(2, 45)).on(date(2024, 10, 27), BERLIN)
        at = datetime(2024, 10, 27, 2, 30, tzinfo=BERLIN)
        self.assertTrue(is_between(opened, at, closed))
        self.assertFalse(is_between(opened, at.replace(fold=1), closed))
