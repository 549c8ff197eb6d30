"""The script of faults: what it may say, and when that is."""

from datetime import datetime

from twisted.trial.unittest import SynchronousTestCase

from gateway.market.hours import TAIPEI
from gateway.rehearsal.script import Fault, parse


class ParseTests(SynchronousTestCase):
    def test_each_kind(self) -> None:
        text = (
            "09:05 session-down; 9:10 login 451; 09:20:30 login 503; 10:00 segfault;"
            " 10:05 hang 30; 10:10 silence 120; 10:30 token-expired;"
        )
        faults = parse(text)
        self.assertEqual(len(faults), 7)
        self.assertEqual(faults[2], Fault("09:20:30", "login", 503))
        self.assertEqual("; ".join(map(str, faults)) + ";", text)
        self.assertEqual(parse(" ; "), ())

    def test_what_is_wrong_is_said(self) -> None:
        for text, why in (
            ("25:00 segfault", "'25:00 segfault' is no fault"),
            ("09:05", "is no fault"),
            ("09:05 explode", "session-down, login, segfault"),
            ("09:05 login", "wants 451 or 503"),
            ("09:05 login 404", "wants 451 or 503"),
            ("09:05 hang", "wants seconds"),
            ("09:05 hang -1", "wants seconds"),
            ("09:05 segfault 3", "nothing may follow segfault"),
            ("09:05 hang 3 4", "is no fault"),
            ("9:00 segfault;" * 1001, "at most 1000"),
        ):
            self.assertIn(why, str(self.assertRaises(ValueError, parse, text)))

    def test_a_time_is_the_first_one_from_the_beginning_on(self) -> None:
        begin = datetime(2026, 11, 30, 14, 59, 59, 500000, TAIPEI).timestamp()
        for clock, at in (
            ("15:00", datetime(2026, 11, 30, 15, 0, 0, 0, TAIPEI)),
            ("14:59:59", datetime(2026, 11, 30, 14, 59, 59, 0, TAIPEI)),
            ("03:00", datetime(2026, 12, 1, 3, 0, 0, 0, TAIPEI)),
        ):
            self.assertEqual(Fault(clock, "segfault").at(begin), at.timestamp())
