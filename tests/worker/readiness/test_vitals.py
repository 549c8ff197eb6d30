"""Signs of life."""

from __future__ import annotations

import json

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.worker.readiness.vitals import Vitals
from tests.worker.fakes import Time, settings


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

    def test_one_connection_of_several_may_end_in_any_order(self) -> None:
        vitals = self.vitals()
        vitals.heard("shioaji_ready", {}, "main")
        for name in ("short", "other"):
            vitals.heard("python_status", {}, name)
        vitals.gone("short")
        vitals.gone("an old worker's")
        self.assertTrue(vitals.ready)
        vitals.gone("main")
        self.assertTrue(vitals.ready)
        vitals.gone("other")
        self.assertFalse(vitals.ready)

    def test_any_event_is_a_sign_of_life(self) -> None:
        vitals = self.vitals(watchdog=3)
        vitals.heard("shioaji_ready")
        vitals.heard("heartbeat")
        for _ in range(30):
            self.time.advance(29)
            self.assertTrue(vitals.ready)
            vitals.heard("iv_indicator")
        self.assertFalse(vitals.hung)
        self.time.advance(31)
        self.assertEqual((vitals.ready, vitals.hung), (False, True))

    def test_a_worker_without_heartbeats_may_be_as_silent_as_its_market(self) -> None:
        vitals = self.vitals(watchdog=3)
        vitals.heard("market_tick")
        self.time.advance(31)
        vitals.heard("shioaji_ready", {}, 1)
        self.time.advance(10 * 3600)
        self.assertEqual((vitals.ready, vitals.hung), (True, False))
        vitals.gone(1)
        vitals.gone()
        self.assertFalse(vitals.ready, "its connections tell")

    def test_a_worker_that_says_nothing_more_is_late_unless_the_market_is_closed(self) -> None:
        vitals = self.vitals(watchdog=3)
        trading = Vitals(settings(), self.time.seconds, lambda: self.time.seconds() > 100)
        for each in (vitals, trading):
            for name in ("market_contract", "shioaji_ready", "contracts_loaded", "python_status"):
                each.heard(name, {})
        self.time.advance(31)
        self.assertEqual((vitals.ready, trading.ready), (False, True))
        self.time.advance(70)
        self.assertEqual((vitals.hung, trading.ready), (True, False))

    def test_without_the_broker_it_is_not_ready(self) -> None:
        vitals = self.vitals()
        self.assertEqual((vitals.broker, vitals.broker_for), (None, None))
        vitals.heard("heartbeat", {"shioaji_connected": False})
        vitals.heard("shioaji_ready")
        self.assertEqual((vitals.broker, vitals.ready), (True, True))
        self.time.advance(5)
        for _ in range(2):
            vitals.heard("heartbeat", {"shioaji_connected": False})
            self.time.advance(2)
        self.assertEqual((vitals.broker, vitals.broker_for, vitals.ready), (False, 4, False))
        for odd in (None, 0, "no", [], {}):
            vitals.heard("heartbeat", {"shioaji_connected": odd})
        vitals.heard("heartbeat", None)
        self.assertIs(vitals.broker, False, "only yes or no count")
        vitals.heard("heartbeat", {"shioaji_connected": True})
        self.assertEqual((vitals.broker_for, vitals.ready), (0, True))

    def test_of_two_processes_one_with_the_broker_is_enough(self) -> None:
        vitals = self.vitals()
        vitals.heard("shioaji_ready", {}, "main")

        def say(who: str, connected: bool) -> bool:
            vitals.heard("heartbeat", {"shioaji_connected": connected}, who)
            self.time.advance(5)
            return vitals.ready

        say("main", True)
        beats = [say("helper", False) and say("main", True) for _ in range(9)]
        self.assertEqual((beats, vitals.broker_for), ([True] * 9, 95))
        self.assertFalse(say("main", False) and say("helper", False))
        say("helper", True)
        self.assertTrue(say("main", False))
        vitals.gone("helper")
        self.assertFalse(say("main", False), "the word of who is gone does not count")

    def test_a_word_on_a_connection_that_was_left_open_gets_old(self) -> None:
        vitals = self.vitals()
        vitals.heard("shioaji_ready", {}, "old")
        vitals.heard("heartbeat", {"shioaji_connected": True}, "old")
        self.time.advance(31)
        vitals.heard("heartbeat", {"shioaji_connected": False}, "new")
        self.assertIs(vitals.broker, False)

    def test_who_sends_quotes_is_ready_whatever_it_calls_that(self) -> None:
        vitals = self.vitals(quotes=frozenset(("quote",)))
        for name in ("market_tick", "python_status", "ready"):
            vitals.heard(name, {"status": "ready"})
        self.assertFalse(vitals.ready)
        vitals.heard("quote", {"symbol": "2330"})
        self.time.advance(5)
        vitals.heard("quote", {"symbol": "2330"})
        self.assertEqual((vitals.ready, vitals.ready_for, vitals.broker), (True, 5, None))

    def test_it_says_when_it_waits_for_keys(self) -> None:
        vitals = self.vitals()
        vitals.heard("python_status", {"status": "no credentials"})
        self.assertTrue(vitals.lacks_keys)
        vitals.heard("heartbeat", {"shioaji_connected": False})
        self.assertTrue(vitals.lacks_keys)
        vitals.heard("python_status", {"status": "logging in"})
        self.assertFalse(vitals.lacks_keys)

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


class SuccessorTests(SynchronousTestCase):
    """What the next gateway knows of a worker that it takes over."""

    def test_facts_go_on_and_times_with_them(self) -> None:
        clock = Clock()
        first = Vitals(settings(), clock.seconds)
        for at, name, value in (
            (5.0, "shioaji_ready", {}),
            (1.0, "heartbeat", {"shioaji_connected": True}),
            (1.0, "market_tick", {}),
        ):
            clock.advance(at)
            first.heard(name, value, 1)
        clock.advance(3)
        later = Clock()
        later.advance(1000)
        second = Vitals(settings(), later.seconds)
        second.restore(json.loads(json.dumps(first.facts())), age=20.0)
        self.assertEqual((second.lived, second.ready_for), (20.0, 15.0))
        self.assertEqual(second.facts(), first.facts())
        self.assertEqual(second.lacking, "the worker has no connection")
        second.heard("market_tick", {}, 2)
        self.assertTrue(second.ready)

    def test_only_what_changes_the_facts_counts_as_a_change(self) -> None:
        vitals = Vitals(settings(), Clock().seconds)
        seen = [vitals.changes]
        for name in ("shioaji_ready", "heartbeat", "market_tick", "heartbeat", "market_tick"):
            vitals.heard(name, {}, 1)
            seen.append(vitals.changes)
        self.assertEqual(seen[-3:], [seen[-1]] * 3)
        self.assertEqual(len(set(seen)), 4)
