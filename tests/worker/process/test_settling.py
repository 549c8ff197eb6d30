"""Young workers are left alone until they rest."""

from __future__ import annotations

import os

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.worker.process.usage import LOOK_INTERVAL, LOOKS, SettleCheck
from tests.worker.real import RealTestCase, outcome, soon


class RestTests(SynchronousTestCase):
    def test_a_process_that_is_gone_rests(self) -> None:
        clock, done = Clock(), []
        SettleCheck(clock, 2**22 + 1, 60, lambda: done.append(clock.seconds()))
        clock.pump([LOOK_INTERVAL] * 20)
        self.assertEqual(len(done), 1)
        self.assertAlmostEqual(done[0], (1 + LOOKS) * LOOK_INTERVAL)

    def test_one_that_is_busy_is_waited_for_until_the_time_is_over(self) -> None:
        clock, done = Clock(), []
        SettleCheck(clock, os.getpid(), 1, lambda: done.append(clock.seconds()))
        clock.pump([LOOK_INTERVAL] * 30)
        self.assertEqual(len(done), 1)
        self.assertAlmostEqual(done[0], 1)

    def test_who_waits_can_be_told_not_to(self) -> None:
        clock, done = Clock(), []
        rest = SettleCheck(clock, os.getpid(), 1, lambda: done.append(clock.seconds()))
        rest.cancel()
        rest.cancel()
        self.assertEqual((clock.getDelayedCalls(), done), ([], []))


class StartTests(RealTestCase):
    async def test_a_worker_that_is_busy_starting_reaches_its_try(self) -> None:
        supervisor = self.supervisor("busy.py", "0.7")
        supervisor.start()
        await soon(lambda: supervisor.running)
        await supervisor.restart()
        self.assertEqual(len(self.noted("finally")), 1)
        self.assertEqual(len(self.noted("start")), 2)

    async def test_a_stop_waits_for_it_too(self) -> None:
        supervisor = self.supervisor("busy.py", "0.7")
        supervisor.start()
        await soon(lambda: supervisor.running)
        await supervisor.stop_worker()
        self.assertEqual((len(self.noted("finally")), self.told.count("running")), (1, 0))

    async def test_one_that_spoke_has_started(self) -> None:
        supervisor = self.supervisor("busy.py", "600")
        supervisor.start()
        await soon(lambda: supervisor.running)
        answer = outcome(supervisor.stop_worker())
        supervisor.heard("python_status", {})
        await soon(lambda: answer)

    async def test_one_that_is_busy_for_ever_has_started_after_a_while(self) -> None:
        supervisor = self.supervisor("busy.py", "600", settle=0.1)
        supervisor.start()
        await self.is_told("running")
        await supervisor.stop_worker()

    async def test_one_that_ends_meanwhile_is_not_waited_for(self) -> None:
        supervisor = self.supervisor("ending.py", "0", "0")
        supervisor.start()
        await soon(lambda: supervisor.running)
        await supervisor.stop_worker()
        self.assertEqual(supervisor.state, "stopped")

    async def test_a_kill_waits_for_nobody(self) -> None:
        supervisor = self.supervisor("busy.py", "600")
        supervisor.start()
        await soon(lambda: supervisor.running)
        await supervisor.stop(now=True)
        self.assertEqual(self.events[-1]["signal"], "SIGKILL")
