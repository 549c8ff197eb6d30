import os
import signal

from gateway.ops.metrics.worker import STATES, WorkerMetrics
from tests.ops.metrics.reading import read
from tests.worker.real import RealTestCase, soon


class WorkerMetricsTests(RealTestCase):
    """A supervisor with real processes, watched through its numbers alone."""

    def start(self, script, *arguments, **changes):
        self.made = self.supervisor(script, *arguments, **changes)
        self.metrics = WorkerMetrics(self.made.status)
        self.made.start()

    def emit(self, name, value):
        super().emit(name, value)
        self.metrics.published(name, value)

    def numbers(self):
        return read(self.metrics)

    def state(self):
        found = self.numbers()
        return [state for state in STATES if found[f'worker_state{{state="{state}"}}']]

    async def test_a_worker_that_is_killed_and_asked_to_stop(self):
        self.start("polite.py")
        await soon(lambda: self.state() == ["running"])
        found = self.numbers()
        self.assertEqual(
            [found["worker_up"], found["worker_ready"], found["worker_restarts_total"]], [1, 0, 0]
        )
        self.assertGreater(found["worker_uptime_seconds"], 0)
        self.assertEqual(
            [found["worker_starts_today"], found["worker_budget"], found["worker_pause_seconds"]],
            [1, 200, 0],
        )
        self.made.heard("shioaji_ready", {})
        self.assertEqual(self.numbers()["worker_ready"], 1)
        os.kill(self.made.pid, signal.SIGSEGV)
        await soon(lambda: self.numbers()["worker_restarts_total"] == 1)
        await soon(lambda: self.state() == ["running"])
        await self.made.stop_worker()
        found = self.numbers()
        self.assertEqual(self.state(), ["stopped"])
        self.assertEqual(found['worker_exits_total{class="native-crash"}'], 1)
        self.assertEqual(found['worker_exits_total{class="asked"}'], 1)
        self.assertEqual((found["worker_up"], found["worker_starts_today"]), (0, 2))
        self.assertNotIn("worker_uptime_seconds", found)
        self.assertNotIn("worker_next_start_seconds", found)

    async def test_a_worker_that_fails_until_it_is_given_up(self):
        self.start("ending.py", "3", "0.3", fatal_after=3)
        await soon(lambda: self.state() == ["fatal"])
        found = self.numbers()
        self.assertEqual(found['worker_exits_total{class="other"}'], 3)
        self.assertEqual(found["worker_restarts_total"], 2)

    async def test_a_pause(self):
        self.start("ending.py", "3", "0.3", budget=5)
        self.made.heard("python_error", {"error": "login failed: code 503"})
        await soon(lambda: self.state() == ["backoff"])
        found = self.numbers()
        for name in ("worker_pause_seconds", "worker_next_start_seconds"):
            self.assertTrue(0 < found[name] <= 60, found)
        self.assertEqual(found["worker_budget"], 5)
