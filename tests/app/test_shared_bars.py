"""A gateway that was away asks another one for the bars that it lacks."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
from twisted.internet import reactor
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock, LoopingCall
from twisted.trial.unittest import SynchronousTestCase

from gateway.app import shared_bars
from gateway.app.history_taps import NAMESPACE
from gateway.app.neighbours import Neighbours
from gateway.app.shared_bars import LATER, MEET, SharedBars
from gateway.contract import NoWorker
from gateway.history.bar_keeper import NAMES_HEARD
from gateway.history.bar_page import Page, Wish
from gateway.history.bar_service import BarService, BarSettings
from gateway.history.bars import KeptBar
from gateway.market.hours import TAIPEI, Calendar
from tests.cluster.links import FakeRedis
from tests.cluster.test_mail import Office
from tests.cluster.world import ClusterCase, Node, until
from tests.history.test_bars import told

WALL = 1_800_000_000.0


class FakeExchange:
    """Bars in memory: `pages` are told, one after the other."""

    def __init__(self) -> None:
        self.newest = 0.0
        self.pages: list[Page | Exception] = []
        self.wishes: list[Wish] = []
        self.taken: list[Page] = []

    def missed(self) -> Deferred[float]:
        return succeed(self.newest)

    def tell(self, wish: Wish) -> Deferred[Page]:
        self.wishes.append(wish)
        page = self.pages.pop(0)
        return fail(page) if isinstance(page, Exception) else succeed(page)

    def take(self, page: Page) -> Deferred[None]:
        self.taken.append(page)
        return succeed(None)


class AskingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        redis = FakeRedis()
        self.offices = [Office(name, redis, self.clock) for name in "ab"]
        self.here, self.there = FakeExchange(), FakeExchange()
        self.whom = "b"
        self.bars = self.shared(self.here, self.offices[0])
        self.shared(self.there, self.offices[1])

    def shared(self, exchange: Any, office: Office) -> SharedBars:
        return SharedBars(
            exchange,
            office.questions,
            lambda: self.whom,
            clock=self.clock.seconds,
            wall=lambda: WALL + self.clock.seconds(),
        )

    def after(self, seconds: float) -> None:
        """So many seconds pass; letters are brought at once."""
        self.clock.advance(seconds)
        self.bars.look()
        for _ in range(3):
            for office in self.offices:
                office.fetch()

    def page(self, **given: Any) -> Page:
        bar = KeptBar(int(WALL) - 600, 1, 1, 1, 1, 1, 0, 0)
        return Page("", bars={"TXFL6": [bar]}, **given)

    def test_it_asks_when_it_knows_somebody_and_again_when_its_first_minute_is_over(self) -> None:
        self.here.newest = WALL - 3600
        self.bars.attached(0)
        self.after(MEET - 1)
        self.assertEqual(self.there.wishes, [])
        self.there.pages = [self.page()]
        self.after(1)
        (first,) = self.there.wishes
        self.assertEqual(first.begin, (WALL - 3600) // 60 * 60)
        self.assertLess(first.end, WALL + MEET - 60)
        self.assertEqual(self.here.taken, [self.page()])
        self.there.pages = [self.page()]
        self.after(LATER - MEET)
        second = self.there.wishes[1]
        self.assertLess(second.begin, first.end)
        self.assertGreater(second.end, WALL - 60 + 60, "the minute in which it came is over")
        self.after(10 * LATER)
        self.assertEqual(len(self.there.wishes), 2)

    def test_it_asks_for_page_after_page(self) -> None:
        self.bars.attached(0)
        places = [("TXFL6", 60), ("TXFL6", 120), None]
        self.there.pages = [self.page(after=after) for after in places]
        self.after(MEET)
        for _ in range(3):
            self.after(0)
        self.assertEqual([each.after for each in self.there.wishes], [None, *places[:2]])
        self.assertEqual(len(self.here.taken), 3)

    def test_what_it_was_not_told_it_asks_for_later(self) -> None:
        self.here.newest = WALL - 3600
        self.bars.attached(0)
        self.there.pages = [OSError("the disk is full")]
        self.after(MEET)
        self.assertEqual(self.here.taken, [])
        self.there.pages = [self.page()]
        self.after(LATER)
        self.assertEqual(self.there.wishes[1].begin, self.there.wishes[0].begin)
        self.assertEqual(len(self.here.taken), 1)

    def test_what_is_no_page_is_not_taken(self) -> None:
        self.offices[1].questions.handlers[shared_bars.BARS] = lambda *_: {"bars": "nonsense"}
        self.bars.attached(0)
        self.after(MEET)
        self.assertEqual(self.here.taken, [])

    def test_it_asks_until_it_was_told_all(self) -> None:
        self.here.newest = WALL - 3600
        self.bars.attached(0)
        self.there.pages = [OSError("the disk is full"), OSError("still")]
        self.after(MEET)
        self.after(LATER)
        self.there.pages = [self.page(after=("TXFL6", 60)), OSError("again")]
        self.after(LATER)
        self.after(0)
        self.there.pages = [self.page()]
        self.after(LATER)
        self.assertEqual(self.there.pages, [])
        begins = {each.begin for each in self.there.wishes}
        self.assertEqual(begins, {(WALL - 3600) // 60 * 60}, "each time all that is missing")
        self.after(10 * LATER)
        self.assertEqual(len(self.there.wishes), 5, "after that no more")

    def test_it_waits_until_it_knows_somebody(self) -> None:
        self.whom = ""
        self.bars.attached(0)
        self.after(10 * LATER)
        self.whom = "b"
        self.there.pages = [self.page()]
        self.after(1)
        (wish,) = self.there.wishes
        self.assertGreater(wish.end, WALL + 10 * LATER - 63, "what was missed until now")
        self.after(10 * LATER)
        self.assertEqual(len(self.there.wishes), 1)


class Gateway:
    """One gateway of a cluster with bars, in this process."""

    def __init__(self, node: Node, path: Path) -> None:
        self.node = node
        self.bars = BarService(BarSettings(path=path), Calendar(), reactor)
        for name in NAMES_HEARD:
            node.relay.hubs[NAMESPACE].listen(name, self.bars.tap.collect_one)
        self.bars.start()
        self.neighbours = Neighbours(reactor, node.cluster, NoWorker(), None, int)
        history: Any = SimpleNamespace(bars=self.bars, missed=int)
        self.neighbours.share(history)
        self.looks = LoopingCall(self.neighbours._look)
        self.looks.start(0.05)

    async def answer(self) -> dict[str, Any]:
        answer = await self.bars.ask({"code": "TXFL6"}, "somebody")
        found: dict[str, Any] = orjson.loads(answer.body)
        return found

    def close(self) -> Any:
        self.looks.stop()
        for name in ("g1", "g2"):  # that one may be asked at this moment
            self.neighbours._questions.gone(name)
        return self.bars.stop()


class RealTests(ClusterCase):
    def gateway(self, name: str) -> Gateway:
        made = Gateway(self.node(name), Path(self.mktemp()))
        self.addCleanup(made.close)
        return made

    async def test_a_gateway_that_starts_later_has_the_bars_of_the_others(self) -> None:
        self.patch(shared_bars, "MEET", 0.0)
        one = self.gateway("g1")
        speaker = await one.node.ear()
        begin = datetime.now(TAIPEI) - timedelta(hours=2)
        for number in range(5):
            moment = begin + timedelta(minutes=number)
            tick = told(datetime=moment.isoformat(), total_volume=number + 1)
            speaker.emit("market_tick", tick)
        await until(lambda: one.node.log.head == 5, "the ticks")
        wanted = await one.answer()
        self.assertEqual(len(wanted["bars"]["time"]), 5)
        two = self.gateway("g2")
        await until(lambda: two.bars.status().filled == 5, "the bars")
        self.assertEqual(await two.answer(), wanted)
