import resource
import signal
import subprocess
import sys
from pathlib import Path

from twisted.application.service import Application
from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactorClock
from twisted.python import log
from twisted.trial.unittest import SynchronousTestCase

from gateway.service import DESCRIPTORS, Gateway, Step, settle_in


class GatewayTests(SynchronousTestCase):
    def test_steps_wait_for_each_other(self) -> None:
        done: list[str] = []
        worker: Deferred[None] = Deferred()
        gateway = Gateway(
            [Step("the worker", lambda: done.append("start"))],
            [
                Step("the ports", lambda: done.append("ports")),
                Step("the worker", lambda: worker),
                Step("the sessions", lambda: done.append("sessions")),
            ],
        )
        gateway.startService()
        self.assertEqual(done, ["start"])
        stopped = gateway.stopService()
        self.assertEqual(done, ["start", "ports"])
        self.assertNoResult(stopped)
        worker.callback(None)
        self.assertEqual(done, ["start", "ports", "sessions"])
        self.successResultOf(stopped)

    def test_a_step_that_fails_is_logged_and_the_next_one_done(self) -> None:
        done: list[str] = []
        gateway = Gateway(
            [],
            [
                Step("the worker", lambda: 1 / 0),
                Step("the sessions", lambda: done.append("sessions")),
            ],
        )
        gateway.startService()
        self.successResultOf(gateway.stopService())
        self.assertEqual(done, ["sessions"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_an_application_logs_by_our_observer(self) -> None:
        application = Application("sjgateway")
        gateway = Gateway([], [])
        gateway.observer = [].append
        gateway.setServiceParent(application)
        self.assertIs(application.getComponent(log.ILogObserver), gateway.observer)


class ProcessTests(SynchronousTestCase):
    def test_no_cores_and_many_descriptors(self) -> None:
        settle_in(MemoryReactorClock())
        self.assertEqual(resource.getrlimit(resource.RLIMIT_CORE)[0], 0)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.assertTrue(soft >= DESCRIPTORS or soft == hard)

    def run_reactor(self, script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", script],
            cwd=Path(__file__).parents[1],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    def test_the_reactors_clock_only_goes_forward(self) -> None:
        done = self.run_reactor(
            "import time\n"
            "from twisted.internet import reactor\n"
            "from gateway.service import settle_in\n"
            "settle_in(reactor)\n"
            "assert reactor.seconds is time.monotonic\n"
            "reactor.callLater(0.01, reactor.stop)\n"
            "reactor.run()\n"
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_a_second_signal_ends_the_process_at_once(self) -> None:
        for name in ("SIGINT", "SIGTERM"):
            done = self.run_reactor(
                "import os, signal\n"
                "from twisted.internet import reactor\n"
                "from twisted.internet.defer import Deferred\n"
                "from gateway.service import settle_in\n"
                "def stop():\n"
                f"    reactor.callLater(0, os.kill, os.getpid(), signal.{name})\n"
                "    return Deferred()\n"
                "settle_in(reactor)\n"
                "reactor.addSystemEventTrigger('before', 'shutdown', stop)\n"
                "reactor.callLater(0, os.kill, os.getpid(), signal.SIGTERM)\n"
                "reactor.run()\n"
            )
            self.assertEqual(done.returncode, -signal.Signals[name], done.stderr)
