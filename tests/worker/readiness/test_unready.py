"""Workers that do not become ready."""

from __future__ import annotations

from types import SimpleNamespace

from twisted.trial.unittest import SynchronousTestCase

from gateway.worker.readiness.overdue import ReadyWatch
from tests.worker.fakes import Time, settings
from tests.worker.real import RealTestCase, soon

KEYS = {"SJ_KEY": "a-key", "SJ_SEC": "a-secret"}


class ReadyWatchTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.told: list[str] = []
        self.waits = False
        self.watch = ReadyWatch(60, lambda run: self.waits, self.told.append)

    def look(self, lived: float, *, ready: bool = False, generation: int = 1) -> list[str]:
        vitals = SimpleNamespace(lived=lived, was_ready=ready)
        self.run_ = SimpleNamespace(vitals=vitals, generation=generation)
        self.watch.look(self.run_)
        told, self.told[:] = list(self.told), []
        return told

    def test_it_is_told_once_a_start_and_that_it_is_over(self) -> None:
        self.assertEqual(self.look(59), [])
        self.assertEqual(self.look(60), ["unready"])
        self.assertEqual(self.look(61), [])
        self.assertTrue(self.watch.overdue(self.run_))
        self.assertEqual(self.look(62, ready=True), ["ready"])
        self.assertFalse(self.watch.overdue(self.run_))
        self.assertEqual(self.look(63, ready=True), [])
        self.assertEqual(self.look(60, generation=2), ["unready"])
        self.assertEqual(self.look(60, generation=3), ["unready"])
        self.assertEqual(self.look(5, generation=4, ready=True), ["ready"])

    def test_nobody_is_told_while_it_may_wait(self) -> None:
        self.waits = True
        self.assertEqual(self.look(1000), [])
        self.assertFalse(self.watch.overdue(self.run_))
        self.waits = False
        self.assertEqual(self.look(1001), ["unready"])

    def test_a_worker_that_is_ready_in_time_is_no_news(self) -> None:
        self.assertEqual(self.look(59, ready=True) + self.look(61, ready=True), [])

    def test_zero_gives_it_any_time(self) -> None:
        self.watch = ReadyWatch(0, lambda run: False, self.told.append)
        self.assertEqual(self.look(10**9), [])

    def test_a_minute_is_the_default(self) -> None:
        self.assertEqual(settings().ready_within, 60)
        self.assertEqual(Time().seconds(), 0)


class SilentWorkerTests(RealTestCase):
    """Real workers that never say that they are ready."""

    async def overdue(self, **changes: object) -> bool:
        """Whether browsers are told, a look after it is due."""
        supervisor = self.supervisor("polite.py", ready_within=0.1, **changes)
        await self.up(supervisor)
        await soon(lambda: supervisor.status()["uptime"] > 0.1)
        supervisor.checks.look()
        self.assertEqual(supervisor.status()["unready"], "unready" in self.told)
        return "unready" in self.told

    async def test_browsers_are_told_with_the_reason(self) -> None:
        self.assertTrue(await self.overdue(environ=KEYS))
        event = await self.is_told("unready")
        self.assertIn("not ready", event["message"])
        self.assertIsNotNone(event["pid"])

    async def test_not_without_credentials(self) -> None:
        self.assertFalse(await self.overdue())
        self.assertFalse(await self.overdue(environ={"SJ_KEY": "a-key"}))

    async def test_not_when_its_market_is_closed(self) -> None:
        self.assertFalse(await self.overdue(environ=KEYS, trades=lambda now: False))
