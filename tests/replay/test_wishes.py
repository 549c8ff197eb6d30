"""What a replay can be asked for, and how it is understood."""

import math
from datetime import datetime

from twisted.trial.unittest import SynchronousTestCase

from gateway.common.fields import FieldError
from gateway.market.hours import TAIPEI
from gateway.replay.wishes import Place, Wish, read_speed, speed_text


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=TAIPEI).timestamp()


class SpeedTests(SynchronousTestCase):
    def test_a_number_or_max(self) -> None:
        for text, speed in (("1", 1), ("0", 0), ("0.5", 0.5), (10, 10), ("max", math.inf)):
            self.assertEqual(read_speed(text), speed)

    def test_anything_else_is_refused_with_what_to_write(self) -> None:
        for text in ("", "fast", "-1", "10001", "1e3", "nan", "inf", "1_0", "１"):
            with self.assertRaisesRegex(ValueError, "write a number from 0 to 10000, or max"):
                read_speed(text)

    def test_it_is_told_as_it_is_given(self) -> None:
        for text in ("max", 1, 0.5, 10):
            self.assertEqual(speed_text(read_speed(text)), text)


class PlaceTests(SynchronousTestCase):
    def test_a_time_of_the_clock_is_in_the_recordings_part_of_the_trading_day(self) -> None:
        for begins, text, found in (
            ("2026-11-30T08:30:05", "09:00", "2026-11-30T09:00"),
            ("2026-11-30T08:30:05", "08:00", "2026-11-30T08:00"),  # before its first event
            ("2026-11-30T14:45:01", "22:00:30", "2026-11-30T22:00:30"),
            ("2026-11-30T14:45:01", "01:00", "2026-12-01T01:00"),
            ("2026-11-30T14:45:01", "09:00", "2026-12-01T09:00"),  # of the day behind the night
            ("2026-12-01T01:00:00", "23:00", "2026-11-30T23:00"),
            ("2026-12-01T01:00:00", "02:00", "2026-12-01T02:00"),
        ):
            self.assertEqual(Place.read(text).after(at(begins)), at(found), (begins, text))

    def test_a_date_is_what_it_is(self) -> None:
        begins = at("2026-11-30T08:30")
        self.assertEqual(Place.read("2026-12-04T10:00").after(begins), at("2026-12-04T10:00"))
        self.assertEqual(Place.read("2026-12-04T02:00Z").after(begins), at("2026-12-04T10:00"))

    def test_anything_else_is_refused_with_what_to_write(self) -> None:
        for text in (
            "",
            "9",
            "24:00",
            "09:60",
            "noon",
            "2026-13-01T09:00",
            "9999-12-31T23:59-12:00",
        ):
            with self.assertRaisesRegex(ValueError, "write 09:00 or"):
                Place.read(text)


class WishTests(SynchronousTestCase):
    def test_json_and_forms_are_understood_alike(self) -> None:
        self.assertEqual(Wish.validated({"paused": True}), Wish(paused=True))
        self.assertEqual(Wish.validated({"paused": "false"}), Wish(paused=False))
        for speed in (10, "10", "max"):
            self.assertEqual(read_speed(Wish.validated({"speed": speed}).speed), read_speed(speed))
        self.assertEqual(Wish.validated({"to": "09:00", "other": 1}), Wish(to="09:00"))

    def test_what_makes_no_sense_is_refused_by_its_name(self) -> None:
        for fields, name in (
            ({"speed": "fast"}, "speed"),
            ({"speed": -1}, "speed"),
            ({"speed": []}, "speed"),
            ({"to": "25:00"}, "to"),
            ({"to": 9}, "to"),
            ({"paused": "perhaps"}, "paused"),
            ({}, "paused"),
        ):
            with self.assertRaises(FieldError) as caught:
                Wish.validated(fields)
            self.assertEqual(caught.exception.field, name, fields)
