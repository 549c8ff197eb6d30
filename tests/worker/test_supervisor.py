"""The supervisor as the routes and the relay see it, with real workers."""

from __future__ import annotations

import json

from gateway.contract import PausedError
from gateway.worker.process.usage import tree

from .real import RealTestCase, outcome, soon


class HealthTests(RealTestCase):
    async def test_ready_is_what_the_worker_says_after_its_last_start(self) -> None:
        supervisor = self.supervisor("polite.py", heartbeat=0.05, heartbeats_late=2)
        await self.up(supervisor)
        self.assertFalse(supervisor.ready)
        supervisor.heard("shioaji_ready", {"status": "ok"})
        self.assertTrue(supervisor.ready)
        await soon(lambda: not supervisor.ready, "a late heartbeat")
        supervisor.heard("heartbeat", {})
        self.assertTrue(supervisor.ready)
        supervisor.gone()
        self.assertFalse(supervisor.ready)
        supervisor.heard("heartbeat", {})
        self.assertTrue(supervisor.ready)
        await supervisor.restart()
        self.assertFalse(supervisor.ready)

    async def test_the_watchdog_restarts_a_worker_whose_heartbeat_is_late(self) -> None:
        supervisor = self.supervisor("polite.py", heartbeat=0.1, watchdog=2, watchdog_grace=0.5)
        await self.up(supervisor)
        await soon(lambda: len(self.noted("start")) >= 2, "the watchdog")
        self.assertEqual(self.noted("finally")[0], self.noted("start")[0])

    async def test_a_word_from_the_worker_ends_its_start(self) -> None:
        supervisor = self.supervisor("polite.py", settle=60.0)
        supervisor.start()
        answer = outcome(supervisor.start_worker())
        await soon(lambda: self.noted("start"))
        self.assertEqual((answer, supervisor.running), ([], True))
        supervisor.heard("python_status", {"status": "starting"})
        self.assertEqual(supervisor.state, "running")
        self.assertEqual(answer, [{"pid": supervisor.pid}])

    async def test_status_tells_everything_as_json(self) -> None:
        supervisor = self.supervisor("polite.py", schedule=("40 8 * * 1-5",))
        pid = await self.up(supervisor)
        await supervisor.restart()
        status = json.loads(json.dumps(supervisor.status()))
        self.assertEqual((status["state"], status["pid"]), ("running", supervisor.pid))
        self.assertEqual((status["generation"], status["restarts"]), (2, 1))
        self.assertEqual((status["budget"]["used"], status["budget"]["limit"]), (2, 200))
        self.assertEqual((status["exits"][0]["pid"], status["exits"][0]["asked"]), (pid, True))
        self.assertEqual(status["lastExit"], status["exits"][0])
        self.assertGreater(status["memoryBytes"], 1 << 20)
        self.assertIn("T00:40:00.000Z", status["schedule"]["nextRestart"])
        self.assertGreaterEqual(status["uptime"], 0)

    async def test_events_have_all_keys_and_one_object(self) -> None:
        supervisor = self.supervisor("ending.py", "1", fatal_after=2)
        supervisor.start()
        await self.is_told("fatal")
        self.assertEqual({frozenset(event) for event in self.events}, {frozenset(self.events[0])})
        for event in self.events:
            json.dumps(event)
            self.assertRegex(event["timestamp"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")

    async def test_a_broker_code_on_stderr_is_heard_at_once(self) -> None:
        supervisor = self.supervisor("output.py", "say=status_code: 451")
        await self.up(supervisor, "say")
        await self.assertFailure(supervisor.restart(), PausedError)
        self.assertTrue(supervisor.running)

    async def test_before_the_first_start_everything_answers(self) -> None:
        supervisor = self.supervisor("polite.py")
        supervisor.heard("shioaji_ready", {})
        supervisor.gone()
        self.assertEqual(
            (supervisor.running, supervisor.ready, supervisor.pid, supervisor.guardian_pid),
            (False, False, None, None),
        )
        self.assertEqual((tree(supervisor.guardian_pid), supervisor.log_tail(5)), (set(), []))
        self.assertEqual(supervisor.status()["state"], "stopped")
        self.assertIsNone(supervisor.health()["lastExit"])


class DevTests(RealTestCase):
    async def test_a_change_beside_main_py_restarts_the_worker(self) -> None:
        folder = self.new_folder()
        (folder / "main.py").write_text("import time; time.sleep(600)")
        supervisor = self.supervisor(folder / "main.py", dev=True)
        supervisor.start()
        await self.is_told("running")
        (folder / "helper.py").write_text("x = 1")
        await self.is_told("running", 2)


class LoggerTests(RealTestCase):
    async def test_a_ledger_that_can_not_be_kept_is_told_and_workers_run(self) -> None:
        blocked = self.new_folder() / "file"
        blocked.write_text("")
        supervisor = self.supervisor("polite.py", state_dir=blocked)
        await self.up(supervisor)
        self.assertEqual(supervisor.status()["budget"]["used"], 1)
