"""Signs of life."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.worker.vitals import Vitals

from .fakes import Time, settings


class VitalsTests(SynchronousTestCase):
    def vitals(self, **changes: object) -> Vitals:
        self.time = Time()
        return Vitals(settings(**changes), self.time.seconds)

    def test_ready_needs_the_word_a_connection_and_heartbeats(self) -> None:
        vitals = self.vitals()
        vitals.heard("heartbeat")
        self.assertFalse(vitals.ready)
        vitals.heard("shioaji_ready")
        self.assertTrue(vitals.ready)
        self.time.advance(30)
        self.assertTrue(vitals.ready)
        self.time.advance(1)
        self.assertFalse(vitals.ready)
        vitals.heard("heartbeat")
        self.assertTrue(vitals.ready)
        vitals.gone()
        self.assertFalse(vitals.ready)
        vitals.heard("market_tick")
        self.assertTrue(vitals.ready)

    def test_ready_since_the_first_word(self) -> None:
        vitals = self.vitals()
        self.assertIsNone(vitals.ready_for)
        self.assertFalse(vitals.was_ready)
        for _ in range(3):
            vitals.heard("shioaji_ready")
            self.time.advance(5)
        self.assertEqual((vitals.ready_for, vitals.lived, vitals.was_ready), (15, 15, True))

    def test_without_a_watchdog_nothing_is_hung(self) -> None:
        vitals = self.vitals()
        self.time.advance(10**6)
        self.assertFalse(vitals.hung)

    def test_a_worker_that_may_be_logging_in_is_not_hung(self) -> None:
        vitals = self.vitals(watchdog=3)
        self.time.advance(90)
        self.assertFalse(vitals.hung)
        self.time.advance(0.1)
        self.assertTrue(vitals.hung)

    def test_a_heartbeat_late_by_so_many_intervals_is_hung(self) -> None:
        vitals = self.vitals(watchdog=3)
        for _ in range(20):
            self.time.advance(10)
            vitals.heard("heartbeat")
        self.time.advance(30)
        self.assertFalse(vitals.hung)
        self.time.advance(0.1)
        self.assertTrue(vitals.hung)
        vitals.heard("heartbeat")
        self.assertFalse(vitals.hung)
