"""One source for one gateway, from the first word to the last."""

import queue
import time
from itertools import pairwise

from twisted.trial.unittest import SynchronousTestCase

from gateway.client.console import log
from gateway.client.source import MissingPackage, NoCredentials, SessionLost, Source
from gateway.client.worker import Stopped, Worker
from tests.client.told import Told


class FakeSource(Source):
    """Publishes nothing; says what it does."""

    def __init__(self, told: Told, *, failure: Exception | None = None) -> None:
        self.told = told
        self.failure = failure
        self.closing: Exception | None = None

    def open(self):
        self.told.emit("open", {})
        yield
        if self.failure is not None:
            raise self.failure
        self.told.emit("opened", {})

    def close(self) -> None:
        self.told.emit("log-out", {})
        if self.closing is not None:
            raise self.closing


class WorkerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.told = Told()
        self.stop: queue.SimpleQueue[Exception] = queue.SimpleQueue()
        for level in ("error", "info"):
            self.patch(log, level, lambda *_, **__: None)

    def run_worker(self, source: Source) -> int:
        return Worker(self.told, source, self.stop).run()

    def test_a_stop_logs_out_then_says_so_then_disconnects(self) -> None:
        class Endless(FakeSource):
            def step(source, now: float) -> float:
                self.stop.put(Stopped("SIGTERM"))
                return now

        status = self.run_worker(Endless(self.told))
        self.assertEqual(status, 0)
        self.assertEqual(
            self.told.names,
            [
                *("python_status", "start", "open", "opened", "heartbeat"),
                *("log-out", "python_status", "close"),
            ],
        )
        self.assertEqual(self.told.events[-2][1], {"status": "stopped", "exit_status": 0})
        self.assertEqual(
            self.told.events[4][1],
            {
                "status": "waiting",
                "shioaji_connected": False,
                "gateway_connected": True,
                "current_price": None,
                "subscribed_contracts": 0,
            },
        )

    def test_a_stop_between_two_steps_of_the_start(self) -> None:
        self.stop.put(Stopped("SIGINT"))
        self.assertEqual(self.run_worker(FakeSource(self.told)), 0)
        self.assertNotIn("opened", self.told.names)
        self.assertIn("log-out", self.told.names)

    def test_a_stop_while_there_is_no_gateway(self) -> None:
        self.told.connected = False
        self.stop.put(Stopped("SIGINT"))
        self.assertEqual(self.run_worker(FakeSource(self.told)), 0)
        self.assertNotIn("open", self.told.names)

    def test_a_failure_is_told_before_the_log_out(self) -> None:
        source = FakeSource(self.told, failure=ConnectionError("no network"))
        self.assertEqual(self.run_worker(source), 1)
        self.assertEqual(
            self.told.names[-4:], ["python_error", "log-out", "python_status", "close"]
        )
        self.assertEqual(self.told.events[-2][1]["exit_status"], 1)

    def test_a_lost_session_ends_it(self) -> None:
        self.stop.put(SessionLost("gone"))
        self.assertEqual(self.run_worker(FakeSource(self.told)), 1)
        self.assertEqual(dict(self.told.events)["python_error"]["error"], "gone")

    def test_a_missing_package_has_a_status_of_its_own(self) -> None:
        source = FakeSource(self.told, failure=MissingPackage("no shioaji"))
        self.assertEqual(self.run_worker(source), 3)

    def test_a_stop_whose_log_out_fails_is_no_clean_end(self) -> None:
        source = FakeSource(self.told)
        source.closing = RuntimeError("no answer")
        self.stop.put(Stopped("SIGINT"))
        self.assertEqual(self.run_worker(source), 1)
        self.assertEqual(self.told.names[-2:], ["python_status", "close"])

    def test_heartbeats_come_about_every_ten_seconds(self) -> None:
        clock = [1000.0]
        self.patch(time, "monotonic", lambda: clock[0])
        beats: list[float] = []

        class Ticking(FakeSource):
            def state(source):
                beats.append(clock[0])
                return super().state()

            def step(source, now: float) -> float:
                clock[0] += 0.5
                if clock[0] > 1200:
                    self.stop.put(Stopped("SIGINT"))
                return now

        self.run_worker(Ticking(self.told))
        gaps = [later - earlier for earlier, later in pairwise(beats)]
        self.assertGreater(len(set(gaps)), 1)
        self.assertTrue(all(9 <= gap <= 11.5 for gap in gaps), gaps)

    def test_without_credentials_it_says_so_and_waits(self) -> None:
        self.stop.put(Stopped("SIGINT"))
        self.run_worker(NoCredentials(self.told, "API_KEY"))
        status = self.told.events[2][1]
        self.assertEqual(status["status"], "no credentials")
        self.assertIn("API_KEY is not set", status["message"])
