"""One worker process and its guardian, as seen from the reactor."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from attrs import frozen
from twisted.internet.protocol import ProcessProtocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from twisted.python.failure import Failure

GUARDIAN = Path(__file__).with_name("guardian.py")
LIFELINE, STDOUT, STDERR, STATUS = range(4)
DRAIN_READS = 9
"""Reads of 8 KiB that empty a full pipe of 64 KiB."""


@frozen
class Command:
    """What to run."""

    argv: Sequence[str]
    cwd: str
    env: Mapping[str, str]


class Listener(Protocol):
    """Who is told about a process."""

    def started(self, pid: int) -> None:
        """The worker runs."""
        ...

    def failed(self, errno: int, reason: str) -> None:
        """The worker could not be run; `ended` follows.  `errno` is 0 when there is none."""
        ...

    def sent(self, signal: str) -> None:
        """The guardian sent `signal`."""
        ...

    def output(self, fd: int, data: bytes) -> None:
        """The worker, or a child of it, wrote to `fd`, 1 or 2."""
        ...

    def exited(self, status: int) -> None:
        """The worker is gone, and all it wrote was told; `ended` follows."""
        ...

    def ended(self) -> None:
        """The guardian is gone: nothing of the tree is left, unless `exited` was not said."""
        ...


class GuardedProcess(ProcessProtocol):
    """Starts the guardian, which starts the worker; the pipes never decide what is true.

    A grandchild can hold the worker's output for ever, so the ends of those pipes mean
    nothing: `exited` comes from the guardian's report, `ended` from its own exit.
    """

    transport: Any  # the UNIX process, whose `pipes` the interface doesn't show

    def __init__(self, command: Command, patience: tuple[float, ...], listener: Listener) -> None:
        self._command = command
        self._patience = patience
        self._listener = listener
        self._status = b""
        self.transport = None

    def spawn(self, reactor: Any) -> None:
        """Start; raises OSError when the system is out of processes or descriptors."""
        reactor.spawnProcess(
            self,
            sys.executable,
            [sys.executable, "-I", "-S", os.fspath(GUARDIAN)],
            env={},  # the keys go over the lifeline: nothing of them in the guardian's /proc
            childFDs={LIFELINE: "w", STDOUT: "r", STDERR: "r", STATUS: "r"},
        )

    @property
    def guardian(self) -> int | None:
        """The guardian's pid while it lives."""
        pid: int | None = self.transport and self.transport.pid
        return pid

    def stop(self) -> None:
        """End the tree: SIGINT, SIGTERM, SIGKILL, each with its patience."""
        self._say("stop")

    def kill(self) -> None:
        """End the tree by SIGKILL."""
        self._say("kill")

    def be_patient(self, patience: tuple[float, ...]) -> None:
        """What `stop`, or the end of the gateway, waits after each signal from now on."""
        self._say(" ".join(("patience", *map(str, patience))))

    def close(self) -> None:
        """Let go of the pipes, whoever holds the other ends."""
        for fd in (LIFELINE, STDOUT, STDERR, STATUS):
            self.transport.closeChildFD(fd)

    def connectionMade(self) -> None:
        self._say(
            json.dumps(
                {
                    "argv": [_latin(word) for word in self._command.argv],
                    "cwd": _latin(self._command.cwd),
                    "env": {_latin(n): _latin(v) for n, v in self._command.env.items()},
                    "patience": self._patience,
                }
            )
        )

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        if childFD == STATUS:
            *lines, self._status = (self._status + data).split(b"\n")
            for line in lines:
                self._report(*line.decode().partition(" ")[::2])
        else:
            self._listener.output(childFD, data)

    def processExited(self, reason: Failure) -> None:
        for fd in (STATUS, STDOUT, STDERR):
            self._drain(fd)
        self._listener.ended()

    def _report(self, word: str, rest: str) -> None:
        if word == "started":
            self._listener.started(int(rest))
        elif word == "failed":
            errno, _, reason = rest.partition(" ")
            self._listener.failed(int(errno), reason)
        elif word == "sent":
            self._listener.sent(rest)
        elif word == "exited":
            for fd in (STDOUT, STDERR):
                self._drain(fd)
            self._listener.exited(int(rest))

    def _drain(self, fd: int) -> None:
        """Read what is in a pipe now: the words of the dead are all there."""
        reader = self.transport.pipes.get(fd)
        for _ in range(DRAIN_READS):
            if reader is None or reader.doRead() is not None:
                return

    def _say(self, line: str) -> None:
        if LIFELINE in self.transport.pipes:
            self.transport.writeToChild(LIFELINE, line.encode() + b"\n")


def _latin(text: str) -> str:
    """The bytes the system would be given, each as one character."""
    return os.fsencode(text).decode("latin-1")
