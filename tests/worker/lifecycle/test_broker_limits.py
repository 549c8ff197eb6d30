"""The broker limits."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.worker.lifecycle.broker_limits import BrokerLimits
from gateway.worker.lifecycle.classification import AUTHENTICATION, BAN, TOO_MANY
from gateway.worker.lifecycle.ledger import Ledger
from gateway.worker.supervisor import Supervisor

from ..fakes import MONDAY, Time, settings


class BrokerLimitsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.time = Time()
        self.folder = Path(self.mktemp())

    def limits(self, **changes: object) -> BrokerLimits:
        self.ledger = Ledger(self.folder, self.fail)
        limits = BrokerLimits(
            settings(**changes),
            self.ledger,
            clock=self.time.seconds,
            wall=self.time.wall,
        )
        limits.begin()
        return limits

    def test_the_budget_is_for_machines(self) -> None:
        limits = self.limits(budget=2)
        limits.started()
        self.assertIsNone(limits.hold())
        limits.started()
        self.assertEqual(limits.hold().seconds, 24 * 3600)
        self.assertIn("budget of 2", limits.hold().reason)
        self.assertIsNone(limits.hold(person=True))
        self.time.advance(24 * 3600)
        self.assertIsNone(limits.hold())
        self.assertEqual(limits.budget()["used"], 0)

    def test_a_start_is_told_to_be_counted_when_it_is_in_the_file(self) -> None:
        written: list[str] = []
        limits = self.limits()
        self.folder.write_text("no folder")
        self.ledger._alert = written.append
        limits.started(lambda: written.append("counted"))
        self.assertEqual(len(written), 1, "it is in memory alone")
        self.folder.unlink()
        limits.started(lambda: written.append("counted"))
        self.assertEqual(written[1:], ["counted"])
        self.assertEqual(limits.used, 2)

    def test_what_is_not_the_market_costs_nothing(self) -> None:
        for mark in ("demo", "replay", "rehearsal"):
            limits = self.limits(budget=0, mark=mark)
            limits.started()
            self.assertEqual((limits.used, limits.hold()), (0, None))

    def test_a_pause_of_a_rehearsal_holds_it_and_is_not_kept_for_the_real_day(self) -> None:
        limits = self.limits(mark="rehearsal")
        limits.record_error(BAN, 1)
        self.assertIsNotNone(limits.hold())
        self.assertEqual(self.ledger.pause[0], 0)
        limits = self.limits()
        self.assertIsNone(limits.hold())
        limits.record_error(BAN, 1)
        self.assertIsNone(self.limits(mark="replay").hold())
        self.assertIsNotNone(self.limits().hold())

    def test_the_budget_is_told(self) -> None:
        limits = self.limits(budget=5)
        limits.started()
        limits.adopted()
        self.assertEqual(
            limits.budget(),
            {"day": "2024-03-04", "used": 1, "limit": 5, "remaining": 4, "saved": 1},
        )

    def test_451_and_503_impose_pauses_that_grow_to_a_bound(self) -> None:
        for cause in (BAN, TOO_MANY):
            limits = self.limits(pause_max=300.0)
            pauses = []
            for generation in range(1, 6):
                self.assertTrue(limits.record_error(cause, generation))
                pauses.append(limits.hold(person=True).seconds)
                self.time.advance(pauses[-1])
                self.assertIsNone(limits.hold())
            self.assertEqual(pauses, [60, 120, 240, 300, 300])
            limits.reset_pause()

    def test_one_generation_says_it_often_and_it_grows_once(self) -> None:
        limits = self.limits()
        limits.record_error(BAN, 1)
        self.time.advance(50)
        limits.record_error(BAN, 1)
        self.assertEqual(limits.hold().seconds, 60)

    def test_who_is_told_again_without_waiting_is_known(self) -> None:
        limits = self.limits()
        words = []
        for pause in (0, 0.5, 1, 1, 30, 61):
            self.time.advance(pause)
            words.append(limits.record_error(BAN, 1))
        self.assertEqual(words, [1, 1, 2, 3, 4, 1])
        self.assertEqual(limits.record_error(BAN, 2), 1)

    def test_a_flood_is_written_when_the_pause_moves(self) -> None:
        limits = self.limits()
        written: list[object] = []
        keep = self.ledger.keep_pause
        self.patch(self.ledger, "keep_pause", lambda *pause: written.append(keep(*pause)))
        for _ in range(1000):
            limits.record_error(BAN, 1)
        self.assertEqual(len(written), 1)
        self.time.advance(1)
        limits.record_error(BAN, 1)
        self.assertEqual(len(written), 2)

    def test_other_failures_impose_nothing(self) -> None:
        limits = self.limits()
        self.assertFalse(limits.record_error(AUTHENTICATION, 1))
        self.assertIsNone(limits.hold())

    def test_force_overrides_a_pause_and_a_person_alone_does_not(self) -> None:
        limits = self.limits()
        limits.record_error(BAN, 1)
        self.assertIsNotNone(limits.hold(person=True))
        self.assertIsNone(limits.hold(person=True, force=True))

    def test_a_reset_makes_the_next_pause_short(self) -> None:
        limits = self.limits()
        for generation in (1, 2):
            limits.record_error(BAN, generation)
        self.time.advance(1000)
        limits.reset_pause()
        limits.record_error(BAN, 3)
        self.assertEqual(limits.hold().seconds, 60)

    def test_a_pause_outlives_the_gateway(self) -> None:
        self.limits().record_error(BAN, 1)
        self.time.advance(20)
        limits = self.limits()
        self.assertEqual(limits.hold().seconds, 40)
        limits.record_error(BAN, 1)
        self.assertEqual(limits.hold().seconds, 120)

    def test_a_pause_of_the_gateway_before_is_told_by_the_clock_of_the_start(self) -> None:
        """A process makes its supervisor first, and then chooses its clock."""
        self.limits().record_error(BAN, 1)
        time = Time(MONDAY - 1e9)
        time.advance(1e9)
        told = settings(state_dir=self.folder, main=Path("none"))
        supervisor = Supervisor(time, told, lambda *_: None, wall=time.wall)
        time.rightNow, time.offset = 5.0, MONDAY - 5.0
        supervisor.start()
        self.assertEqual(supervisor.status()["pausedFor"], 60)
        self.successResultOf(supervisor.stop())

    def test_a_clock_that_jumps_an_hour_changes_nothing(self) -> None:
        for jump in (3600, -3600):
            limits = self.limits()
            limits.record_error(BAN, 1)
            left = limits.hold().seconds
            self.time.offset += jump
            self.assertEqual(limits.hold().seconds, left)
            self.time.advance(left)
            self.assertIsNone(limits.hold())
            limits.reset_pause()
            self.time.offset = MONDAY

    def test_a_clock_that_was_set_while_the_gateway_was_down_bounds_the_pause(self) -> None:
        self.limits().record_error(BAN, 1)
        self.time.offset -= 365 * 24 * 3600
        self.assertEqual(self.limits().hold().seconds, 600)
