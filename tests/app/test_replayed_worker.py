"""What is played says nothing of the worker that plays it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gateway.app.replayed_worker import ReplayedWorker


class FakeClient:
    def __init__(self) -> None:
        self.socket = SimpleNamespace(session=object())


class FakeSupervisor:
    running, adopted, generation = True, False, 7

    def __init__(self) -> None:
        self.said: list[Any] = []

    def heard(self, name: str, value: object, connection: Any) -> None:
        self.said.append((name, connection))

    def gone(self, connection: Any) -> None:
        self.said.append(("gone", connection))


class ReplayedWorkerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.supervisor = FakeSupervisor()
        self.published: list[Any] = []
        publish = lambda name, value: self.published.append((name, value))  # noqa: E731
        self.worker = ReplayedWorker(self.supervisor, publish)

    def test_nothing_that_is_played_is_taken_for_the_workers_own_word(self) -> None:
        for name in ("shioaji_ready", "heartbeat", "python_error", "python_status", "market_tick"):
            self.worker.heard(name, {"shioaji_connected": False, "error": "451"}, "its connection")
        self.assertEqual(self.supervisor.said, [])
        self.assertEqual((self.worker.running, self.worker.generation), (True, 7))

    def test_it_is_ready_while_it_asks(self) -> None:
        first, second = FakeClient(), FakeClient()
        for client in (first, first, second):
            self.worker.lives(client)
        self.worker.gone(second.socket.session)
        wanted = ["shioaji_ready", "heartbeat", "shioaji_ready", "gone"]
        self.assertEqual([name for name, _ in self.supervisor.said], wanted)

    def test_the_newest_python_status_is_always_the_gateways_own(self) -> None:
        self.worker.heard("python_status", {"status": "stopped"}, None)
        self.assertEqual(self.published, [])
        for status in ("starting", "running"):
            self.worker.published("python_status", {"status": status, "replay": True})
        self.worker.published("feed_status", {})
        self.worker.heard("python_status", {"status": "stopped"}, None)
        self.assertEqual(self.published, [("python_status", {"status": "running", "replay": True})])
