"""What is told of the broker's bars, in this thread."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

from twisted.trial.unittest import SynchronousTestCase

from gateway.client import backfill
from gateway.client.backfill import (
    KBARS_A_DAY,
    KBARS_FAILURES,
    KBARS_ROWS,
    KBARS_TIMEOUT,
    Backfill,
    Quota,
)
from gateway.client.connection import FIRST_TRY
from gateway.client.console import log
from gateway.client.events import TAIPEI
from gateway.history.trades import read_kbars
from tests.client.told import Told


class KbarsTests(SynchronousTestCase):
    """What is told of the broker's bars, in this thread."""

    def setUp(self) -> None:
        self.patch(backfill, "KBARS_PAUSE", 0)
        self.patch(backfill, "KBARS_PACE", float("inf"))
        self.said: list[str] = []
        self.patch(log, "warning", lambda text, *args: self.said.append(text % args))
        self.told = Told()
        self.asked: list[tuple] = []
        self.path = Path(self.mktemp()) / "state" / "kbars.json"
        self.fails: set[str] = set()
        self.now = datetime(2026, 11, 30, 10, 0, 20, tzinfo=TAIPEI)
        self.patch(backfill, "datetime", SimpleNamespace(now=lambda zone: self.now))
        self.rows = 3

    def ask(self, contract: str, start: str, end: str, *, timeout: int) -> SimpleNamespace:
        self.asked.append((contract, start, end, timeout))
        if contract in self.fails:
            raise TimeoutError("kbars")
        stamps = [(1795424460 + 60 * row) * 10**9 for row in range(self.rows)]
        prices = {name: [Decimal(100)] * self.rows for name in ("Open", "High", "Low", "Close")}
        return SimpleNamespace(ts=stamps, **prices, Volume=[7] * self.rows, Amount=[])

    def backfill(self, *codes: str, limit: int = 100) -> Backfill:
        quota = Quota(self.path, limit)
        return Backfill(self.told, self.ask, {code: code for code in codes}, quota)

    def run_one(self, *codes: str, limit: int = 100) -> None:
        """A whole run, in which no time passes."""
        backfill = self.backfill(*codes, limit=limit)
        waits: list[float] = []
        backfill._stopped.wait = lambda seconds: bool(waits.append(seconds))
        backfill._run()
        self.waits = [each for each in waits if each]

    def test_the_gateway_can_read_what_is_told(self) -> None:
        self.run_one("TXFR1", "2330")
        (name, event), *others = self.told.events
        self.assertEqual((name, event["code"]), ("market_kbars", "TXFR1"))
        rows = read_kbars(event)
        self.assertEqual([row.volume for row in rows], [7, 7, 7])
        begin = datetime(2026, 11, 23, 9, 0, tzinfo=TAIPEI)
        self.assertEqual(rows[0].time, begin.timestamp())
        # And once more, when the minute in which it began is over.
        self.assertEqual([each["code"] for _, each in others], ["2330", "TXFR1", "2330"])
        (wait,) = self.waits
        self.assertTrue(0 < wait <= 65)

    def test_of_many_bars_only_the_newest_are_told(self) -> None:
        self.rows = KBARS_ROWS + 10
        self.run_one("TXFR1")
        self.assertEqual([len(each["ts"]) for _, each in self.told.events], [KBARS_ROWS, 5])

    def test_what_the_gateway_heard_whole_is_not_told(self) -> None:
        first = int(datetime(2026, 11, 23, 9, 0, tzinfo=TAIPEI).timestamp())
        heard = {"bars": {"time": [first, first + 60]}, "partial": [first + 60]}
        self.told.answer = heard
        self.run_one("TXFR1")
        question = ("sjgateway:bars", {"code": "TXFR1", "from": first})
        self.assertEqual(self.told.questions, [question] * 2)
        told = [[row.time for row in read_kbars(event)] for _, event in self.told.events]
        self.assertEqual(told, [[first + 60, first + 120]] * 2)
        self.told.events.clear()
        self.told.answer = {"bars": {"time": [first, first + 60, first + 120]}, "partial": []}
        self.run_one("TXFR1")
        self.assertEqual(self.told.events, [])

    def test_without_a_sensible_answer_all_is_told(self) -> None:
        for answer in ({}, {"error": "busy"}, {"bars": None}, {"bars": {"time": [[]]}}):
            self.told.answer = answer
            self.told.events.clear()
            self.run_one("TXFR1")
            self.assertEqual([len(event["ts"]) for _, event in self.told.events], [3, 3])

    def test_what_clients_have_to_hear_comes_at_a_pace(self) -> None:
        self.patch(backfill, "KBARS_PACE", 250)
        self.rows = 1_000
        self.run_one("A", "B", "C")
        self.assertEqual(self.waits[:2], [4, 4])

    def test_it_asks_from_the_evening_before_on(self) -> None:
        for day, since in ((30, 27), (29, 27), (28, 27), (27, 26)):  # a Monday, and back
            self.now = self.now.replace(day=day)
            self.asked.clear()
            self.run_one("2330")
            wanted = ("2330", f"2026-11-{since}", f"2026-11-{day}", KBARS_TIMEOUT)
            self.assertEqual(self.asked[0], wanted)

    def test_restarts_of_a_day_count_together(self) -> None:
        self.run_one("A", "B", "C", limit=10)  # twice each
        self.assertEqual(len(self.asked), 5)  # but only up to half of the limit
        self.run_one("A", "B", "C", limit=10)
        self.run_one("A", "B", "C", limit=10)
        self.assertEqual(len(self.asked), 10)
        self.assertEqual(self.told.events[-1][0], "python_error")
        self.assertIn("1 of 3 codes left out", self.told.events[-1][1]["error"])
        self.assertIn("left out", self.said[-1])
        self.now = self.now.replace(day=30, month=12)
        self.run_one("A", limit=10)
        self.assertEqual(len(self.asked), 12)
        self.assertEqual(self.path.read_text(), "2026-12-30 2\n")
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)

    def test_the_limits_are_half_of_the_brokers(self) -> None:
        self.assertLessEqual(KBARS_A_DAY, 270 / 2)
        pause = backfill.__dict__["KBARS_PAUSE"] or 0.5
        self.assertLessEqual(5 / pause, 50 / 2)

    def test_a_count_that_can_not_be_kept_asks_for_nothing(self) -> None:
        self.path.parent.parent.mkdir(parents=True)
        self.path.parent.write_text("a file")
        self.run_one("A")
        self.assertEqual(self.asked, [])
        self.assertEqual(self.told.names, ["python_error"])

    def test_a_count_that_can_not_be_read_begins_anew(self) -> None:
        for text in ("", "x", "2026-11-30", "2026-11-30 x", "2026-11-30 -5", "\0" * 200):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text(text)
            self.assertTrue(Quota(self.path, 5).take(), text)
            self.assertEqual(self.path.read_text(), "2026-11-30 1\n")

    def test_a_code_that_fails_costs_only_itself(self) -> None:
        self.fails = {"B"}
        self.run_one("A", "B", "C")
        codes = [each["code"] for _, each in self.told.events]
        self.assertEqual(codes, ["A", "C", "A", "C"])

    def test_a_broker_that_has_none_is_not_asked_again_and_again(self) -> None:
        self.fails = set("ABCDE")
        self.run_one(*"ABCDE")
        self.assertEqual(len(self.asked), KBARS_FAILURES)
        self.assertEqual(self.told.names, ["python_error"])

    def test_no_bars_are_no_event(self) -> None:
        self.rows = 0
        self.run_one("A")
        self.assertEqual(self.told.events, [])
        self.assertEqual(len(self.asked), 1)

    def test_it_waits_for_a_gateway_that_is_away(self) -> None:
        self.told.connected = False
        backfill = self.backfill("TXFR1")

        def wait(seconds: float) -> bool:
            if seconds == FIRST_TRY:
                self.assertEqual((self.told.questions, self.told.events), ([], []))
                self.told.connected = True
            return False

        backfill._stopped.wait = wait
        backfill._run()
        self.assertEqual(len(self.told.questions), 2)

    def test_a_stop_ends_it(self) -> None:
        backfill = self.backfill("A")
        backfill.stop()
        backfill._run()
        self.assertEqual((self.asked, self.told.events), ([], []))

    def test_where_the_count_is_kept(self) -> None:
        for environ, path in (
            ({"SJGATEWAY_STATE_DIR": "/a", "STATE_DIRECTORY": "/b"}, "/a/kbars.json"),
            ({"STATE_DIRECTORY": "/b:/c", "XDG_STATE_HOME": "/x"}, "/b/kbars.json"),
            ({"XDG_STATE_HOME": "/x", "HOME": "/h"}, "/x/sjgateway/kbars.json"),
            ({"HOME": "/h"}, "/h/.local/state/sjgateway/kbars.json"),
        ):
            self.assertEqual(Quota.of_kbars(environ)._path, Path(path))
