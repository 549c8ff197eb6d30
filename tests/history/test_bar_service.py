"""Bars with their thread: questions from the reactor, answers to it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import orjson
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, gatherResults
from twisted.trial.unittest import TestCase

from gateway.history.bar_query import Answer, problem
from gateway.history.bar_service import (
    BUSY,
    MOST_OF_ONE,
    BarService,
    BarSettings,
    no_bars,
)
from gateway.market.hours import Calendar
from tests.history.test_bar_keeper import event
from tests.history.test_bars import at, told
from tests.patience import PATIENCE


class ServiceTests(TestCase):
    timeout = 2 * PATIENCE

    def setUp(self) -> None:
        self.path = Path(self.mktemp()) / "bars.db"
        self.bars = self.make()

    def make(self) -> BarService:
        settings = BarSettings(path=self.path)
        return BarService(settings, Calendar(), reactor, wall=lambda: at("12:00"))

    def start(self) -> None:
        self.bars.start()
        self.addCleanup(self.bars.stop)

    def trade(self, when: str, total: float) -> None:
        tick = told(datetime=f"2026-11-30T{when}", total_volume=total)
        self.bars.tap.collect([event("market_tick", tick, wall=at("12:00"))])

    async def test_a_question_hears_of_everything_that_came_before_it(self) -> None:
        self.start()
        for total in range(1, 51):
            self.trade("09:00:00", total)
        answer = await self.bars.ask({"code": "TXFL6"}, "someone")
        self.assertEqual(orjson.loads(answer.body)["bars"]["volume"], [51])
        self.assertEqual(self.bars.status().questions, 1)

    async def test_what_came_before_the_stop_is_kept(self) -> None:
        self.bars.start()
        self.trade("09:00:00", 1)
        await self.bars.stop()
        self.bars = self.make()
        self.start()
        answer = await self.bars.ask({"code": "TXFL6"}, "someone")
        self.assertEqual(orjson.loads(answer.body)["bars"]["volume"], [2])

    async def test_a_question_that_makes_no_sense_is_answered_at_once(self) -> None:
        answer = self.successResultOf(self.bars.ask({"code": ""}, "someone"))
        self.assertEqual(answer.status, 400)
        self.assertIn("code", orjson.loads(answer.body)["error"])
        self.assertEqual(self.successResultOf(no_bars({}, "x")).status, 404)

    async def test_the_number_of_questions_is_bounded(self) -> None:
        one = [self.bars.ask({"code": "A"}, "one") for _ in range(MOST_OF_ONE + 1)]
        busy = self.successResultOf(one.pop())
        self.assertEqual(busy, problem(503, BUSY))
        others = [self.bars.ask({"code": "A"}, f"{number}") for number in range(60)]
        self.assertEqual(self.successResultOf(self.bars.ask({"code": "A"}, "late")).status, 503)
        self.start()
        answers: list[Answer] = await gatherResults([*one, *others])
        self.assertEqual({each.status for each in answers}, {200})
        await self.bars.ask({"code": "A"}, "late")
        self.assertEqual(self.bars._asking.total(), 0)

    async def test_a_question_that_is_cancelled_makes_room_when_its_turn_comes(self) -> None:
        asked = [self.bars.ask({"code": "A"}, "one") for _ in range(MOST_OF_ONE)]
        for each in asked:
            each.cancel()
            self.failureResultOf(each, CancelledError)
        self.assertEqual(self.successResultOf(self.bars.ask({"code": "A"}, "one")).status, 503)
        self.start()
        await self.bars.ask({"code": "A"}, "other")
        await self.bars.ask({"code": "A"}, "one")

    async def test_an_error_is_an_answer_and_costs_the_thread_nothing(self) -> None:
        broken = self.patch(self.bars._keeper.book, "answer", lambda _: 1 / 0)
        self.start()
        answer = await self.bars.ask({"code": "A"}, "one")
        self.assertEqual(answer.status, 500)
        self.flushLoggedErrors(ZeroDivisionError)
        broken.restore()
        self.assertEqual((await self.bars.ask({"code": "A"}, "one")).status, 200)
        self.flushLoggedErrors(ZeroDivisionError)

    async def test_trouble_with_the_file_is_told(self) -> None:
        heard: list[str] = []
        self.path.mkdir(parents=True)
        self.bars.listeners.append(heard.append)
        self.start()
        answer = await self.bars.ask({"code": "A"}, "one")
        self.assertEqual(answer.status, 503)
        self.assertEqual(len(heard), 1)
        self.assertEqual(self.bars.status().problem, heard[0])
        self.path.rmdir()
        self.trade("09:00:00", 1)
        while len(heard) < 2:
            await self.bars.ask({"code": "A"}, "one")
        self.assertEqual(heard[1], "")


class NothingTests(TestCase):
    def test_no_thread_before_the_start(self) -> None:
        before = threading.active_count()
        settings: Any = BarSettings(path=Path(self.mktemp()))
        bars = BarService(settings, Calendar(), reactor)
        self.assertEqual(threading.active_count(), before)
        self.assertEqual(bars.status().codes, 0)
        self.successResultOf(bars.stop())
