"""Points and windows of time."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.worker.calendar.schedule import Schedule, SessionWindows, zone

TAIPEI = ZoneInfo("Asia/Taipei")
WORKDAYS = ("30 6 * * 1-5", "40 8 * * 1-5", "55 14 * * 1-5")
WEEK = st.floats(1709481600, 1709481600 + 14 * 86400)


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=TAIPEI).timestamp()


class ScheduleTests(SynchronousTestCase):
    schedule = Schedule(WORKDAYS, TAIPEI)

    def test_the_next_point_in_the_zone(self) -> None:
        for now, then in (
            ("2024-03-04T06:00", "2024-03-04T06:30"),
            ("2024-03-04T06:30", "2024-03-04T08:40"),
            ("2024-03-04T12:00", "2024-03-04T14:55"),
            ("2024-03-08T15:00", "2024-03-11T06:30"),
        ):
            self.assertEqual(self.schedule.next(at(now)), at(then))

    def test_the_last_point_between_two_looks(self) -> None:
        point = at("2024-03-04T08:40")
        self.assertEqual(self.schedule.last(point - 0.5, point + 0.5), point)
        self.assertEqual(self.schedule.last(point - 1, point), point)
        self.assertIsNone(self.schedule.last(point, point + 1))
        self.assertIsNone(self.schedule.last(point - 2, point - 1))
        self.assertIsNone(self.schedule.last(point + 1800, point - 1800))
        self.assertEqual(self.schedule.last(at("2024-03-04T00:00"), point + 60), point)

    def test_the_points_of_a_day(self) -> None:
        day = [at(f"2024-03-04T{clock}") for clock in ("06:30", "08:40", "14:55")]
        for now in ("2024-03-04T00:00", "2024-03-04T08:40", "2024-03-04T23:59"):
            self.assertEqual(self.schedule.of_day(at(now), 9), day)
        self.assertEqual(self.schedule.of_day(at("2024-03-04T12:00"), 2), day[:2])
        self.assertEqual(self.schedule.of_day(at("2024-03-09T12:00"), 9), [])
        midnight = Schedule(("0 0 * * *",), TAIPEI)
        self.assertEqual(midnight.of_day(at("2024-03-04T12:00"), 9), [at("2024-03-04T00:00")])

    def test_weekends_are_free(self) -> None:
        self.assertIsNone(self.schedule.last(at("2024-03-09T00:00"), at("2024-03-10T00:00")))

    def test_without_expressions_there_is_no_point(self) -> None:
        empty = Schedule((), TAIPEI)
        self.assertIsNone(empty.next(0))
        self.assertIsNone(empty.last(0, 1))
        self.assertFalse(empty)

    def test_nonsense_is_refused(self) -> None:
        for text in ("", "x", "61 * * * *", "* * * *", "0 0 31 2 *"):
            error = self.assertRaises(ValueError, Schedule, (text,), TAIPEI)
            self.assertIn(repr(text), str(error))

    def test_an_unknown_zone_is_refused(self) -> None:
        for name in ("Asia/Nowhere", "", "../etc/passwd"):
            self.assertIn("time zone", str(self.assertRaises(ValueError, zone, name)))

    @hypothesis_settings(max_examples=100, deadline=None)
    @given(WEEK, st.lists(st.floats(0.1, 100), min_size=1, max_size=20))
    def test_looking_often_finds_each_point_once(self, start, steps) -> None:
        looks = [start]
        for step in steps:
            looks.append(looks[-1] + step)
        found = sum(map(bool, map(self.schedule.last, looks, looks[1:])))
        points, point = 0, self.schedule.next(start)
        while point <= looks[-1]:
            points, point = points + 1, self.schedule.next(point)
        self.assertEqual(found, points)


class ShiftTests(SynchronousTestCase):
    """New York: on 2024-11-03 01:00 to 02:00 comes twice, on 2024-03-10 02:00 to 03:00 never."""

    zone = ZoneInfo("America/New_York")

    def points(self, expression: str, begin: str, hours: float) -> list[str]:
        schedule = Schedule([expression], self.zone)
        now = datetime.fromisoformat(begin).replace(tzinfo=self.zone).timestamp()
        end, found = now + hours * 3600, []
        while (now := schedule.next(now)) is not None and now <= end:
            found.append(datetime.fromtimestamp(now, self.zone).strftime("%d %H:%M %Z"))
        return found

    def test_in_an_hour_that_comes_twice_a_point_comes_once(self) -> None:
        for expression, points in (
            ("30 1 * * *", ["03 01:30 EDT", "04 01:30 EST"]),
            ("*/30 1 * * 0", ["03 01:00 EDT", "03 01:30 EDT"]),
            ("0 0-3 * * *", ["03 00:00 EDT", "03 01:00 EDT", "03 02:00 EST", "03 03:00 EST"]),
        ):
            found = self.points(expression, "2024-11-02T23:59", 28)
            self.assertEqual(found[: len(points)], points)

    def test_a_point_that_the_clock_leaps_over_is_as_much_later(self) -> None:
        found = self.points("30 2 * * *", "2024-03-09T12:00", 40)
        self.assertEqual(found, ["10 03:30 EDT", "11 02:30 EDT"])

    def test_a_look_every_second_of_that_night_finds_it_once(self) -> None:
        schedule = Schedule(["30 1 * * *"], self.zone)
        begin = datetime(2024, 11, 3, tzinfo=self.zone).timestamp()
        looks = [begin + step * 20 for step in range(5 * 180)]
        self.assertEqual(sum(map(bool, map(schedule.last, looks, looks[1:]))), 1)

    def test_a_window_of_that_night_opens_once(self) -> None:
        sessions = SessionWindows(["01:15-01:45"], self.zone)
        begin = datetime(2024, 11, 3, tzinfo=self.zone).timestamp()
        open_at = [
            sessions.opened(begin + minute * 60) is not None for minute in range(0, 5 * 60, 5)
        ]
        opened = sum(now and not before for before, now in pairwise(open_at))
        self.assertEqual(opened, 1)
        self.assertGreater(sessions.next(begin + 5400), begin + 5400)


class SessionsTests(SynchronousTestCase):
    sessions = SessionWindows(["Mon-Fri 08:30-13:50", "Mon-Fri 14:55-05:05"], TAIPEI)

    def test_open_since(self) -> None:
        for now, since in (
            ("2024-03-04T08:29:59", None),
            ("2024-03-04T08:30", "2024-03-04T08:30"),
            ("2024-03-04T13:50", None),
            ("2024-03-04T23:59", "2024-03-04T14:55"),
            ("2024-03-05T05:04:59", "2024-03-04T14:55"),
            ("2024-03-05T05:05", None),
            ("2024-03-09T05:00", "2024-03-08T14:55"),
            ("2024-03-09T09:00", None),
            ("2024-03-11T03:00", None),
        ):
            with self.subTest(now=now):
                self.assertEqual(self.sessions.opened(at(now)), since and at(since))

    def test_the_next_opening(self) -> None:
        for now, then in (
            ("2024-03-04T08:00", "2024-03-04T08:30"),
            ("2024-03-04T08:30", "2024-03-04T14:55"),
            ("2024-03-08T20:00", "2024-03-11T08:30"),
        ):
            self.assertEqual(self.sessions.next(at(now)), at(then))

    def test_days_may_be_listed_left_out_or_pass_sunday(self) -> None:
        for text, open_on in (
            ("09:00-10:00", "0123456"),
            ("mon,WED 09:00-10:00", "02"),
            ("Sat-Mon 9:00 - 10:00", "560"),
            ("Tue 09:00-10:00", "1"),
        ):
            sessions = SessionWindows([text], TAIPEI)
            found = "".join(
                str(day)
                for day in range(7)
                if sessions.opened(at(f"2024-03-{4 + day:02}T09:30")) is not None
            )
            self.assertEqual(sorted(found), sorted(open_on), text)

    def test_a_window_may_last_all_day(self) -> None:
        self.assertIsNotNone(SessionWindows(["08:00-08:00"], TAIPEI).opened(at("2024-03-04T07:59")))

    def test_nonsense_is_refused(self) -> None:
        for text in ("", "Mon", "Mon-Fri", "Xyz 09:00-10:00", "25:00-26:00", "09:00", "9-10"):
            error = self.assertRaises(ValueError, SessionWindows, [text], TAIPEI)
            self.assertIn(repr(text), str(error))

    def test_no_windows_are_false(self) -> None:
        self.assertFalse(SessionWindows([], TAIPEI))
        self.assertTrue(self.sessions)
        self.assertIsNone(SessionWindows([], TAIPEI).next(0))

    @hypothesis_settings(max_examples=200, deadline=None)
    @given(WEEK)
    def test_it_opens_when_it_said(self, now) -> None:
        then = self.sessions.next(now)
        self.assertGreater(then, now)
        self.assertEqual(self.sessions.opened(then), then)
