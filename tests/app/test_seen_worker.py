"""What is done about what a worker says while it rehearses."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gateway.app.seen_worker import RehearsedWorker
from tests.app.test_replayed_worker import FakeSupervisor


class RehearsedWorkerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.supervisor = FakeSupervisor()
        self.published: list[Any] = []
        publish = lambda name, value: self.published.append((name, value))  # noqa: E731
        self.worker = RehearsedWorker(self.supervisor, publish)

    def test_its_python_status_is_followed_by_the_same_with_the_mark(self) -> None:
        self.worker.heard("python_status", {"status": "logging in"}, "its connection")
        marked = {"status": "logging in", "rehearsal": True}
        self.assertEqual(self.published, [("python_status", marked)])
        self.assertEqual(self.supervisor.said, [("python_status", "its connection")])

    def test_nothing_else_is_said_twice(self) -> None:
        for name, value in (
            ("python_status", {"status": "ready", "rehearsal": True}),
            ("python_status", "ready"),
            ("market_tick", {"code": "TXFL6"}),
        ):
            self.worker.heard(name, value, None)
        self.worker.gone("its connection")
        self.assertEqual(self.published, [])
        self.assertEqual(len(self.supervisor.said), 4)
        self.assertEqual((self.worker.running, self.worker.adopted), (True, False))
        self.assertEqual(self.worker.generation, 7)
