"""Bars of a made-up day, made in three ways: while it happens, of its recording, and by DuckDB."""

import csv
import io
from datetime import datetime
from pathlib import Path

import orjson
from twisted.trial.unittest import SynchronousTestCase

from gateway.cli.export import RecordedEvent
from gateway.engineio.packet import Packet
from gateway.history.bar_keeper import BarKeeper
from gateway.history.bar_query import COLUMNS, BarQuestion
from gateway.history.event_thread import Gap
from gateway.history.recorded_lines import gap_line
from gateway.market.hours import TAIPEI, Calendar
from tests.cli.command_case import CommandCase
from tests.history.made_up_day import ALIAS, FRIDAY, MONTH, MORE, MadeUpDay, Step, record
from tests.optional import package
from tests.untraced import untraced

SQL = Path(__file__).with_name("bars.sql").read_text()
DAY = MadeUpDay()
HALF = 1800

Rows = list[tuple]
"""Code, time in seconds since 1970, open, high, low, close, volume, partial."""


def by_duckdb(files: list[Path]) -> Rows:
    connection = package("duckdb").connect()
    return connection.execute(SQL, {"files": [str(file) for file in files]}).fetchall()


def assert_same(test: SynchronousTestCase, found: Rows, expected: Rows) -> None:
    """`assertEqual` takes minutes to show how long lists differ."""
    if found != expected:
        more, less = (set(expected), set(found))
        only = [row for row in found if row not in more]
        lacking = [row for row in expected if row not in less]
        test.fail(f"{len(only)} are new: {only[:5]}; {len(lacking)} are missing: {lacking[:5]}")


class LiveBars:
    """Bars as a gateway keeps them that hears `steps`, and is started again in between."""

    def __init__(self, path: Path, *, is_fast: bool = False) -> None:
        """`is_fast`: what comes between two starts comes at once, and then is written."""
        self._path = path
        self._is_fast = is_fast
        self._wall = 0.0
        self.told: list[str] = []

    def _start(self) -> BarKeeper:
        keeper = BarKeeper(
            Calendar(), self._path, days=30, wall=lambda: self._wall,
            log=self.told.append, on_problem=self.told.append, clock=lambda: self._wall,
        )  # fmt: skip
        keeper.begin()
        return keeper

    def hear(self, steps: list[Step]) -> None:
        keeper = None
        for step in steps:
            self._wall = step.wall
            if step.name is None:
                if keeper is not None:
                    keeper.close()
                keeper = self._start()
                continue
            assert keeper is not None
            packet = Packet(b"42" + orjson.dumps([step.name, dict(step.value)]))
            event = RecordedEvent(step.name, step.wall, (packet,), trusted=not step.other)
            keeper.take([event])
            if not self._is_fast:
                keeper.tick()
        assert keeper is not None
        keeper.book.flush()
        self.book = keeper.book

    def rows(self, *codes: str) -> Rows:
        found = []
        for code in codes or self.book.listed:
            answer = self.book.answer(BarQuestion(code))
            assert answer is not None
            told = orjson.loads(answer.body)
            assert not told["cut"]
            columns = zip(*(told["bars"][name] for name in COLUMNS), strict=True)
            found += [(code, *row, row[0] in told["partial"]) for row in columns]
        return found


class MadeUpDayTests(CommandCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir(parents=True)

    def exported(self, *arguments: object) -> Rows:
        status, out, err = self.run_main("export", *arguments)
        self.assertEqual((status, err), (0, ""))
        return [
            (
                row["code"], datetime.fromisoformat(row["time"]).timestamp(),
                *(float(row[name]) for name in COLUMNS[1:]), row["partial"] == "1",
            )
            for row in csv.DictReader(io.StringIO(out))
        ]  # fmt: skip

    def live(self, steps: list[Step], *, is_fast: bool = False) -> LiveBars:
        bars = LiveBars(self.folder / f"bars-{is_fast}.sqlite", is_fast=is_fast)
        bars.hear(steps)
        self.addCleanup(bars.book.close)
        self.assertEqual(bars.told, [])
        return bars

    @untraced
    def test_all_three_have_the_same_bars(self) -> None:
        files = record(DAY.steps, self.folder)
        bars = self.live(DAY.steps)
        found = self.exported(*files)
        assert_same(self, found, bars.rows())
        assert_same(self, found, self.live(DAY.steps, is_fast=True).rows())
        assert_same(self, found, by_duckdb(files))
        # Each difficulty is there: bars heard whole and in part, and the broker's.
        self.assertGreater(len(found), 1500)
        self.assertGreater(sum(row[6] < MORE for row in found), 1500)
        self.assertGreater(sum(row[6] > MORE for row in found), 100)
        self.assertGreater(sum(row[7] for row in found), 8)
        alias = [(MONTH, *row[1:]) for row in bars.rows(ALIAS)]
        assert_same(self, alias, [row for row in found if row[0] == MONTH])
        renamed = [(ALIAS, *row[1:]) for row in alias]
        assert_same(self, self.exported(*reversed(files), "--codes", ALIAS), renamed)

    @untraced
    def test_no_bar_is_outside_of_a_session_or_at_a_price_of_a_trial(self) -> None:
        steps = [step for step in DAY.steps if step.name != "market_kbars"]
        found = self.exported(*record(steps, self.folder))
        for code, time, _, high, low, _, _, _ in found:
            part = Calendar().session("stocks" if code == "2330" else "futures", _moment(time))
            self.assertIsNotNone(part, (code, time))
            prices = [trade.price for trade in DAY.trades if trade.code == code]
            self.assertTrue(min(prices) <= low <= high <= max(prices), (code, time))

    def test_a_gap_of_the_recording_makes_its_minutes_partial_and_lets_the_broker_in(self) -> None:
        """That DuckDB finds the same shows that the line is understood."""
        files = record(DAY.steps, self.folder)
        before = self.exported(*files)
        since = DAY.at(FRIDAY, "16:00:10")
        at = next(step.wall for step in DAY.steps if step.wall > since)
        gap = gap_line(Gap(at - 0.001, at - 0.0005, 3))
        (self.folder / "gap").mkdir()
        steps = [step for step in DAY.steps if not since <= step.wall < since + HALF]
        files = record(steps, self.folder / "gap", more=[(at - 0.001, gap)])
        found = self.exported(*files)
        assert_same(self, found, by_duckdb(files))
        self.assertTrue(found != before)

    @untraced
    def test_longer_bars_are_made_of_the_minutes(self) -> None:
        files = record(DAY.steps, self.folder)
        minutes = self.exported(*files)
        for name, seconds in (("5m", 300), ("1h", 3600)):
            groups: dict[tuple, Rows] = {}
            for row in minutes:
                night = _moment(row[1]).hour not in range(8, 14)
                opens = {"2330": 9 * 3600}.get(row[0], (15 if night else 8.75) * 3600)
                offset = (row[1] + 8 * 3600 - opens) % 86400
                start = row[1] - offset % seconds
                groups.setdefault((row[0], start), []).append(row)
            expected = [
                (
                    *key, rows[0][2], max(row[3] for row in rows), min(row[4] for row in rows),
                    rows[-1][5], sum(row[6] for row in rows), any(row[7] for row in rows),
                )
                for key, rows in groups.items()
            ]  # fmt: skip
            assert_same(self, self.exported(*files, "--bars", name), expected)


def _moment(time: float) -> datetime:
    return datetime.fromtimestamp(time, TAIPEI)
