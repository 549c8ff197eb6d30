"""A guardian that another gateway started, as the reactor sees it."""

from __future__ import annotations

import os
import subprocess
import sys

import psutil
from twisted.internet import reactor
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.trial.unittest import TestCase

from gateway.worker.process.adopted import LIFELINE, STATUS, STDERR, STDOUT, AdoptedTransport
from gateway.worker.process.door import Handed
from tests.worker.real import alive, soon

GUARDIAN = """
import os, sys
for line in iter(sys.stdin.readline, "end\\n"):
    os.write(1, b"out"), os.write(2, b"err"), os.write(3, b"report")
"""
TAKES = """
import os, sys
for number, fd in enumerate(sys.argv[2:]):
    os.dup2(int(fd), number)
os.closerange(4, 64)
exec(sys.argv[1])
"""
"""Plays a guardian with the descriptors that it is given."""
PARENT = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", *sys.argv[1:]], close_fds=False)
print(child.pid, flush=True)
os.closerange(3, 64)
child.wait()
"""


class TransportTests(TestCase, ProcessProtocol):
    """A process that plays the guardian, our own child as after an exec in place, or another's."""

    if sys.platform != "linux":
        skip = "adoption needs Linux"

    def setUp(self) -> None:
        self.heard: list[tuple[int, bytes]] = []
        self.gone: list[object] = []

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        self.heard.append((childFD, data))

    def processExited(self, reason: object) -> None:
        self.gone.append(reason)

    def adopt(self, *, own: bool) -> AdoptedTransport:
        pipes = [os.pipe() for _ in range(4)]
        theirs = [pipes[0][0], *(pipe[1] for pipe in pipes[1:])]
        ours = [pipes[0][1], *(pipe[0] for pipe in pipes[1:])]
        words = [TAKES, GUARDIAN, *map(str, theirs)]
        command = [sys.executable, "-c", *([] if own else [PARENT]), *words]
        started = subprocess.Popen(command, pass_fds=theirs, stdout=subprocess.PIPE, text=True)
        self.addCleanup(started.wait)
        self.addCleanup(started.stdout.close)
        pid = started.pid if own else int(started.stdout.readline())
        for end in theirs:
            os.close(end)
        handed = Handed(pid, 1, {}, {}, None, 0.0, 0.0, ["started 1"], [], 0, ours)
        made = AdoptedTransport(reactor, handed, self)
        self.assertEqual(handed.descriptors, [])
        self.addCleanup(self.close, made)
        return made

    async def close(self, transport: AdoptedTransport) -> None:
        for fd in (STDOUT, STDERR):
            transport.closeChildFD(fd)
        await soon(lambda: transport.pipes == {}, "the end of all pipes")

    async def test_pipes_and_the_end_of_a_process_of_somebody_else(self) -> None:
        transport = self.adopt(own=False)
        transport.writeToChild(LIFELINE, b"go\n")
        await soon(lambda: len(self.heard) == 3)
        self.assertEqual(
            sorted(self.heard), [(STDOUT, b"out"), (STDERR, b"err"), (STATUS, b"report")]
        )
        transport.signalProcess(0)
        self.assertEqual(self.gone, [])
        pid = transport.pid
        transport.writeToChild(LIFELINE, b"end\n")
        await soon(lambda: self.gone)
        self.assertFalse(alive(pid))
        self.assertIsNone(transport.pid)
        self.assertRaises(ProcessExitedAlready, transport.signalProcess, 0)
        self.assertEqual(len(self.gone), 1)

    async def test_a_child_of_our_own_is_reaped(self) -> None:
        transport = self.adopt(own=True)
        child = transport.pid
        transport.writeToChild(LIFELINE, b"end\n")
        await soon(lambda: self.gone)
        self.assertRaises(psutil.NoSuchProcess, psutil.Process, child)
