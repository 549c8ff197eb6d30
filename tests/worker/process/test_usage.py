"""CPU and memory."""

from __future__ import annotations

import os
import subprocess
import sys

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.worker.process.usage import MEASURE_INTERVAL, Usage, tree

NOTHING = {"cpuPercent": None, "memoryBytes": None}


class UsageTests(SynchronousTestCase):
    def test_measured_at_most_every_five_seconds(self) -> None:
        clock = Clock()
        usage = Usage(clock.seconds)
        first = usage.of(os.getpid())
        self.assertGreater(first["memoryBytes"], 1 << 20)
        clock.advance(MEASURE_INTERVAL - 1)
        self.assertIs(usage.of(os.getpid()), first)
        clock.advance(1)
        self.assertIsNot(usage.of(os.getpid()), first)

    def test_another_process_is_measured_at_once(self) -> None:
        usage = Usage(Clock().seconds)
        first = usage.of(os.getpid())
        self.assertIsNot(usage.of(os.getppid()), first)

    def test_no_process_no_figures(self) -> None:
        usage = Usage(Clock().seconds)
        self.assertEqual(usage.of(None), NOTHING)
        gone = subprocess.Popen([sys.executable, "-c", ""])
        gone.wait()
        self.assertEqual(usage.of(gone.pid), NOTHING)
        self.assertEqual((tree(None), tree(gone.pid)), (set(), set()))
