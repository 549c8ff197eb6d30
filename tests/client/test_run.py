"""How a worker is put together, and how it ends."""

from __future__ import annotations

import gc
import signal
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gateway.client import run as module
from gateway.client.demo import Demo
from gateway.client.rule import Rule


class FakeWorker:
    """Ends at once."""

    def __init__(self, _: Any, source: Any, __: Any) -> None:
        FakeWorker.source = source

    def run(self) -> int:
        return 7


class RunTests(SynchronousTestCase):
    def test_the_end_of_the_process_looks_for_no_garbage(self) -> None:
        self.patch(module, "Worker", FakeWorker)
        self.patch(module, "log_to_console", lambda _: None)
        for number in (signal.SIGINT, signal.SIGTERM):
            self.addCleanup(signal.signal, number, signal.getsignal(number))
        before = gc.get_freeze_count()
        self.addCleanup(gc.unfreeze)
        self.assertEqual(module.run(Rule(), ["--demo"]), 7)
        self.assertIsInstance(FakeWorker.source, Demo)
        self.assertGreater(gc.get_freeze_count(), before)
