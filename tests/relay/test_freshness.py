"""Ages, rates, and feeds that go silent."""

from __future__ import annotations

from datetime import datetime, timedelta

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.deadlines import Deadlines
from gateway.relay.freshness import MAX_CODES, OTHER, Freshness
from gateway.relay.sessions import TAIPEI, Calendar, market_of


def taipei(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=TAIPEI)


class FreshnessTests(SynchronousTestCase):
    def start(self, at: str) -> None:
        self.clock = Clock()
        self.clock.rightNow = taipei(at).timestamp()
        self.deadlines = Deadlines(self.clock.seconds)
        self.changes: list[tuple[str, str, bool]] = []
        self.freshness = Freshness(self.deadlines, self.clock.seconds, self.changed)

    def changed(self, market: str, reason: str) -> None:
        now = datetime.fromtimestamp(self.clock.seconds(), TAIPEI)
        self.changes.append((f"{now:%a %H:%M}", market, bool(reason)))

    def run_until(self, at: str, *codes: str, every: float = 10) -> None:
        """Go to `at`, with a tick of each code `every` so many seconds."""
        end = taipei(at).timestamp()
        while self.clock.seconds() < end:
            for code in codes:
                self.freshness.hear("market_tick", code)
            self.clock.advance(min(every, end - self.clock.seconds()))
            self.deadlines.advance()

    def test_a_feed_that_dies_in_the_day_session_is_told_once_and_its_recovery_once(self) -> None:
        self.start("2026-11-23 08:40")
        self.run_until("2026-11-23 10:00", "TXFL6", "2330")
        self.run_until("2026-11-23 10:30", "2330")
        self.run_until("2026-11-23 11:00", "TXFL6", "2330")
        self.assertEqual(
            self.changes, [("Mon 10:00", "futures", True), ("Mon 10:30", "futures", False)]
        )

    def test_a_name_as_long_as_a_book_is_not_kept(self) -> None:
        self.start("2026-11-23 08:40")
        self.freshness.hear("x" * 101, "2" * 101)
        status = self.freshness.status()
        self.assertEqual((list(status["events"]), list(status["codes"])), ([OTHER], [OTHER]))

    def test_without_the_worker_quotes_are_stale_of_which_there_were_only_snapshots(self) -> None:
        self.start("2026-11-23 08:00")
        self.freshness.hear("market_snapshot", "2330")
        self.run_until("2026-11-23 09:30")
        self.assertEqual(self.changes, [], "no tick was heard: it may be a holiday")
        self.freshness.worker_gone()
        self.freshness.worker_gone()
        self.freshness.hear("market_snapshot", "2330")
        self.assertEqual(self.changes, [("Mon 09:30", "stocks", True)])
        self.freshness.hear("market_tick", "2330")
        self.assertEqual(self.changes[1:], [("Mon 09:30", "stocks", False)])

    def test_silence_after_the_close_is_no_fault(self) -> None:
        self.start("2026-11-23 08:40")
        self.run_until("2026-11-23 13:30", "2330", "TXFL6")
        self.run_until("2026-11-23 13:45", "TXFL6")
        self.run_until("2026-11-23 15:00")
        self.assertEqual(self.changes, [])

    def test_a_feed_that_dies_in_the_night_session_after_midnight_is_stale(self) -> None:
        self.start("2026-11-27 15:00")
        self.run_until("2026-11-28 02:00", "TXFL6")
        self.run_until("2026-11-28 06:00")
        self.assertEqual(self.changes, [("Sat 02:00", "futures", True)])

    def test_a_weekend_is_silent_without_a_word(self) -> None:
        self.start("2026-11-28 04:00")
        self.run_until("2026-11-28 05:00", "TXFL6")
        self.run_until("2026-11-30 08:45", every=60)
        self.assertEqual(self.changes, [])

    def test_a_session_in_which_nothing_is_heard_is_a_holiday(self) -> None:
        self.start("2026-12-24 13:00")
        self.run_until("2026-12-24 13:45", "TXFL6", "2330")
        self.run_until("2026-12-25 23:00", every=60)
        self.assertEqual(self.changes, [])

    def test_a_dead_worker_makes_every_feed_stale_whatever_the_hour(self) -> None:
        self.start("2026-11-23 14:00")
        self.freshness.hear("market_tick", "TXFL6")
        self.freshness.worker_gone()
        self.freshness.worker_gone()
        self.assertEqual(self.freshness.status()["stale"], ["futures"])
        self.freshness.hear("market_bidask", "TXFL6")
        self.assertEqual([stale for _, _, stale in self.changes], [True, False])

    def test_other_events_with_a_code_do_not_revive_a_feed(self) -> None:
        self.start("2026-11-23 10:00")
        self.freshness.hear("market_tick", "TXFL6")
        self.freshness.worker_gone()
        self.freshness.hear("market_snapshot", "TXFL6")
        self.assertEqual(self.freshness.status()["stale"], ["futures"])

    def test_tells_age_rate_and_count_by_name_and_code(self) -> None:
        self.start("2026-11-23 10:00")
        self.run_until("2026-11-23 10:05", "TXFL6", every=0.5)
        self.clock.advance(3)
        status = self.freshness.status()
        tick = status["events"]["market_tick"]
        self.assertEqual((tick["age"], tick["count"]), (3.5, 600))
        self.assertAlmostEqual(tick["rate"], 2.0, places=1)
        self.assertEqual(status["codes"]["TXFL6"]["count"], 600)

    def test_names_and_codes_from_outside_are_bounded(self) -> None:
        self.start("2026-11-23 10:00")
        for number in range(MAX_CODES + 500):
            self.freshness.hear(f"event{number}", f"code{number}")
        status = self.freshness.status()
        self.assertEqual(len(status["codes"]), MAX_CODES + 1)
        self.assertEqual(status["codes"]["other"]["count"], 500)


class SessionsTests(SynchronousTestCase):
    def test_knows_the_sessions_of_a_week(self) -> None:
        day, night = "2026-11-23 08:45", "2026-11-23 15:00"
        cases = {
            ("futures", "2026-11-23 08:44"): None,
            ("futures", day): day,
            ("futures", "2026-11-23 13:44"): day,
            ("futures", "2026-11-23 13:45"): None,
            ("futures", night): night,
            ("futures", "2026-11-24 04:59"): night,
            ("futures", "2026-11-24 05:00"): None,
            ("futures", "2026-11-23 02:00"): None,
            ("futures", "2026-11-28 02:00"): "2026-11-27 15:00",
            ("futures", "2026-11-29 10:00"): None,
            ("stocks", "2026-11-23 08:59"): None,
            ("stocks", "2026-11-23 13:29"): "2026-11-23 09:00",
            ("stocks", "2026-11-23 13:30"): None,
        }
        for (market, now), opened in cases.items():
            expected = taipei(opened) if opened else None
            session = Calendar().session(market, taipei(now))
            self.assertEqual(session and session.opens, expected, (market, now))

    def test_any_time_zone_will_do(self) -> None:
        utc = taipei("2026-11-23 10:00") - timedelta(0)
        self.assertIsNotNone(Calendar().session("stocks", utc.astimezone()))

    def test_tells_the_market_by_the_code(self) -> None:
        markets = {"TXFL6": "futures", "TXO23000L6": "futures", "2330": "stocks", "00878": "stocks"}
        self.assertEqual({code: market_of(code) for code in markets}, markets)
