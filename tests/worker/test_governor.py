"""The broker governor."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.worker.classify import AUTHENTICATION, BAN, TOO_MANY
from gateway.worker.governor import Governor
from gateway.worker.ledger import Ledger

from .fakes import MONDAY, Time, settings


class GovernorTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.time = Time()
        self.folder = Path(self.mktemp())

    def governor(self, **changes: object) -> Governor:
        return Governor(
            settings(**changes),
            Ledger(self.folder, self.fail),
            clock=self.time.seconds,
            wall=self.time.wall,
        )

    def test_the_budget_is_for_machines(self) -> None:
        governor = self.governor(budget=2)
        governor.started()
        self.assertIsNone(governor.hold())
        governor.started()
        self.assertEqual(governor.hold().seconds, 24 * 3600)
        self.assertIn("budget of 2", governor.hold().reason)
        self.assertIsNone(governor.hold(person=True))
        self.time.advance(24 * 3600)
        self.assertIsNone(governor.hold())
        self.assertEqual(governor.budget()["used"], 0)

    def test_the_demonstration_costs_nothing(self) -> None:
        governor = self.governor(budget=0, demo=True)
        governor.started()
        self.assertEqual((governor.used, governor.hold()), (0, None))

    def test_the_budget_is_told(self) -> None:
        governor = self.governor(budget=5)
        governor.started()
        self.assertEqual(
            governor.budget(), {"day": "2024-03-04", "used": 1, "limit": 5, "remaining": 4}
        )

    def test_451_and_503_impose_pauses_that_grow_to_a_bound(self) -> None:
        for cause in (BAN, TOO_MANY):
            governor = self.governor(pause_max=300.0)
            pauses = []
            for generation in range(1, 6):
                self.assertTrue(governor.notice(cause, generation))
                pauses.append(governor.hold(person=True).seconds)
                self.time.advance(pauses[-1])
                self.assertIsNone(governor.hold())
            self.assertEqual(pauses, [60, 120, 240, 300, 300])
            governor.calm()

    def test_one_generation_says_it_often_and_it_grows_once(self) -> None:
        governor = self.governor()
        governor.notice(BAN, 1)
        self.time.advance(50)
        governor.notice(BAN, 1)
        self.assertEqual(governor.hold().seconds, 60)

    def test_who_is_told_again_without_waiting_is_known(self) -> None:
        governor = self.governor()
        words = []
        for pause in (0, 0.5, 1, 1, 30, 61):
            self.time.advance(pause)
            words.append(governor.notice(BAN, 1))
        self.assertEqual(words, [1, 1, 2, 3, 4, 1])
        self.assertEqual(governor.notice(BAN, 2), 1)

    def test_a_flood_is_written_when_the_pause_moves(self) -> None:
        governor = self.governor()
        written: list[object] = []
        self.patch(governor._ledger, "_save", lambda: written.append(None))
        for _ in range(1000):
            governor.notice(BAN, 1)
        self.assertEqual(len(written), 1)
        self.time.advance(1)
        governor.notice(BAN, 1)
        self.assertEqual(len(written), 2)

    def test_other_failures_impose_nothing(self) -> None:
        governor = self.governor()
        self.assertFalse(governor.notice(AUTHENTICATION, 1))
        self.assertIsNone(governor.hold())

    def test_force_overrides_a_pause_and_a_person_alone_does_not(self) -> None:
        governor = self.governor()
        governor.notice(BAN, 1)
        self.assertIsNotNone(governor.hold(person=True))
        self.assertIsNone(governor.hold(person=True, force=True))

    def test_calm_makes_the_next_pause_short(self) -> None:
        governor = self.governor()
        for generation in (1, 2):
            governor.notice(BAN, generation)
        self.time.advance(1000)
        governor.calm()
        governor.notice(BAN, 3)
        self.assertEqual(governor.hold().seconds, 60)

    def test_a_pause_outlives_the_gateway(self) -> None:
        self.governor().notice(BAN, 1)
        self.time.advance(20)
        governor = self.governor()
        self.assertEqual(governor.hold().seconds, 40)
        governor.notice(BAN, 1)
        self.assertEqual(governor.hold().seconds, 120)

    def test_a_clock_that_jumps_an_hour_changes_nothing(self) -> None:
        for jump in (3600, -3600):
            governor = self.governor()
            governor.notice(BAN, 1)
            left = governor.hold().seconds
            self.time.offset += jump
            self.assertEqual(governor.hold().seconds, left)
            self.time.advance(left)
            self.assertIsNone(governor.hold())
            governor.calm()
            self.time.offset = MONDAY

    def test_a_clock_that_was_set_while_the_gateway_was_down_bounds_the_pause(self) -> None:
        self.governor().notice(BAN, 1)
        self.time.offset -= 365 * 24 * 3600
        self.assertEqual(self.governor().hold().seconds, 600)
