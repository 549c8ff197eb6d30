"""Bars that one gateway tells another one, which was away."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import msgspec
from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from gateway.history import bar_book
from gateway.history.bar_keeper import BarKeeper
from gateway.history.bar_page import Page, Wish
from gateway.history.bar_service import BarService, BarSettings
from gateway.history.bar_store import BROKER, PARTIAL, WHOLE
from gateway.history.bars import KeptBar
from gateway.market.hours import Calendar
from tests.history.test_bar_keeper import KeeperTestCase, event
from tests.history.test_bars import at, kbars, told
from tests.patience import PATIENCE

NOON = int(at("12:00"))


class PageTests(KeeperTestCase):
    """`self.keeper` is that of the gateway which has heard all."""

    def setUp(self) -> None:
        super().setUp()
        self.path = self.folder / "other.db"
        self.other = self.start()

    def both(self, *trade: Any) -> None:
        """Both gateways hear a trade."""
        for _ in range(2):
            self.trade(*trade)
            self.keeper, self.other = self.other, self.keeper

    def copy(self, begin: int = 0, end: int = NOON) -> int:
        """Bring all to the other one; how many pages."""
        wish, pages = Wish(begin, end), 0
        while True:
            told = msgspec.to_builtins(self.keeper.present.page(wish))
            page = msgspec.convert(msgspec.msgpack.decode(msgspec.msgpack.encode(told)), Page)
            self.other.book_of(page.mark).join(page)
            pages += 1
            if page.after is None:
                return pages
            wish = Wish(begin, end, page.after)

    def answers(self, **fields: Any) -> list[Any]:
        found = []
        for _ in range(2):
            found.append(self.ask(**fields))
            self.keeper, self.other = self.other, self.keeper
        return found

    def test_a_gateway_that_came_late_answers_as_one_that_heard_all(self) -> None:
        self.trade("08:45:00", 100, 1)
        self.trade("08:46:30", 103, 4, 3)
        for second, total in ((40, 6), (50, 7)):
            self.both(f"08:46:{second}", 90, total, 1)
        self.both("08:47:10", 95, 9, 2)
        one, other = self.answers()
        self.assertNotEqual(one["bars"], other["bars"])
        self.assertEqual(other["partial"], [int(at("08:46"))])
        self.copy()
        one, other = self.answers()
        self.assertEqual(one, other)
        self.assertEqual(one["partial"], [])

    def test_what_comes_afterwards_is_added_once(self) -> None:
        self.trade("08:45:00", 100, 1)
        self.both("08:46:10", 101, 2)
        self.copy(end=int(at("08:46")))
        self.both("08:46:20", 102, 5, 3)
        self.both("08:47:00", 103, 6)
        self.copy(begin=int(at("08:46")), end=int(at("08:47")))
        one, other = self.answers()
        self.assertEqual(one, other)

    def test_only_what_was_wished_for_is_told(self) -> None:
        for minute in range(45, 50):
            self.trade(f"08:{minute}:00", 100, minute)
        page = self.keeper.present.page(Wish(int(at("08:46")), int(at("08:48"))))
        times = [bar.time for bar in page.bars["TXFL6"]]
        self.assertEqual(times, [int(at("08:46")), int(at("08:47"))])

    def test_much_is_told_in_pages(self) -> None:
        self.patch(bar_book, "MOST_ROWS", 3)
        for code in ("TXFL6", "TXFA7", "TXFB7"):
            for minute in range(45, 50):
                time = f"2026-11-30T08:{minute}:00"
                value = told(code=code, datetime=time, total_volume=minute)
                self.hear("market_tick", value)
        self.assertEqual(self.copy(), 6)
        for code in ("TXFL6", "TXFA7", "TXFB7"):
            one, other = self.answers(code=code)
            self.assertEqual(one, other)

    def test_what_is_better_known_wins(self) -> None:
        self.second()
        for ours, theirs, wanted in (
            (WHOLE, BROKER, WHOLE),
            (WHOLE, PARTIAL, WHOLE),
            (BROKER, WHOLE, "theirs"),
            (BROKER, PARTIAL, BROKER),
            (PARTIAL, WHOLE, "theirs"),
            (PARTIAL, BROKER, "theirs"),
            (PARTIAL, PARTIAL, "theirs"),
        ):
            book = self.keeper.present
            time = NOON - 3600
            bars = [
                KeptBar(time, 1, 1, 1, 1, 5, time, ours),
                KeptBar(time, 2, 2, 2, 2, 6, time, theirs),
            ]
            code = f"{ours}{theirs}"
            for bar in bars:
                book.join(Page("", bars={code: [bar]}))
            (row,) = self.rows(code=code)
            self.assertEqual(row[1], 2 if wanted == "theirs" else 1, (ours, theirs))
        book.join(Page("", bars={"less": [bars[1]]}))
        book.join(Page("", bars={"less": [bars[0]._replace(kind=PARTIAL)]}))
        ((*_, volume),) = self.rows(code="less")
        self.assertEqual(volume, 6, "of two parts that with more")

    def test_codes_that_stood_for_others_and_the_newest_ticks_are_told_too(self) -> None:
        contract = {"code": "TXFR1", "target_code": "TXFL6"}
        self.hear("market_contract", contract)
        self.trade("08:45:00", 100, 1)
        self.hear("market_kbars", kbars("08:44:00"))
        self.second()
        self.copy()
        one, other = self.answers(code="TXFR1")
        self.assertEqual(one, other)
        self.assertEqual(other["newest"], at("08:45:00"))
        self.assertEqual(len(other["bars"]["time"]), 2)

    def test_what_is_no_market_stays_apart(self) -> None:
        self.trade("08:45:00", 100, 1, 1, demo=True)
        self.copy()
        self.assertEqual(self.other.book.codes, 0)
        self.assertEqual(self.other.book_of("demo").codes, 1)

    def test_it_is_there_after_a_restart(self) -> None:
        self.trade("08:45:00", 100, 1)
        self.trade("08:46:00", 100, 2)
        self.copy()
        self.keeper = self.other
        self.restart()
        self.assertEqual(len(self.rows()), 2)


class ExchangeTests(TestCase):
    timeout = 2 * PATIENCE

    def setUp(self) -> None:
        settings = BarSettings(path=Path(self.mktemp()) / "bars.db")
        self.bars = BarService(settings, Calendar(), reactor, wall=lambda: at("12:00"))
        self.bars.start()
        self.addCleanup(self.bars.stop)

    async def test_answers_have_their_place_among_the_events(self) -> None:
        tick = event("market_tick", told(), wall=at("12:00"))
        self.bars.tap.collect([tick])
        missed = self.bars.exchange.missed()
        self.bars.tap.collect([event("market_tick", told(total_volume=1001), wall=at("12:00"))])
        page = await self.bars.exchange.tell(Wish(0, NOON))
        self.assertEqual(await missed, at("09:00:00.5"))
        (bar,) = page.bars["TXFL6"]
        self.assertEqual((bar.volume, bar.kind), (3, PARTIAL))
        await self.bars.exchange.take(page)

    async def test_what_fails_is_told_to_who_asked(self) -> None:
        def fail(*_: Any) -> None:
            raise sqlite3.OperationalError("disk I/O error")

        self.patch(BarKeeper, "present", property(fail))
        with self.assertRaises(sqlite3.OperationalError):
            await self.bars.exchange.tell(Wish(0, NOON))
