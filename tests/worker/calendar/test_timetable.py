"""Starts, stops and restarts by the calendar."""

from __future__ import annotations

from types import SimpleNamespace

from twisted.trial.unittest import SynchronousTestCase

from gateway.worker.calendar import timetable
from gateway.worker.calendar.timetable import Timetable
from tests.worker.calendar.test_schedule import WORKDAYS, at
from tests.worker.fakes import Time, settings, state


class FakeLifecycle:
    """Notes what it is told to do."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.reasons: list[str] = []
        self.state = state("stopped")
        self.worker = None

    def begin(self) -> None:
        self.done.append("begin")
        self.state = state("running")

    def stop(self) -> None:
        self.done.append("stop")
        self.state = state("stopped")

    def renew(self, reason: str, *, states: tuple[type, ...], cured: bool = False) -> None:
        if isinstance(self.state, states):
            self.done.append("renew")
            self.reasons.append(reason)

    def lived(self, seconds: float) -> None:
        self.worker = SimpleNamespace(alive=True, vitals=SimpleNamespace(lived=seconds))


class TimetableTests(SynchronousTestCase):
    def table(self, now: str, memory=None, **changes: object) -> Timetable:
        self.time = Time(at(now))
        self.lifecycle = FakeLifecycle()
        return Timetable(settings(**changes), self.lifecycle, self.time.wall, memory)

    def pass_until(self, table: Timetable, then: str) -> None:
        while self.time.wall() < at(then):
            self.time.advance(30)
            table.look()

    def test_a_worker_that_is_down_for_want_of_a_session_is_known_to_come_back(self) -> None:
        table = self.table("2024-03-04T08:00", sessions=("Mon-Fri 08:30-13:50",))
        table.begin()
        self.assertEqual(table.reopens, at("2024-03-04T08:30"))
        self.pass_until(table, "2024-03-04T09:00")
        self.assertIsNone(table.reopens)
        self.pass_until(table, "2024-03-08T14:00")
        self.assertEqual(table.reopens, at("2024-03-11T08:30"))
        self.lifecycle.state = state("running")  # somebody started it
        self.assertIsNone(table.reopens)
        self.lifecycle.state = state("stopped")
        self.pass_until(table, "2024-03-11T09:00")
        self.lifecycle.stop()  # somebody stopped it
        self.assertIsNone(table.reopens)

    def test_a_worker_that_was_taken_over_makes_up_for_no_missed_restart(self) -> None:
        for heeded, lived, done in (
            ("2024-03-04T06:29", 600, ["begin", "renew"]),
            ("2024-03-04T06:29", 10, ["begin"]),
            ("2024-03-04T06:30", 600, ["begin"]),
        ):
            memory = SimpleNamespace(scheduled=at(heeded), keep_scheduled=lambda _: None)
            table = self.table("2024-03-04T06:30:10", memory, schedule=WORKDAYS)
            table.begin()
            self.lifecycle.lived(lived)
            table.took_over()
            self.assertEqual(self.lifecycle.done, done)

    def test_a_worker_that_is_not_wanted_is_not_started_by_a_session_either(self) -> None:
        for now in ("2024-03-04T08:00", "2024-03-04T09:00"):
            table = self.table(now, sessions=("Mon-Fri 08:30-13:50",))
            table.begin(wanted=False)
            self.pass_until(table, "2024-03-05T12:00")
            self.assertNotIn("begin", self.lifecycle.done)

    def test_without_settings_the_worker_is_started_and_left_alone(self) -> None:
        table = self.table("2024-03-04T00:00")
        table.begin()
        self.pass_until(table, "2024-03-05T00:00")
        self.assertEqual(self.lifecycle.done, ["begin"])

    def test_restarts_on_workdays_at_the_times_given(self) -> None:
        table = self.table("2024-03-04T00:00", schedule=WORKDAYS)
        table.begin()
        self.pass_until(table, "2024-03-10T00:00")
        self.assertEqual(self.lifecycle.done, ["begin"] + ["renew"] * 15)

    def test_not_within_two_minutes_of_a_start(self) -> None:
        for lived, done in ((119, []), (120, ["renew"])):
            table = self.table("2024-03-04T06:29:50", schedule=WORKDAYS)
            self.lifecycle.state = state("running")
            self.lifecycle.lived(lived)
            self.time.advance(20)
            table.look()
            self.assertEqual(self.lifecycle.done, done)

    def test_in_fatal_a_schedule_tries_and_in_stopped_it_does_not(self) -> None:
        for name, done in (("fatal", ["renew"]), ("stopped", []), ("backoff", [])):
            table = self.table("2024-03-04T06:29:50", schedule=WORKDAYS)
            self.lifecycle.state = state(name)
            self.time.advance(20)
            table.look()
            self.assertEqual(self.lifecycle.done, done, name)

    def test_a_point_that_was_slept_through_is_made_up_once(self) -> None:
        for slept, done in ((45 * 60, ["renew"]), (2 * 3600, []), (7 * 3600, ["renew"])):
            with self.subTest(slept=slept):
                table = self.table("2024-03-04T06:31", schedule=WORKDAYS)
                self.lifecycle.state = state("running")
                table.look()
                self.time.offset += at("2024-03-04T08:20") - at("2024-03-04T06:31")
                table.look()
                self.time.offset += slept
                for _ in range(10):
                    table.look()
                    self.time.advance(30)
                self.assertEqual(self.lifecycle.done, done)

    def test_several_points_that_were_missed_are_made_up_at_once(self) -> None:
        table = self.table("2024-03-04T08:00", schedule=("*/10 * * * *",))
        self.lifecycle.state = state("running")
        table.look()
        self.time.offset += 3000
        table.look()
        table.look()
        self.assertEqual(self.lifecycle.done, ["renew"])

    def test_it_says_so(self) -> None:
        table = self.table("2024-03-04T08:20", schedule=WORKDAYS)
        self.lifecycle.state = state("running")
        self.time.offset += 1800
        table.look()
        self.assertEqual(self.lifecycle.reasons, ["scheduled for 08:40, which was missed"])

    def test_a_clock_that_is_set_back_repeats_nothing(self) -> None:
        table = self.table("2024-03-04T08:39", schedule=WORKDAYS, sessions=("06:00-23:00",))
        self.lifecycle.state = state("running")
        self.pass_until(table, "2024-03-04T08:41")
        self.time.offset -= 3600
        table.look()
        self.pass_until(table, "2024-03-04T08:45")
        self.assertEqual(self.lifecycle.done, ["renew"])

    def test_a_clock_that_was_years_ahead_is_forgotten(self) -> None:
        table = self.table("2030-03-04T08:00", schedule=WORKDAYS)
        self.lifecycle.state = state("running")
        table.look()
        self.time.offset = at("2024-03-04T08:38") - self.time.seconds()
        table.look()
        self.pass_until(table, "2024-03-04T08:41")
        self.assertEqual(self.lifecycle.done, ["renew"])

    def test_a_point_without_a_gateway_is_made_up_by_its_start(self) -> None:
        for down, made_up in (
            (("08:30", "08:50"), True),
            (("08:30", "10:00"), False),
            (("08:41", "08:50"), False),
        ):
            with self.subTest(down=down):
                memory = SimpleNamespace(scheduled=None)
                memory.keep_scheduled = lambda point, m=memory: setattr(m, "scheduled", point)
                begin, end = (f"2024-03-04T{time}" for time in down)
                before = self.table("2024-03-04T06:00", memory, schedule=WORKDAYS)
                before.begin()
                self.lifecycle.state = state("running")
                self.pass_until(before, begin)
                said: list[str] = []
                self.patch(
                    timetable,
                    "_log",
                    SimpleNamespace(info=lambda text, said=said, **_: said.append(text)),
                )
                after = self.table(end, memory, schedule=WORKDAYS)
                after.begin()
                self.pass_until(after, "2024-03-04T11:00")
                self.assertEqual(self.lifecycle.done, ["begin"])
                self.assertEqual(bool(said), made_up)

    def test_machines_start_no_worker_while_no_session_is_open(self) -> None:
        table = self.table("2024-03-04T08:00", sessions=("Mon-Fri 08:30-13:50",))
        self.assertEqual(table.hold().seconds, 1800)
        self.assertIsNone(table.hold(person=True))
        self.time.advance(1800)
        self.assertIsNone(table.hold())

    def test_the_worker_is_up_in_the_sessions_alone(self) -> None:
        table = self.table("2024-03-04T08:00", sessions=("Mon-Fri 08:30-13:50",))
        table.begin()
        self.assertEqual(self.lifecycle.done, [])
        self.pass_until(table, "2024-03-04T08:30")
        self.assertEqual(self.lifecycle.done, ["begin"])
        self.pass_until(table, "2024-03-06T00:00")
        self.assertEqual(self.lifecycle.done, ["begin", "stop", "begin", "stop"])

    def test_what_a_person_stopped_stays_stopped(self) -> None:
        table = self.table("2024-03-04T09:00", sessions=("Mon-Fri 08:30-13:50",))
        table.begin()
        self.lifecycle.state = state("stopped")
        self.pass_until(table, "2024-03-05T09:00")
        self.assertEqual(self.lifecycle.done, ["begin"])

    def test_what_a_person_started_runs_to_the_end_of_the_next_session(self) -> None:
        table = self.table("2024-03-04T07:00", sessions=("Mon-Fri 08:30-13:50",))
        table.begin()
        self.lifecycle.state = state("running")
        self.pass_until(table, "2024-03-04T13:49")
        self.assertEqual(self.lifecycle.done, [])
        self.pass_until(table, "2024-03-04T13:51")
        self.assertEqual(self.lifecycle.done, ["stop"])
        self.pass_until(table, "2024-03-05T08:31")
        self.assertEqual(self.lifecycle.done, ["stop", "begin"])

    def test_status_tells_what_comes(self) -> None:
        table = self.table("2024-03-04T08:00", schedule=WORKDAYS, sessions=("Mon-Fri 08:30-13:50",))
        self.assertEqual(
            table.status(),
            {
                "nextRestart": "2024-03-04T00:40:00.000Z",
                "restarts": [
                    "2024-03-03T22:30:00.000Z",
                    "2024-03-04T00:40:00.000Z",
                    "2024-03-04T06:55:00.000Z",
                ],
                "inSession": False,
                "nextSession": "2024-03-04T00:30:00.000Z",
            },
        )
        self.assertEqual(
            self.table("2024-03-04T08:00").status(),
            {"nextRestart": None, "restarts": [], "inSession": True, "nextSession": None},
        )

    def test_nonsense_is_refused(self) -> None:
        for changes in ({"schedule": ("x",)}, {"sessions": ("x",)}, {"timezone": "x"}):
            self.assertRaises(ValueError, self.table, "2024-03-04T08:00", **changes)
