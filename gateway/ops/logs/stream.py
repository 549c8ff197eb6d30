"""Writes log lines to a terminal, a pipe or a socket, whose reader may stop reading."""

from __future__ import annotations

import os
import select
import socket
import stat
import time
from collections import deque
from contextlib import suppress
from threading import RLock
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IWriteDescriptor
from zope.interface import implementer

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT = 1 << 20
"""Most bytes that wait; further lines are dropped."""
FINISH_TIMEOUT = 3.0
"""Seconds that a reader has for what waits when the gateway ends."""
RETRY = 0.1
"""Seconds between two looks at what the reactor can't watch."""
ATOMIC = 512
"""Bytes that may be written at once where only poll() tells whether there is room (POSIX)."""


@implementer(IWriteDescriptor)
class LogStream:
    """Writes when there is room, and never waits: Ctrl-S must not stop the relay.

    What does not fit waits in memory, in order.  `room()` is called when all of it is written,
    `lost(lines)` when it can't be.  May be called by any thread.  After `finish` it does wait,
    `FINISH_TIMEOUT` seconds in all.
    """

    def __init__(self, descriptor: int, reactor: Any, again: Callable[[int, int], int]) -> None:
        """`again` as `System.opened_again`."""
        self._reactor = reactor
        self._descriptor, self._send = _unblocked(descriptor, again)
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._watched = False
        self._lock = RLock()
        self._patience: float | None = None
        self.room: Callable[[], object] = lambda: None
        self.lost: Callable[[int], object] = lambda _: None

    def write(self, data: bytes) -> None:
        """Write `data` now or later.  Raises OSError when nothing of it will be written."""
        with self._lock:
            if self._waiting:
                if self._size + len(data) > LIMIT and self._patience is None:
                    raise BlockingIOError("nobody reads the log")
            else:
                data = data[self._write(data) :]
            if data:
                self._waiting.append(data)
                self._size += len(data)
                if self._patience is not None:
                    self._drain()
                elif not self._watched:
                    self._watched = True
                    self._reactor.callFromThread(self._watch)

    def finish(self) -> None:
        """From now on wait for the reader, since the reactor does not run any more."""
        with self._lock:
            self._patience = FINISH_TIMEOUT
            self._drain()

    # -- as the reactor sees it -----------------------------------------------------------

    def fileno(self) -> int:
        return self._descriptor

    def logPrefix(self) -> str:
        return "log"

    def doWrite(self) -> None:
        self._flush()

    def connectionLost(self, reason: Any) -> None:
        """The reactor saw an error: the next write tells which."""
        self._flush()
        if self._watched:
            self._reactor.callLater(RETRY, self._watch)

    # -- inside ---------------------------------------------------------------------------

    def _write(self, data: bytes) -> int:
        """How much of `data` there was room for."""
        try:
            return self._send(data)
        except (BlockingIOError, InterruptedError):
            return 0

    def _watch(self) -> None:
        """Be called when there is room."""
        try:
            self._reactor.addWriter(self)
        except OSError:  # epoll watches not everything
            self._flush()
            if self._watched:
                self._reactor.callLater(RETRY, self._watch)

    def _flush(self) -> None:
        with self._lock:
            failed = 0
            try:
                self._advance()
            except OSError:
                failed = len(self._waiting)
                self._waiting.clear()
                self._size = 0
            if self._waiting:
                return
            self._watched = False
            self._reactor.removeWriter(self)
        if failed:
            self.lost(failed)
        else:
            self.room()

    def _advance(self) -> bool:
        """Write what there is room for; whether that was anything.  Raises OSError."""
        before = self._size
        while self._waiting:
            line = self._waiting[0]
            count = self._write(line)
            self._size -= count
            if count < len(line):
                self._waiting[0] = line[count:]
                if not count:
                    break
            else:
                self._waiting.popleft()
        return self._size < before

    def _drain(self) -> None:
        """Write what waits until the time for it is over."""
        with suppress(OSError, ValueError):
            while self._waiting and self._patience:
                began = time.monotonic()
                if not self._advance():
                    poll = select.poll()
                    poll.register(self._descriptor, select.POLLOUT)
                    poll.poll(self._patience * 1000)
                    self._patience = max(0.0, self._patience - (time.monotonic() - began))
        self._waiting.clear()
        self._size = 0


def is_stream(descriptor: int) -> bool:
    """Whether a write to `descriptor` may have to wait for a reader."""
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or stat.S_ISSOCK(mode)


def _unblocked(
    descriptor: int, again: Callable[[int, int], int]
) -> tuple[int, Callable[[bytes], int]]:
    """A descriptor of our own, and a write to it that never waits.

    O_NONBLOCK belongs to the open file, which the shell and other programs share with us: so
    a terminal or a pipe is opened once more, and a socket is asked at each call.
    """
    if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        ours = socket.socket(fileno=os.dup(descriptor))
        return ours.fileno(), lambda data: ours.send(data, socket.MSG_DONTWAIT)
    with suppress(OSError):
        own = again(descriptor, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        return own, lambda data: os.write(own, data)
    return descriptor, lambda data: _write_if_room(descriptor, data)


def _write_if_room(descriptor: int, data: bytes) -> int:
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return os.write(descriptor, data[:ATOMIC]) if poll.poll(0) else 0
