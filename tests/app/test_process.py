"""The process of our own: limits, clock, signals, SIGHUP."""

from __future__ import annotations

import os
import pty
import resource
import signal
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.app.process import DESCRIPTORS, ProcessLimits, Reloads, Step
from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]
OWN = """
import os, signal, time
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from gateway.app.process import OwnProcess
from gateway.system.linux import Linux
from gateway.system.turn_end import TurnEnd
before = [reactor.callLater(3600, lambda: None), reactor.callLater(7200, lambda: None)]
OwnProcess(reactor, lambda: None, Linux(), TurnEnd(reactor)).startService()
"""


class ProcessTests(SynchronousTestCase):
    def test_no_cores_and_many_descriptors(self) -> None:
        ProcessLimits().startService()
        self.assertEqual(resource.getrlimit(resource.RLIMIT_CORE)[0], 0)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.assertTrue(soft >= DESCRIPTORS or soft == hard)

    def run_reactor(self, script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", OWN + script],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def test_the_reactor_reads_directly_and_no_change_of_the_wall_clock_moves_it(self) -> None:
        done = self.run_reactor(
            "time.time = lambda: 0.0\n"
            "assert reactor.seconds() > 0 and 'doIteration' in vars(reactor)\n"
            "reactor.callLater(0.01, reactor.stop)\n"
            "reactor.run()\n"
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_calls_that_were_asked_for_before_keep_their_times(self) -> None:
        done = self.run_reactor(
            "left = [call.getTime() - reactor.seconds() for call in before]\n"
            "assert all(h - 60 < each <= h for each, h in zip(left, (3600, 7200))), left\n"
            "soon = reactor.callLater(0.01, reactor.stop)\n"
            "reactor.run()\n"
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_what_is_there_at_the_start_is_not_looked_at_again(self) -> None:
        done = self.run_reactor("import gc\nassert gc.get_freeze_count() > 10_000\n")
        self.assertEqual((done.returncode, done.stderr), (0, ""))

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


HANGUP = """
import fcntl, os, signal, sys, termios
signal.alarm(30)  # nobody waits for ever: not for a signal that is ignored
terminal, ignored = int(sys.argv[1]), sys.argv[2] == "nohup"
if terminal >= 0:
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL)
from twisted.internet import reactor
from gateway.app.process import heed_hangup
say = lambda word: os.write(1, word)
heed_hangup(reactor, lambda: say(b"reloaded\\n"))
reactor.callWhenRunning(say, b"up\\n")
reactor.addSystemEventTrigger("after", "shutdown", say, b"ended\\n")
reactor.run()
"""


class ReloadsTests(SynchronousTestCase):
    def test_all_is_done_whatever_fails(self) -> None:
        done: list[str] = []
        reloads = Reloads(
            Step("the first", lambda: done.append("first")),
            Step("the broken one", lambda: 1 / 0),
            Step("the last", lambda: done.append("last")),
        )
        reloads()
        self.assertEqual(done, ["first", "last"])
        self.assertEqual(self.flushLoggedErrors(), [])


class HangupTests(SynchronousTestCase):
    def start(self, *, terminal: bool, how: str = "") -> subprocess.Popen:
        self.master, slave = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-c", HANGUP, str(slave if terminal else -1), how],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            pass_fds=(slave,),
            start_new_session=True,
        )
        os.close(slave)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertEqual(process.stdout.readline(), b"up\n")
        return process

    def test_it_reloads_without_a_terminal(self) -> None:
        process = self.start(terminal=False)
        os.close(self.master)
        for _ in range(2):
            process.send_signal(signal.SIGHUP)
            self.assertEqual(process.stdout.readline(), b"reloaded\n")

    def test_it_reloads_in_a_terminal_and_ends_when_that_is_closed(self) -> None:
        process = self.start(terminal=True)
        process.send_signal(signal.SIGHUP)
        self.assertEqual(process.stdout.readline(), b"reloaded\n")
        os.close(self.master)
        self.assertEqual(process.stdout.read(), b"ended\n")

    def test_nohup_is_respected(self) -> None:
        process = self.start(terminal=True, how="nohup")
        os.close(self.master)
        self.assertEqual(process.stdout.readline(), b"reloaded\n")
        process.send_signal(signal.SIGHUP)
        self.assertEqual(process.stdout.readline(), b"reloaded\n")
