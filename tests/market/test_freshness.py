"""Ages, rates, and feeds that go silent."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.common.shares import OTHER
from gateway.engineio.deadlines import Deadlines
from gateway.market.freshness import CLOSED, DROPPED, GONE, MAX_CODES, SILENT, Freshness
from gateway.market.hours import TAIPEI, Calendar, market_of


def taipei(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=TAIPEI)


class FreshnessTests(SynchronousTestCase):
    def start(self, at: str) -> None:
        self.clock = Clock()
        self.clock.rightNow = taipei(at).timestamp()
        self.deadlines = Deadlines(self.clock.seconds)
        self.changes: list[tuple[str, str, bool]] = []
        calendar = Calendar(self.holidays if self.holidays.exists() else None)
        self.reasons: list[str] = []
        self.freshness = Freshness(
            self.deadlines, self.clock.seconds, self.changed, calendar=calendar
        )

    def setUp(self) -> None:
        self.holidays = Path(self.mktemp())

    fails_for = ""
    """The market of which nothing can be told."""

    def changed(self, market: str, reason: str) -> None:
        self.reasons.append(reason)
        now = datetime.fromtimestamp(self.clock.seconds(), TAIPEI)
        self.changes.append((f"{now:%a %H:%M}", market, bool(reason)))
        if market == self.fails_for:
            raise RuntimeError("as asked")

    def run_until(self, at: str, *codes: str, every: float = 10) -> None:
        """Go to `at`, with a tick of each code `every` so many seconds."""
        end = taipei(at).timestamp()
        while self.clock.seconds() < end:
            for code in codes:
                self.freshness.hear("market_tick", code)
            self.clock.advance(min(every, end - self.clock.seconds()))
            self.deadlines.advance()

    def test_an_error_about_one_market_does_not_hide_the_other(self) -> None:
        self.start("2026-11-23 10:00")
        self.run_until("2026-11-23 10:05", "TXFL6", "2330")
        self.fails_for = "futures"
        self.run_until("2026-11-23 10:10")
        self.assertEqual({market for _, market, _ in self.changes}, {"futures", "stocks"})
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

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

    def test_no_tick_from_the_open_on_is_stale_after_the_threshold_until_the_close(self) -> None:
        self.start("2026-11-23 08:00")
        for code in ("2330", "TXFL6"):
            self.freshness.hear("market_snapshot", code)
        self.run_until("2026-11-23 08:45")
        self.assertEqual(self.changes, [])
        self.run_until("2026-11-23 09:30")
        told = [("Mon 08:46", "futures", True), ("Mon 09:01", "stocks", True)]
        self.assertEqual(self.changes, told)
        self.assertEqual(self.freshness.stale, {"futures", "stocks"})
        self.run_until("2026-11-23 14:00")
        self.assertEqual(self.reasons[2:], [CLOSED, CLOSED])
        self.assertEqual(self.freshness.stale, set(), "the market is closed")

    def test_nothing_is_expected_of_a_market_that_was_never_told_of(self) -> None:
        self.start("2026-11-23 08:00")
        self.run_until("2026-11-23 12:00", "2330")
        self.assertEqual(self.changes, [])

    def test_without_the_worker_quotes_are_stale_of_which_there_were_only_snapshots(self) -> None:
        self.start("2026-11-23 08:00")
        self.freshness.hear("market_snapshot", "2330")
        self.freshness.worker_gone()
        self.freshness.worker_gone()
        self.freshness.hear("market_snapshot", "2330")
        self.assertEqual(self.changes, [("Mon 08:00", "stocks", True)])
        self.freshness.hear("market_tick", "2330")
        self.assertEqual(self.changes[1:], [("Mon 08:00", "stocks", False)])

    def test_the_next_worker_may_be_silent_too(self) -> None:
        self.start("2026-11-23 10:00")
        self.freshness.hear("market_tick", "TXFL6")
        self.freshness.worker_gone()
        self.run_until("2026-11-23 10:10")
        self.assertEqual(self.reasons, [GONE], "the worker is gone, and people know")
        self.freshness.hear("heartbeat", None)
        self.run_until("2026-11-23 10:20")
        self.assertEqual(self.reasons, [GONE, SILENT])

    def restart(self) -> None:
        self.freshness.worker_gone()
        self.freshness.hear("heartbeat", None)

    def test_a_market_that_the_next_worker_never_tells_of_is_expected_for_one_session(self) -> None:
        self.start("2026-11-23 08:00")
        self.run_until("2026-11-23 13:30", "2330", "TXFL6")
        self.run_until("2026-11-23 14:55", "TXFL6")
        self.restart()
        self.run_until("2026-11-24 06:00")
        told = [(when, market) for when, market, _ in self.changes[4:]]
        self.assertEqual(told, [("Mon 15:01", "futures"), ("Tue 05:00", "futures")])
        self.assertEqual(self.reasons[4:], [SILENT, CLOSED])
        self.run_until("2026-11-24 13:30", "2330")
        self.run_until("2026-11-24 16:00")
        self.assertEqual(self.reasons[6:], [], "it was given other codes")

    def test_a_session_without_any_worker_tells_nothing_of_the_next_ones_codes(self) -> None:
        self.start("2026-11-23 13:00")
        self.run_until("2026-11-23 13:40", "TXFL6")
        self.freshness.worker_gone()
        self.run_until("2026-11-24 08:40", every=60)
        self.freshness.hear("heartbeat", None)
        self.run_until("2026-11-24 09:00")
        self.assertEqual(self.reasons[-2:], [CLOSED, SILENT])

    def test_a_worker_that_lists_its_contracts_says_what_is_expected(self) -> None:
        self.start("2026-11-23 10:00")
        self.run_until("2026-11-23 10:05", "2330", "TXFL6")
        self.restart()
        self.run_until("2026-11-23 10:10", "2330")
        self.assertEqual(self.freshness.status()["stale"], ["futures"])
        self.restart()
        self.freshness.hear("market_contract", "2330")
        self.run_until("2026-11-23 10:15", "2330")
        self.assertEqual(self.reasons[-1], DROPPED)
        self.assertEqual(self.freshness.status()["stale"], [])

    def test_once_the_worker_is_back_a_closed_market_is_not_stale(self) -> None:
        self.start("2026-11-23 14:00")
        self.freshness.hear("market_tick", "TXFL6")
        self.freshness.worker_gone()
        self.run_until("2026-11-23 14:01")
        self.assertEqual(self.reasons, [GONE])
        self.freshness.hear("heartbeat", None)
        self.run_until("2026-11-23 14:02")
        self.assertEqual(self.reasons, [GONE, CLOSED])

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
        self.assertEqual(self.changes[0], ("Sat 02:00", "futures", True))
        self.assertEqual(self.reasons, [SILENT, CLOSED])

    def test_a_weekend_is_silent_without_a_word(self) -> None:
        self.start("2026-11-28 04:00")
        self.run_until("2026-11-28 05:00", "TXFL6")
        self.run_until("2026-11-30 08:45", every=60)
        self.assertEqual(self.changes, [])

    def test_a_holiday_of_the_file_is_silent_without_a_word(self) -> None:
        self.holidays.write_text("# 2026\n\n2026-12-25  # TAIFEX and TWSE\n")
        self.start("2026-12-24 13:00")
        self.run_until("2026-12-24 13:30", "2330", "TXFL6")
        self.run_until("2026-12-24 13:45", "TXFL6")
        self.run_until("2026-12-24 15:00")
        self.run_until("2026-12-25 05:00", "TXFL6", every=30)
        self.run_until("2026-12-25 23:00", every=60)
        self.assertEqual(self.changes, [])

    def test_a_holiday_nobody_knew_of_is_told_by_day_and_not_by_night_again(self) -> None:
        self.start("2026-12-25 08:00")
        self.freshness.hear("market_snapshot", "TXFL6")
        self.run_until("2026-12-25 23:00")
        self.assertEqual([each[0] for each in self.changes], ["Fri 08:46", "Fri 13:45"])
        self.run_until("2026-12-25 23:10", "TXFL6")
        self.run_until("2026-12-25 23:20")
        self.assertEqual(self.changes[-1][0], "Fri 23:10", "it was none")

    def test_thin_contracts_do_not_alternate(self) -> None:
        self.start("2026-11-23 09:00")
        for number in range(60):
            minutes = 2 * number
            at = f"2026-11-23 {9 + minutes // 60:02}:{minutes % 60:02}"
            self.run_until(at)
            self.freshness.hear("market_tick", ("TXO23000L6", "TXO23100L6")[number % 2])
        self.assertLessEqual(len(self.changes), 2, self.changes)
        self.run_until("2026-11-23 11:30")
        self.assertEqual(self.changes[-1][1:], ("futures", True), "a dead feed is told")

    def test_the_auction_before_the_close_is_no_silence(self) -> None:
        self.start("2026-11-23 13:00")
        self.run_until("2026-11-23 13:25", "2330")
        self.run_until("2026-11-23 13:30")
        self.freshness.hear("market_tick", "2330")
        self.run_until("2026-11-24 09:00", every=60)
        self.run_until("2026-11-24 09:10", "2330")
        self.run_until("2026-11-24 09:15")
        self.assertEqual(self.changes, [("Tue 09:10", "stocks", True)])

    def test_a_pause_that_the_worker_made_is_not_the_markets(self) -> None:
        self.start("2026-11-23 09:00")
        self.run_until("2026-11-23 09:10", "TXFL6")
        self.freshness.worker_gone()
        self.run_until("2026-11-23 10:00")
        self.run_until("2026-11-23 10:10", "TXFL6")
        self.run_until("2026-11-23 10:12")
        self.assertEqual([each[0] for each in self.changes[-2:]], ["Mon 10:00", "Mon 10:10"])

    def test_one_code_that_is_silent_beside_others_is_told_by_its_own_rate(self) -> None:
        self.start("2026-11-23 09:00")
        self.run_until("2026-11-23 09:10", "2317", "2330")
        self.run_until("2026-11-23 09:11", "2317", every=1)
        status = self.freshness.status()
        self.assertEqual((status["silentCodes"], status["stale"]), (["2330"], []))
        self.run_until("2026-11-23 13:30", "2317")
        self.assertEqual(self.freshness.status()["silentCodes"], [])

    def test_of_a_code_with_few_ticks_nothing_is_known(self) -> None:
        self.start("2026-11-23 09:00")
        for minute in range(10, 40):
            self.freshness.hear("market_tick", "2330")
            self.run_until(f"2026-11-23 09:{minute}", "2317")
            thin = self.freshness.status()["silentCodes"]
            self.assertEqual(thin, [], "it ticks as it always does")

    def test_status_says_which_markets_are_open_and_until_when(self) -> None:
        self.start("2026-11-27 13:40")
        markets = self.freshness.status()["markets"]
        self.assertEqual(self.freshness.trading, {"futures"})
        self.assertEqual((markets["futures"]["open"], markets["stocks"]["open"]), (True, False))
        self.assertEqual(markets["futures"]["closes"], "2026-11-27T13:45:00+08:00")
        self.assertEqual(markets["stocks"]["opens"], "2026-11-30T09:00:00+08:00")
        self.assertIsNone(markets["stocks"]["closes"])

    def test_what_was_silent_is_not_stale_once_the_market_is_closed(self) -> None:
        self.start("2026-11-23 13:00")
        self.run_until("2026-11-23 13:20", "2330")
        self.run_until("2026-11-23 14:00")
        self.assertEqual(self.reasons, [SILENT, CLOSED])

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

    def test_codes_of_strangers_take_no_place_from_others(self) -> None:
        self.start("2026-11-23 10:00")
        for number in range(MAX_CODES + 500):
            self.freshness.hear("market_tick", f"code{number}", "192.0.2.1")
        self.freshness.hear("market_tick", "2330", "192.0.2.2")
        self.freshness.hear("market_tick", "TXFL6")
        codes = self.freshness.status()["codes"]
        self.assertLessEqual({"2330", "TXFL6", "other"}, set(codes))
        self.assertLess(len(codes), MAX_CODES // 2)


class HolidaysTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.file = Path(self.mktemp())

    def test_no_session_begins_on_a_holiday(self) -> None:
        self.file.write_bytes(b"\xef\xbb\xbf2026-11-24\r\n")
        calendar = Calendar(self.file)
        for at, is_open in (
            ("2026-11-24 02:00", True),
            ("2026-11-24 10:00", False),
            ("2026-11-24 16:00", False),
            ("2026-11-25 10:00", True),
        ):
            self.assertEqual(calendar.is_open(taipei(at).timestamp()), is_open, at)
        opens = calendar.opens("futures", taipei("2026-11-24 06:00"))
        self.assertEqual(opens, taipei("2026-11-25 08:45"))

    def test_it_is_read_again_and_what_can_not_be_used_changes_nothing(self) -> None:
        self.file.write_text("2026-11-24\n")
        calendar = Calendar(self.file)
        monday, tuesday = (taipei(f"2026-11-{day} 10:00").timestamp() for day in (23, 24))
        self.file.write_text("2026-11-23\n")
        calendar.reload()
        self.assertEqual((calendar.is_open(monday), calendar.is_open(tuesday)), (False, True))
        for bad in ("24.11.2026\n", "2026-13-01\n", "tomorrow", None):
            self.file.unlink(missing_ok=True)
            if bad is not None:
                self.file.write_text(bad)
            error = self.assertRaises(ValueError, calendar.reload)
            self.assertIn("holiday file", str(error))
            self.assertFalse(calendar.is_open(monday))


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
