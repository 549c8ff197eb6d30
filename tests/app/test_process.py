import resource
import subprocess
import sys
import time
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.app.process import DESCRIPTORS, Limits, steady_clock

ROOT = Path(__file__).parents[2]
OWN = """
import os, signal, time
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from gateway.app.process import OwnProcess, steady_clock
OwnProcess(reactor, steady_clock(reactor.seconds()), lambda: None).startService()
"""


class ProcessTests(SynchronousTestCase):
    def test_no_cores_and_many_descriptors(self) -> None:
        Limits().startService()
        self.assertEqual(resource.getrlimit(resource.RLIMIT_CORE)[0], 0)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.assertTrue(soft >= DESCRIPTORS or soft == hard)

    def run_reactor(self, script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", OWN + script],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    def test_the_reactors_clock_only_goes_forward(self) -> None:
        """Also for calls that were asked for before."""
        done = self.run_reactor(
            "time.time = lambda: 0.0\n"
            "assert reactor.seconds() > 0\n"
            "reactor.callLater(0.01, reactor.stop)\n"
            "reactor.run()\n"
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_the_clock_goes_on_from_where_it_was(self) -> None:
        clock = steady_clock(1000.0)
        self.assertTrue(1000.0 <= clock() < 1000.0 + 60)
        self.patch(time, "time", lambda: 0.0)
        self.assertGreaterEqual(clock(), 1000.0)

    def test_a_second_signal_ends_the_process_at_once(self) -> None:
        for name in ("SIGINT", "SIGTERM"):
            done = self.run_reactor(
                "def stop():\n"
                f"    reactor.callLater(0, os.kill, os.getpid(), signal.{name})\n"
                "    return Deferred()\n"
                "reactor.addSystemEventTrigger('before', 'shutdown', stop)\n"
                "reactor.callLater(0, os.kill, os.getpid(), signal.SIGTERM)\n"
                "reactor.run()\n"
            )
            self.assertEqual(-done.returncode, {"SIGINT": 2, "SIGTERM": 15}[name], done.stderr)
