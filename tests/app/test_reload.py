"""SIGHUP: reload, or end with the terminal."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.app.reload import Reloads, Step

ROOT = Path(__file__).parents[2]
PROGRAM = """
import fcntl, os, signal, sys, termios
terminal, ignored = int(sys.argv[1]), sys.argv[2] == "nohup"
if terminal >= 0:
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
if ignored:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
from twisted.internet import reactor
from gateway.app.reload import heed_hangup
say = lambda word: os.write(1, word)
heed_hangup(reactor, lambda: say(b"reloaded\\n"))
reactor.callWhenRunning(say, b"up\\n")
reactor.addSystemEventTrigger("after", "shutdown", say, b"ended\\n")
reactor.run()
"""


class ReloadsTests(SynchronousTestCase):
    def test_all_is_done_whatever_fails(self) -> None:
        done: list[str] = []
        reloads = Reloads()
        reloads.steps += [
            Step("the first", lambda: done.append("first")),
            Step("the broken one", lambda: 1 / 0),
            Step("the last", lambda: done.append("last")),
        ]
        reloads()
        self.assertEqual(done, ["first", "last"])
        self.assertEqual(self.flushLoggedErrors(), [])


class HangupTests(SynchronousTestCase):
    def start(self, *, terminal: bool, how: str = "") -> subprocess.Popen:
        self.master, slave = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(slave if terminal else -1), how],
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
