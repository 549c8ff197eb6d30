"""From events to answers: the duty of the thread of bars, called in the test's own thread."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest import SkipTest

import orjson
from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.packet import Packet
from gateway.history import bar_book, bar_file, bar_query, bar_questions, bar_store
from gateway.history.bar_keeper import BarKeeper
from gateway.history.bar_query import QuestionError, read_question
from gateway.history.bar_questions import Asked
from gateway.history.bars import KeptBar
from gateway.market.hours import Calendar
from gateway.relay.event import Event, Subject
from tests.history.test_bars import at, kbars, told

DAY = 86_400


def event(
    name: str, value: Any, *, wall: float, trusted: bool = True, current: bool = True
) -> Event:
    code = value.get("code") if isinstance(value, dict) else None
    packets = (Packet(b"42" + orjson.dumps([name, value])),)
    return Event(packets, None, Subject(name, code, None), trusted, wall, current)


class KeeperTestCase(SynchronousTestCase):
    """A keeper with a clock of its own, at noon of 2026-11-30 in Taipei."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.path = self.folder / "bars.db"
        self.now = 0.0
        self.wall = at("12:00")
        self.said: list[str] = []
        self.reports: list[str] = []
        self.keeper = self.start()

    def start(self, **given: Any) -> BarKeeper:
        keeper = BarKeeper(
            Calendar(),
            self.path,
            **{"days": 30, **given},
            wall=lambda: self.wall,
            log=self.reports.append,
            on_problem=self.said.append,
            clock=lambda: self.now,
        )
        keeper.begin()
        self.addCleanup(keeper.close)
        return keeper

    def restart(self, *, kill: bool = False) -> None:
        if kill:
            self.keeper.book.close()
        else:
            self.keeper.close()
        self.keeper = self.start()

    def hear(self, name: str, value: Any, **given: Any) -> None:
        self.keeper.take([event(name, value, **{"wall": self.wall, **given})])

    def trade(self, when: str, price: float, total: float | None, volume: float = 1, **more: Any):
        fields = {"price": price, "total_volume": total, "volume": volume, **more}
        self.hear("market_tick", told(**{"datetime": time_of(when), **fields}))

    def second(self) -> None:
        """A second passes."""
        self.now += 1
        self.keeper.tick()

    def ask(self, **fields: Any) -> dict[str, Any]:
        answers: list[bar_query.Answer] = []
        question = read_question({"code": "TXFL6", **fields})
        self.keeper.questions.ask(Asked(question, "someone", answers.append))
        self.keeper.tick()
        (answer,) = answers
        self.assertEqual(answer.status, 200, answer.body)
        found: dict[str, Any] = orjson.loads(answer.body)
        self.tag = answer.tag
        return found

    def rows(self, **fields: Any) -> list[tuple[float, ...]]:
        """The bars of an answer: time, open, high, low, close, volume."""
        bars = self.ask(**fields)["bars"]
        self.assertEqual(list(bars), list(bar_query.COLUMNS))
        return list(zip(*bars.values(), strict=True))


def time_of(when: str) -> str:
    return when if "T" in when else f"2026-11-30T{when}"


class AnswerTests(KeeperTestCase):
    def test_minutes(self) -> None:
        self.trade("08:45:00", 100.5, 1)
        self.trade("08:45:30", 103, 4, 3)
        self.trade("08:46:00", 99, 5)
        answer = self.ask()
        self.assertEqual(
            answer,
            {
                "code": "TXFL6",
                "interval": "1m",
                "session": "",
                "demo": False,
                "cut": False,
                "contracts": [],
                "partial": [],
                "bars": {
                    "time": [at("08:45"), at("08:46")],
                    "open": [100.5, 99],
                    "high": [103, 99],
                    "low": [100.5, 99],
                    "close": [103, 99],
                    "volume": [4, 1],
                },
                "newest": at("08:46"),
            },
        )
        self.assertEqual(self.ask(code="MXFL6")["bars"]["time"], [])
        self.assertIsNone(self.ask(code="MXFL6")["newest"])

    def test_trial_matches_and_strangers_are_in_no_bar(self) -> None:
        self.trade("08:45:00", 100, 1)
        self.trade("08:45:01", 900, 99, simtrade=True)
        tick = told(datetime=time_of("08:45:02"), total_volume=99)
        self.hear("market_tick", tick, trusted=False)
        self.hear("market_tick", tick, current=False)
        self.hear("market_bidask", tick)
        self.assertEqual(self.rows(), [(at("08:45"), 100, 100, 100, 100, 1)])

    def test_what_is_odd_among_many_ticks_keeps_its_place(self) -> None:
        """Also in a second for which there are bars already."""
        demo = {"demo": True}
        events = [
            event(
                "market_tick", told(**{"datetime": time_of("08:45:00"), **fields}), wall=self.wall
            )
            for fields in (
                {"price": 100, "total_volume": 1, "volume": 1},
                {"price": "105", "total_volume": 2, "volume": 1},
                {"price": 7, "total_volume": 9, **demo},
                {"price": 900, "total_volume": 9, "simtrade": True},
                {"price": 95, "total_volume": 3, "volume": 1},
            )
        ]
        self.keeper.take(events)
        self.assertEqual(self.rows(), [(at("08:45"), 100, 105, 95, 95, 3)])
        self.trade("08:45:00", 101, 4)
        self.assertEqual(self.rows(), [(at("08:45"), 100, 105, 95, 101, 4)])

    def test_longer_bars_begin_with_their_session(self) -> None:
        self.wall = at("2026-12-01T12:00")
        for total, when in enumerate(
            ("08:45:00", "09:44:59", "09:45:00", "13:45:00", "15:00:00", "2026-12-01T04:59:00"), 1
        ):
            volume = total - 4 if total > 4 else 1
            self.trade(when, 100 + total, total if total <= 4 else total - 4, min(volume, 1))
        self.assertEqual(
            [(row[0], row[1], row[4], row[5]) for row in self.rows(interval="60m")],
            [
                (at("08:45"), 101, 102, 2),
                (at("09:45"), 103, 103, 1),
                (at("12:45"), 104, 104, 1),
                (at("15:00"), 105, 105, 1),
                (at("2026-12-01T04:00"), 106, 106, 1),
            ],
        )
        self.assertEqual(self.rows(interval="1h"), self.rows(interval="60m"))
        days = [(row[0], row[2], row[3], row[5]) for row in self.rows(interval="1d")]
        self.assertEqual(days, [(at("08:45"), 104, 101, 4), (at("15:00"), 106, 105, 2)])
        self.assertEqual(self.rows(interval="1d", session="day")[0][0], at("08:45"))
        self.assertEqual(self.rows(interval="1d", session="night")[0][0], at("15:00"))
        self.assertEqual(len(self.rows(session="night")), 2)
        self.assertEqual(len(self.rows(session="day")), 4)

    def test_only_what_is_asked_for(self) -> None:
        for minute in range(30):
            self.trade(
                f"08:{45 + minute}:00" if minute < 15 else f"09:{minute - 15:02}:00", 1, minute + 1
            )
        times = [at("08:45") + 60 * each for each in range(30)]
        begin, end = "2026-11-30T08:50", "2026-11-30T09:00+08:00"
        self.assertEqual([row[0] for row in self.rows(**{"from": begin, "to": end})], times[5:15])
        self.assertEqual([row[0] for row in self.rows(**{"from": at("09:10")})], times[25:])
        five = self.rows(interval="5m", **{"from": "2026-11-30T08:47", "to": end})
        self.assertEqual([(row[0], row[5]) for row in five], [(times[5], 5), (times[10], 5)])

    def test_seconds_of_the_last_hour(self) -> None:
        self.trade("09:00:00.1", 100, 1)
        self.trade("09:00:00.9", 101, 2)
        self.trade("09:00:02", 102, 3)
        self.assertEqual(
            self.rows(interval="1s"),
            [
                (at("09:00:00"), 100, 101, 100, 101, 2),
                (at("09:00:02"), 102, 102, 102, 102, 1),
            ],
        )
        self.trade("10:00:01", 103, 4)
        self.second()
        self.trade("10:01:01", 104, 5)
        self.second()
        times = [row[0] for row in self.rows(interval="1s")]
        self.assertEqual(times, [at("10:00:01"), at("10:01:01")])
        self.restart()
        self.assertEqual(self.rows(interval="1s"), [])
        self.assertEqual(len(self.rows()), 3)

    def test_an_answer_is_bounded_and_says_what_is_cut(self) -> None:
        self.patch(bar_query, "MOST_BARS", 10)
        for minute in range(10):
            self.trade(f"09:{minute:02}:00", 1, minute + 1)
        self.assertEqual((len(self.rows()), self.ask()["cut"]), (10, False))
        self.trade("09:10:00", 1, 11)
        answer = self.ask()
        self.assertEqual((len(answer["bars"]["time"]), answer["cut"]), (10, True))
        self.assertEqual(answer["bars"]["time"][0], at("09:01"))
        earlier = self.ask(to=at("09:01"))
        self.assertEqual((earlier["bars"]["time"], earlier["cut"]), ([at("09:00")], False))
        # So many minutes are read: a bar of which only a part was read is left out.
        self.patch(bar_query, "MOST_ROWS", 7)
        answer = self.ask(interval="5m")
        self.assertEqual(
            (answer["bars"]["time"], answer["cut"]), ([at("09:05"), at("09:10")], True)
        )

    def test_the_tag_is_that_of_the_bars(self) -> None:
        self.trade("09:00:00", 100, 1)
        self.ask(to=at("09:01"))
        tag = self.tag
        self.trade("09:01:00", 100, 2)
        self.assertEqual(self.ask(to=at("09:01"))["newest"], at("09:01"))
        self.assertEqual(self.tag, tag)
        self.ask()
        self.assertNotEqual(self.tag, tag)


class AliasTests(KeeperTestCase):
    def contract(self, code: str, target: str | None, when: str) -> None:
        self.wall = at(when)
        self.hear("market_contract", {"code": code, "target_code": target})

    def test_a_continuous_code_has_the_bars_of_its_contracts(self) -> None:
        self.contract("TXFR1", "TXFL6", "08:40")
        self.trade("08:45:00", 100, 1)
        self.contract("TXFR1", "TXFA7", "14:00")  # no session: from the next one on
        self.trade("13:44:00", 101, 2)
        self.trade("15:00:00", 200, 1, code="TXFA7")
        self.trade("15:00:00", 150, 1, code="TXFL6")
        for _ in range(2):
            answer = self.ask(code="TXFR1")
            self.assertEqual(answer["bars"]["close"], [100, 101, 200])
            self.assertEqual(
                answer["contracts"],
                [{"from": at("08:45"), "code": "TXFL6"}, {"from": at("15:00"), "code": "TXFA7"}],
            )
            self.assertEqual(answer["newest"], at("15:00"))
            self.assertEqual(self.ask(code="TXFL6")["bars"]["close"], [100, 101, 150])
            day = self.ask(code="TXFR1", interval="1d", to=at("15:00"))
            self.assertEqual(day["contracts"], [{"from": at("08:45"), "code": "TXFL6"}])
            self.restart()

    def test_within_a_session_the_last_word_counts(self) -> None:
        self.contract("TXFR1", "TXFL6", "08:00")
        self.contract("TXFR1", "TXFX9", "15:01")
        self.contract("TXFR1", "TXFA7", "15:02")
        self.trade("15:00:00", 200, 1, code="TXFA7")
        self.assertEqual([each["code"] for each in self.ask(code="TXFR1")["contracts"]], ["TXFA7"])
        self.restart()
        self.assertEqual([each["code"] for each in self.ask(code="TXFR1")["contracts"]], ["TXFA7"])

    def test_bars_that_came_under_both_codes_count_once(self) -> None:
        self.trade("09:00:00", 50, 1, code="TXFR1")
        self.trade("09:01:00", 51, 2, code="TXFR1")
        self.contract("TXFR1", "TXFL6", "09:01")
        self.trade("09:01:00", 100, 1)
        self.trade("09:02:00", 101, 2)
        self.assertEqual(self.ask(code="TXFR1")["bars"]["close"], [50, 100, 101])

    def test_the_broker_s_bars_of_a_continuous_code_are_its_contract_s(self) -> None:
        self.contract("TXFR1", "TXFL6", "12:00")
        self.hear("market_kbars", kbars("09:01", "09:02"))
        self.assertEqual(len(self.ask(code="TXFL6")["bars"]["time"]), 2)
        self.assertEqual(len(self.ask(code="TXFR1")["bars"]["time"]), 2)

    def test_a_contract_without_a_target_is_itself(self) -> None:
        for target in (None, "", "2330", 7):
            self.hear("market_contract", {"code": "2330", "target_code": target})
        self.assertEqual(self.ask(code="2330")["contracts"], [])
        self.assertEqual(self.reports, [])


class RestartTests(KeeperTestCase):
    def test_a_restart_in_the_middle_of_a_minute_goes_on_with_its_bar(self) -> None:
        for kill in (False, True):
            self.trade("09:00:01", 100, 1)
            self.trade("09:00:02", 105, 3, 2)
            self.second()
            self.restart(kill=kill)
            self.trade("09:00:02", 105, 3, 2)  # heard before
            self.trade("09:00:30", 95, 5)  # and one was missed
            self.assertEqual(self.rows(), [(at("09:00"), 100, 105, 95, 95, 5)])
            self.assertEqual(self.ask()["partial"], [at("09:00")])
            self.keeper.close()
            self.path.unlink()
            self.keeper = self.start()

    def test_what_was_written_is_not_counted_twice_after_a_kill(self) -> None:
        ticks = [(f"09:00:{second:02}", 100 + second % 7, second + 1) for second in range(60)]
        for when, price, total in ticks:
            self.trade(when, price, total)
            self.second()
            self.restart(kill=True)
            self.trade(when, price, total)
        self.assertEqual(self.rows(), [(at("09:00"), 100, 106, 100, 103, 60)])

    def test_a_worker_that_ended_makes_the_minute_partial(self) -> None:
        self.trade("08:45:00", 100, 1)
        self.second()
        self.hear("python_status", {"status": "exited"})
        self.trade("08:47:00", 100, 9)
        self.trade("08:48:00", 100, 10)
        self.assertEqual(self.ask()["partial"], [at("08:45"), at("08:47")])
        self.assertEqual(self.ask(interval="30m")["partial"], [at("08:45")])


class BackfillTests(KeeperTestCase):
    def test_it_fills_what_was_missed(self) -> None:
        self.trade("09:02:00", 100, 50)
        self.trade("09:03:00", 100, 51)
        self.assertEqual(self.ask()["partial"], [at("09:02")])
        self.hear("market_kbars", kbars("09:01", "09:03", "09:04", code="TXFL6", Volume=[7, 8, 9]))
        answer = self.ask()
        self.assertEqual(answer["bars"]["time"], [at("09:00"), at("09:02"), at("09:03")])
        self.assertEqual(answer["bars"]["volume"], [7, 8, 1], "what was heard whole stays")
        self.assertEqual(answer["partial"], [])
        self.assertEqual(self.keeper.book.filled, 2)

    def test_what_is_heard_afterwards_wins(self) -> None:
        self.hear("market_kbars", kbars("08:46", "08:47", code="TXFL6", Volume=[7, 8]))
        self.trade("08:45:00", 200, 1)
        self.trade("08:46:00", 201, 2)
        self.trade("08:47:00", 201, 3)
        self.second()
        self.assertEqual([row[4:] for row in self.rows()], [(200, 1), (201, 1), (201, 1)])

    def test_ticks_of_a_minute_that_the_broker_replaced_are_not_added(self) -> None:
        self.trade("09:02:00", 100, 50)
        self.hear("market_kbars", kbars("09:03", code="TXFL6", Volume=[8]))
        self.trade("09:02:30", 100, 52)
        self.trade("09:03:00", 100, 53)
        self.second()
        self.assertEqual([row[5] for row in self.rows()], [8, 1])

    def test_a_minute_that_is_not_over_is_not_filled(self) -> None:
        self.wall = at("09:01:01")
        self.hear("market_kbars", kbars("09:00", "09:01", "09:02", code="TXFL6"))
        self.assertEqual([row[0] for row in self.rows()], [at("08:59")])

    def test_it_comes_again_and_changes_nothing(self) -> None:
        for _ in range(3):
            self.hear("market_kbars", kbars("09:01", "09:02", code="TXFL6"))
            self.restart()
        self.assertEqual([row[5] for row in self.rows()], [5, 5])

    def test_one_that_can_not_be_read_is_counted_and_told_once_in_a_while(self) -> None:
        for _ in range(5):
            self.hear("market_kbars", {"code": "TXFL6", "ts": 7})
        self.hear("market_kbars", ["x"])
        self.hear("market_kbars", kbars("09:01", code=None))
        self.assertEqual(self.keeper.counts.refused, 7)
        (line,) = self.reports
        self.assertIn("market_kbars", line)
        self.now += 601
        self.trade("x", 1, 1)
        self.assertIn("datetime", self.reports[1])
        self.assertIn("6 more", self.reports[1])


class MarkedTests(KeeperTestCase):
    def test_nothing_of_a_demonstration_is_kept_or_answered_after_a_real_start(self) -> None:
        self.trade("09:00:00", 100, 1)
        demo = {"demo": True, "simulation": True}
        self.hear("market_contract", {"code": "TXFR1", **demo})
        self.trade("09:30:00", 5, 1, **demo)
        self.hear("market_kbars", kbars("09:01", code="TXFL6", **demo))
        answer = self.ask()
        self.assertEqual((answer["demo"], len(answer["bars"]["time"])), (True, 2))
        self.assertEqual(self.ask(interval="1s")["bars"]["close"], [5])
        self.hear("market_contract", {"code": "TXFR1", "target_code": "TXFL6"})
        answer = self.ask()
        self.assertEqual((answer["demo"], answer["bars"]["close"]), (False, [100]))
        self.restart()
        self.assertEqual(self.rows(), [(at("09:00"), 100, 100, 100, 100, 1)])

    def test_a_demonstration_that_begins_anew_counts_its_volume_anew(self) -> None:
        for _ in range(2):
            self.hear("market_contract", {"code": "TXFL6", "demo": True})
            self.trade("09:00:00", 5, 100, 2, demo=True)
            self.trade("09:00:01", 5, 103, 3, demo=True)
        self.assertEqual(self.rows(), [(at("09:00"), 5, 5, 5, 5, 10)])

    def test_a_replay_says_so(self) -> None:
        self.trade("2020-01-02T09:00:00", 5, 1, replay=True)
        answer = self.ask()
        self.assertEqual((answer["replay"], answer["demo"]), (True, False))
        self.assertEqual(answer["bars"]["close"], [5])

    def test_in_a_replay_all_is_of_it_and_the_file_of_real_days_stays_as_it_is(self) -> None:
        self.trade("09:00:00", 100, 1)
        self.keeper.close()
        before = self.path.read_bytes()
        self.keeper = self.start(mark="replay")
        self.assertEqual(self.ask()["bars"]["close"], [])
        self.trade("2020-01-02T09:00:00", 5, 1)
        self.trade("2020-01-02T09:01:00", 6, 2, demo=True)
        answer = self.ask()
        self.assertEqual((answer["replay"], answer["demo"]), (True, False))
        self.assertEqual(answer["bars"]["close"], [5, 6])
        self.keeper.begin_anew()
        self.assertEqual(self.ask()["bars"]["close"], [])
        self.trade("2020-01-02T09:00:00", 5, 1)
        self.assertEqual(self.ask()["bars"]["close"], [5])
        self.keeper.close()
        self.assertEqual(self.path.read_bytes(), before)
        self.keeper = self.start()
        self.keeper.begin_anew()  # of the market nothing is forgotten
        self.assertEqual(self.rows(), [(at("09:00"), 100, 100, 100, 100, 1)])


class BoundsTests(KeeperTestCase):
    def test_codes(self) -> None:
        self.patch(bar_book, "MOST_CODES", 2)
        self.keeper.book.builder._most_codes = 2
        for code in ("A", "B", "C"):
            self.trade("09:00:00", 1, 1, code=code)
        self.second()
        self.hear("market_kbars", kbars("09:01", code="D"))
        self.assertEqual(self.keeper.book.codes, 2)
        self.assertEqual(self.keeper.counts.refused, 2)
        self.assertIn("too many codes", self.reports[0])

    def test_times_that_can_not_be(self) -> None:
        self.trade("13:00:01", 1, 1)  # an hour ahead of the clock
        self.assertIn("clock", self.reports[0])
        self.now += 601
        self.trade("2026-10-30T11:59:59", 1, 1)
        self.assertIn("older", self.reports[1])
        self.assertEqual(self.rows(), [])

    def test_bars_of_the_broker_that_are_too_old(self) -> None:
        rows = kbars("12:00", "12:01", "12:02", code="TXFL6")
        self.hear("market_kbars", rows, wall=self.wall + 30 * DAY)
        self.assertEqual([row[0] for row in self.rows()], [at("12:00"), at("12:01")])

    def test_a_clock_that_is_far_ahead_costs_no_bar(self) -> None:
        self.trade("09:00:00", 1, 1)
        self.wall += 400 * DAY
        self.now += 3600
        self.second()
        self.assertEqual(len(self.rows()), 1)
        self.restart()
        self.assertEqual(len(self.rows()), 1)

    def test_numbers_of_which_the_sum_is_no_json(self) -> None:
        for minute in ("09:00:00", "09:01:00"):
            self.trade(minute, 1, None, 1.7e308)
            self.trade(minute, -1e300, None, 1)
            self.trade(minute, 1e15, None, 1e15)
        self.hear("market_kbars", kbars("09:03", Volume=[1e300]))
        self.second()
        self.assertEqual(self.keeper.counts.refused, 5)
        self.assertEqual([row[5] for row in self.rows(interval="5m")], [2e15])

    def test_what_is_too_old_is_forgotten_with_its_code(self) -> None:
        self.trade("09:00:00", 1, 1, code="OLD")
        self.trade("09:00:00", 1, 1)
        self.second()
        self.wall += 30 * DAY
        self.trade("2026-12-30T11:00:00", 1, 1)
        self.now += 3600
        self.second()
        self.assertEqual([row[0] for row in self.rows()], [at("2026-12-30T11:00")])
        self.assertEqual(self.keeper.book.codes, 1)
        self.assertEqual(list(self.keeper.book.builder.progress), ["TXFL6"])

    def test_the_oldest_day_goes_where_there_is_no_room(self) -> None:
        self.keeper.close()
        store = bar_store.BarStore(self.path, most_bytes=100 * bar_file.PAGE)
        self.addCleanup(store.file.close)
        error = None
        for day in range(10, 30):
            begin = at(f"2026-11-{day}T08:45")
            rows = [
                KeptBar(int(begin) + 60 * minute, 1.5, 2.5, 0.5, 1.25, 10, 0, bar_store.BROKER)
                for minute in range(1000)
            ]
            try:
                store.fill("TXFL6", rows)
            except sqlite3.Error as found:
                error = found
                store.make_room(0.75)
                store.fill("TXFL6", rows)
        self.assertIn("full", str(error))
        (oldest,) = store.connection.execute("SELECT min(time) FROM bars").fetchone()
        self.assertGreater(oldest, at("2026-11-15T00:00"))
        (newest,) = store.connection.execute("SELECT max(time) FROM bars").fetchone()
        self.assertEqual(newest, rows[-1].time)
        self.assertLess(self.path.stat().st_size, 101 * bar_file.PAGE)

    def test_seconds(self) -> None:
        self.patch(bar_store, "MOST_SECONDS", 100)
        for number in range(400):
            minute, second = divmod(number, 60)
            self.trade(f"09:{minute:02}:{second:02}", 1, number + 1)
            if second == 0:
                self.second()
        self.assertLess(len(self.rows(interval="1s")), 200)
        self.assertEqual(self.rows(interval="1s")[-1][0], at("09:06:39"))


class FileTests(KeeperTestCase):
    def test_only_its_owner_may_read_it(self) -> None:
        self.trade("09:00:00", 1, 1)
        self.second()
        for path in self.folder.iterdir():
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600, path)
        self.assertEqual(stat.S_IMODE(self.folder.stat().st_mode), 0o700)

    def test_others_may_read_it_meanwhile(self) -> None:
        self.trade("09:00:00", 1, 1)
        self.second()
        with sqlite3.connect(self.path) as other:
            self.assertEqual(other.execute("SELECT code FROM codes").fetchall(), [("TXFL6",)])
        self.trade("09:01:00", 1, 2)
        self.assertEqual(len(self.rows()), 2)
        other.close()

    def test_a_damaged_file_is_set_aside(self) -> None:
        self.trade("09:00:00", 1, 1)
        self.keeper.close()
        for content in (b"no database" * 1000, b""):
            self.said.clear()
            self.path.write_bytes(content)
            self.keeper = self.start()
            self.trade("09:30:00", 2, 2)
            self.assertEqual([row[4] for row in self.rows()], [2])
            self.keeper.close()
            if content:
                self.assertIn("damaged", self.said[0])
                self.assertEqual((self.folder / "bars.db.damaged").read_bytes(), content)

    def test_one_that_turns_out_damaged_later_too(self) -> None:
        for number in range(3000):
            self.trade(f"09:{number // 60:02}:{number % 60:02}", 1, number + 1, code=f"C{number}")
        self.keeper.close()
        data = bytearray(self.path.read_bytes())
        data[bar_file.PAGE * 3 :] = os.urandom(len(data) - bar_file.PAGE * 3)
        self.path.write_bytes(data)
        self.keeper = self.start()
        for number in range(3):
            for each in range(100):
                self.trade("10:00:00", 2, 9000 + number, code=f"C{each}")
            self.second()
            self.ask(code="C5")
        self.assertEqual([row[4] for row in self.rows(code="C5")][-1], 2)
        self.assertTrue(any("damaged" in text for text in self.said), self.said)

    def test_one_that_is_removed_is_begun_anew(self) -> None:
        self.trade("09:00:00", 1, 1)
        self.second()
        self.path.unlink()
        self.trade("09:01:00", 1, 2)
        self.second()
        self.assertIn("removed", self.said[0])
        self.assertEqual([row[0] for row in self.rows()], [at("09:01")])
        self.assertTrue(self.path.exists())

    def test_one_that_is_locked_is_written_later(self) -> None:
        self.patch(bar_file, "BUSY", 0.0)
        self.restart()
        self.trade("09:00:00", 1, 1)
        self.second()
        other = sqlite3.connect(self.path, isolation_level=None)
        self.addCleanup(other.close)
        other.execute("BEGIN IMMEDIATE")
        self.trade("09:00:30", 5, 2)
        for _ in range(3):
            self.second()
        self.assertEqual(self.said, ["database is locked"])
        self.assertEqual(self.keeper.book.problem, "database is locked")
        other.execute("ROLLBACK")
        self.second()
        self.assertEqual(self.said, ["database is locked", ""])
        self.assertEqual(self.rows(), [(at("09:00"), 1, 5, 1, 5, 2)])

    def test_another_gateway_s_file_is_left_alone(self) -> None:
        other = self.start()
        self.assertIn("another gateway", self.said[0])
        other.take([event("market_tick", told(), wall=self.wall)])
        other.tick()
        self.assertIn("another gateway", other.book.problem)
        self.keeper.close()
        self.now += 1
        other.tick()
        self.assertEqual(other.book.problem, "")
        self.assertEqual(other.book.codes, 1)

    def test_what_can_not_be_written_is_held_within_bounds(self) -> None:
        self.keeper.close()
        self.folder.joinpath("bars.db").unlink()
        self.folder.joinpath("bars.db").mkdir()
        self.patch(bar_book, "MOST_HELD", 50)
        self.keeper = self.start()
        self.assertEqual(len(self.said), 1)
        for minute in range(60):
            self.trade(f"09:{minute:02}:00", 1, minute + 1)
            self.second()
        self.assertEqual(len(self.said), 1)
        self.assertGreater(self.keeper.book.lost, 0)
        self.assertLessEqual(len(self.keeper.book.builder.minutes), 51)
        answers: list[bar_query.Answer] = []
        self.keeper.questions.ask(Asked(read_question({"code": "A"}), "someone", answers.append))
        self.keeper.tick()
        self.assertEqual(answers[0].status, 503)
        self.folder.joinpath("bars.db").rmdir()
        self.second()
        self.assertEqual(self.said[-1], "")
        self.assertGreater(len(self.rows()), 0)

    def test_one_that_can_not_be_set_aside_is_tried_again(self) -> None:
        self.keeper.close()
        self.path.write_bytes(b"no database" * 1000)
        in_the_way = self.folder / "bars.db.damaged"
        in_the_way.mkdir()
        self.keeper = self.start()
        self.trade("09:00:00", 1, 1)
        self.second()
        self.assertEqual(len(set(self.said)), 1)
        self.assertIn("directory", self.said[0])
        in_the_way.rmdir()
        self.second()
        self.assertEqual([row[4] for row in self.rows()], [1])
        self.assertEqual(self.said[-1], "")


class FairnessTests(KeeperTestCase):
    def test_one_question_of_each_asker_after_the_other(self) -> None:
        order: list[str] = []
        for asker in ("a", "a", "a", "b", "c", "b"):
            question = read_question({"code": "TXFL6"})
            self.keeper.questions.ask(
                Asked(question, asker, lambda _, asker=asker: order.append(asker))
            )
        while self.keeper.tick():
            self.now += 0.05
        self.assertEqual(order, ["a", "b", "c", "a", "b", "a"])

    def test_a_cancelled_question_is_not_looked_up(self) -> None:
        asked = Asked(read_question({"code": "TXFL6"}), "a", lambda _: None)
        asked.is_cancelled = True
        self.patch(bar_book, "answer", None)  # would raise
        self.keeper.questions.ask(asked)
        self.keeper.tick()

    def test_only_a_while_is_spent_on_them(self) -> None:
        self.patch(bar_questions, "SLICE", 0.0)
        for _ in range(3):
            self.keeper.questions.ask(Asked(read_question({"code": "A"}), "a", lambda _: None))
        for answered in (1, 2, 3):
            self.assertEqual(self.keeper.tick() is not None, answered < 3)
            self.assertEqual(self.keeper.questions.answered, answered)

    def test_questions_rest_three_times_as_long_as_they_took(self) -> None:
        def slowly(_: object) -> bar_query.Answer:
            self.now += 0.126
            return bar_query.problem(503, "a long one")

        self.patch(self.keeper.book, "answer", slowly)
        answered: list[float] = []
        for asker in "abc":
            question = read_question({"code": "TXFL6"})
            self.keeper.questions.ask(Asked(question, asker, lambda _: answered.append(self.now)))
        while len(answered) < 3:
            again = self.keeper.tick()
            self.assertEqual(again is not None, len(answered) < 3)  # there is more to do
            self.now += 0.001
        apart = [round(b - a, 2) for a, b in pairwise(answered)]
        self.assertEqual(apart, [0.5, 0.5])


class QuestionTests(SynchronousTestCase):
    def test_eight_digits_are_a_day_and_other_numbers_seconds(self) -> None:
        for text in ("20261130", "2026-11-30"):
            question = read_question({"code": "A", "from": text})
            self.assertEqual(question.begin, at("00:00"))
        for number in (0, 7, 9_999_999, 100_000_000, 20_261_130.5):
            question = read_question({"code": "A", "from": str(number)})
            self.assertEqual(question.begin, -int(-number // 1))

    def test_what_makes_no_sense_is_named(self) -> None:
        for fields, word in (
            ({}, "code"),
            ({"code": ""}, "code"),
            ({"code": 7}, "code"),
            ({"code": "x" * 101}, "code"),
            ({"interval": "2m"}, "interval: write one of 1s, 1m"),
            ({"interval": 60}, "interval"),
            ({"interval": ["1m"]}, "interval"),
            ({"session": "evening"}, "session"),
            ({"session": {}}, "session"),
            ({"from": "yesterday"}, "from"),
            ({"from": True}, "from"),
            ({"from": []}, "from"),
            ({"from": "nan"}, "from"),
            ({"from": float("nan")}, "from"),
            ({"from": float("inf")}, "from"),
            ({"to": "-5"}, "to"),
            ({"to": "1e99"}, "to"),
            ({"to": 10**400}, "to"),
            ({"from": 5, "to": 5}, "later than from"),
        ):
            given = fields if fields == {} else {"code": "TXFR1", **fields}
            error = self.assertRaises(QuestionError, read_question, given)
            self.assertIn(word, str(error), fields)

    def test_times(self) -> None:
        for value in (
            at("09:00"),
            str(int(at("09:00"))),
            f"{at('09:00') - 0.5:.1f}",
            "2026-11-30T09:00",
            "20261130T09",
            "2026-11-30T09:00:00+08:00",
            "2026-11-30T09:00:00 08:00",  # a + of a URL that was not escaped
            "2026-11-30T01:00:00Z",
            "2026-11-30 09:00",
        ):
            question = read_question({"code": "A", "from": value})
            self.assertEqual(question.begin, at("09:00"), value)
        self.assertEqual(read_question({"code": "A", "from": "2026-11-30"}).begin, at("00:00"))
        self.assertEqual(read_question({"code": "A", "to": ""}).end, bar_query.FOREVER)


class FullDiskTests(KeeperTestCase):
    def mount(self, *options: str) -> None:
        command = ["mount", "-t", "tmpfs", "-o", *options, "tmpfs", self.folder]
        if os.geteuid() or not shutil.which("mount"):
            raise SkipTest("only root can make a small disk")
        if subprocess.run(command, check=False, capture_output=True).returncode:
            raise SkipTest("nothing may be mounted here")

    def unmount(self) -> None:
        self.keeper.close()
        subprocess.run(["umount", "--lazy", self.folder], check=True)

    def test_a_full_disk_costs_no_bar(self) -> None:
        self.keeper.close()
        self.mount("size=256k,mode=700")
        self.addCleanup(self.unmount)
        self.said.clear()
        self.keeper = self.start()
        total = 0
        for minute in range(15):
            for code in range(200):
                total += 1
                self.trade(f"09:{minute:02}:00", code, minute + 1, code=f"C{code:03}")
            self.second()
        self.assertEqual(self.said, ["database or disk is full"])
        self.assertEqual(self.keeper.book.lost, 0)
        self.mount("remount,size=64m")
        self.second()
        self.assertEqual(self.said, ["database or disk is full", ""])
        for code in (0, 99, 199):
            rows = self.rows(code=f"C{code:03}")
            times = [at(f"09:{minute:02}") for minute in range(15)]
            self.assertEqual(rows, [(time, code, code, code, code, 1) for time in times])
        self.restart()
        self.assertEqual(len(self.rows(code="C150")), 15)


class PermissionTests(KeeperTestCase):
    def test_a_folder_that_can_not_be_written(self) -> None:
        if os.geteuid() != 0:
            raise SkipTest("only root can become somebody else")
        self.keeper.close()
        self.folder.chmod(0o755)
        os.seteuid(65534)
        self.addCleanup(os.seteuid, 0)
        self.keeper = self.start()
        self.trade("09:00:00", 1, 1)
        self.second()
        self.assertEqual(len(self.said), 1)
        self.assertIn("ermission", self.said[0])
        os.seteuid(0)
        self.second()
        self.assertEqual(self.said[-1], "")
        self.assertEqual(len(self.rows()), 1)
