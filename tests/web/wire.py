"""Twisted's own TCP connection over a kernel in memory, which takes what it is told to."""

import errno
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.main import CONNECTION_DONE
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.tcp import Connection
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure


class Kernel:
    """A socket; `room` is how many bytes it still takes, None: any number."""

    def __init__(self) -> None:
        self.sent = b""
        self.calls = 0
        self.room: int | None = None
        self.error = 0

    def send(self, data: bytes) -> int:
        self.calls += 1
        if self.error:
            raise OSError(self.error, "as the test wants it")
        size = len(data) if self.room is None else min(self.room, len(data))
        if data and not size:
            raise BlockingIOError(errno.EAGAIN, "full")
        self.sent += bytes(data[:size])
        if self.room is not None:
            self.room -= size
        return size

    def fileno(self) -> int:
        return 99

    def setblocking(self, flag: bool) -> None: ...

    def setsockopt(self, *arguments: Any) -> None: ...

    def shutdown(self, how: int) -> None: ...

    def close(self) -> None: ...


class Wire(Connection):
    """A connection of ours to a peer that the test plays."""

    reactor: MemoryReactorClock
    socket: Any

    def __init__(self, protocol: Any = None) -> None:
        super().__init__(Kernel(), protocol or Protocol(), MemoryReactorClock())
        self.kernel: Kernel = self.socket
        self.connected = 1
        self.why: type[Exception] | None = None
        """What the connection was lost with."""
        self.startReading()

    def getPeer(self) -> IPv4Address:
        return IPv4Address("TCP", "192.0.2.1", 4711)

    getHost = getPeer

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.why = reason.type
        super().connectionLost(reason)

    @property
    def received(self) -> bytes:
        """What the peer has read."""
        return self.kernel.sent

    @property
    def buffered(self) -> int:
        """Bytes in the transport."""
        return len(self.dataBuffer) - self.offset + self._tempDataLen

    def take(self, size: int | None = None) -> None:
        """The peer reads: the kernel has room for `size` bytes more, None: for any number.

        Turns the reactor until nothing is left to write or no room is left.
        """
        self.kernel.room = size
        while self in self.reactor.writers and self.kernel.room != 0:
            if self.doWrite() is CONNECTION_DONE:
                self.connectionLost(Failure(ConnectionDone()))
            self.turn()

    def turn(self) -> None:
        """What was to be done in the next turn of the reactor."""
        self.reactor.advance(0)
