"""A guardian that another gateway started, as Twisted's process transports are used here."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.error import ProcessDone, ProcessExitedAlready
from twisted.internet.process import ProcessReader, ProcessWriter
from twisted.python.failure import Failure

from gateway.common.attempt import Countdown

if TYPE_CHECKING:
    from twisted.internet.protocol import ProcessProtocol

    from gateway.worker.process.door import Handed

LIFELINE, STDOUT, STDERR, STATUS = range(4)
LOOK_INTERVAL: Final = 0.02
"""Seconds between two looks whether a guardian that reports no more is gone."""


class AdoptedTransport:
    """Made of what was `Handed` over, the descriptors of which it owns from now on.

    Raises ProcessLookupError, and then owns nothing.

    The kernel tells only a parent of a process's end; so that is looked for once the guardian
    reports no more: only the guardian holds the other end of that pipe.  After an exec in
    place it is our own child, and has to be reaped.
    """

    def __init__(self, reactor: Any, handed: Handed, protocol: ProcessProtocol) -> None:
        import psutil  # noqa: PLC0415  # by need

        self.pid: int | None = handed.pid
        self._protocol = protocol
        try:  # remembers when it began: a pid is used again
            self._process = psutil.Process(handed.pid)
        except psutil.NoSuchProcess:
            raise ProcessLookupError(errno.ESRCH, "its guardian is gone") from None
        self._looking = Countdown(
            reactor, "Looking whether an adopted guardian is gone", self._look, again=LOOK_INTERVAL
        )
        lifeline, *others = handed.descriptors
        handed.descriptors.clear()
        self.pipes: dict[int, Any] = {LIFELINE: ProcessWriter(reactor, self, LIFELINE, lifeline)}
        for name, descriptor in zip((STDOUT, STDERR, STATUS), others, strict=True):
            self.pipes[name] = ProcessReader(reactor, self, name, descriptor)

    def writeToChild(self, fd: int, data: bytes) -> None:
        """Write to the lifeline."""
        self.pipes[fd].write(data)

    def closeChildFD(self, fd: int) -> None:
        """Let go of a pipe."""
        if fd in self.pipes:
            self.pipes[fd].loseConnection()

    def signalProcess(self, number: int) -> None:
        """Send a signal to the guardian.  Raises ProcessExitedAlready."""
        if self.pid is None or not self._lives():
            raise ProcessExitedAlready
        os.kill(self.pid, number)

    # -- what the pipes tell ---------------------------------------------------------------

    def childDataReceived(self, name: int, data: bytes) -> None:
        """Something was read."""
        self._protocol.childDataReceived(name, data)

    def childConnectionLost(self, name: int, reason: Failure) -> None:
        """A pipe has ended."""
        self.pipes.pop(name, None)
        if name == STATUS and self.pid is not None:
            self._looking.begin(0)

    # -- inside -----------------------------------------------------------------------------

    def _look(self) -> None:
        if self._lives():
            self._looking.begin(LOOK_INTERVAL)
            return
        with suppress(ChildProcessError):  # nobody's child but ours is reaped by us
            os.waitpid(self._process.pid, os.WNOHANG)
        self.pid = None
        self._protocol.processExited(Failure(ProcessDone(0)))

    def _lives(self) -> bool:
        import psutil  # noqa: PLC0415  # by need

        with suppress(psutil.NoSuchProcess):
            return self._process.is_running() and self._process.status() != psutil.STATUS_ZOMBIE
        return False
