"""Feeds that are silent while their market trades, and what is done about it."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.market.freshness import CLOSED, GONE, SILENT
from gateway.worker.readiness.overdue import SilentFeeds
from tests.worker.real import RealTestCase, soon


class SilentFeedsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.at: list[float] = []
        self.feeds = self.make(60)

    def make(self, after: float) -> SilentFeeds:
        return SilentFeeds(self.clock, after, lambda reason: self.at.append(self.clock.seconds()))

    def tell(self, status: str, reason: str = "", market: str = "futures") -> None:
        self.feeds.told("feed_status", {"status": status, "reason": reason, "market": market})

    def run_for(self, seconds: int) -> list[float]:
        self.clock.pump([10] * (seconds // 10))
        return self.at

    def test_each_restart_is_waited_for_longer(self) -> None:
        self.tell("stale", SILENT)
        self.tell("stale", SILENT)
        self.assertEqual(self.run_for(1000), [60, 180, 420, 900])

    def test_a_tick_and_the_close_end_the_wait(self) -> None:
        for status, reason in (("live", ""), ("closed", CLOSED)):
            self.tell("stale", SILENT)
            self.run_for(50)
            self.tell(status, reason)
            self.assertEqual(self.run_for(1000), [])
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_after_it_was_heard_it_begins_anew(self) -> None:
        self.tell("stale", SILENT)
        self.run_for(200)
        self.tell("live")
        self.tell("stale", SILENT)
        self.assertEqual(self.run_for(100), [60, 180, 260])

    def test_a_worker_that_is_gone_is_not_restarted_for_that(self) -> None:
        self.tell("stale", GONE)
        self.feeds.told("python_status", {"status": "running"})
        self.assertEqual(self.run_for(1000), [])

    def test_zero_is_never_and_the_end_ends_it(self) -> None:
        self.feeds = self.make(0)
        self.tell("stale", SILENT)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.feeds = self.make(60)
        self.tell("stale", SILENT)
        self.feeds.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])


class RestartTests(RealTestCase):
    """Real workers whose feed is silent."""

    STALE = {"status": "stale", "reason": SILENT, "market": "stocks"}  # noqa: RUF012

    async def test_the_worker_is_restarted_and_it_costs_a_start(self) -> None:
        supervisor = self.supervisor("polite.py", restart_silent=0.1)
        await self.up(supervisor)
        supervisor.told("feed_status", self.STALE)
        await soon(lambda: len(self.noted("start")) == 2)
        self.assertEqual(supervisor.status()["budget"]["used"], 2)

    async def test_not_beyond_the_budget(self) -> None:
        supervisor = self.supervisor("polite.py", restart_silent=0.01, budget=1)
        await self.up(supervisor)
        asked: list[bool] = []
        supervisor.gate.checks.append(lambda *, person, force: asked.append(person))
        supervisor.told("feed_status", self.STALE)
        await soon(lambda: len(asked) >= 3)
        self.assertEqual((self.noted("start"), supervisor.state), ([supervisor.pid], "running"))
        self.assertFalse(any(asked), "no person asks")
