"""Writing to a transport with as few system calls as possible.

`transport.write` costs two epoll_ctl calls for every write of a reactor turn.  While
nothing is waiting, a plain TCP socket takes the bytes at once instead, and so does the one
below TLS (`tls_writer`); everything else (wrappers, what the socket did not take) goes the
general way.
"""

from __future__ import annotations

from errno import ECONNRESET, EPIPE
from functools import partial
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IPullProducer, IPushProducer
from zope.interface import classImplements

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.tcp import Connection

CHUNK = 16384
"""Bytes that are put in a transport's own buffer at a time; the rest stays one shared `bytes`.

Progress of a slow peer is seen in steps of this size.
"""

ROOM_FOR_CONTROL = 65536
"""Bytes of control frames that may wait for a slow peer; with more it is dropped."""

HUNG_UP = frozenset((EPIPE, ECONNRESET))
"""The peer reads nothing any more.  What it sent before can still be read, and then its end."""

NOTHING = memoryview(b"")
"""One for all connections, to save memory."""


class Writer:
    """The writing end of one transport.

    `write` takes everything; False means that it should not be called again before `on_room`
    is.  `taken` counts the chunks that a full transport has sent since.
    `hung_up`: the peer reads nothing any more, so nothing has to wait for it.
    """

    __slots__ = (
        "_controls",
        "_finished",
        "_on_room",
        "_rest",
        "_transport",
        "_waiting",
        "hung_up",
        "taken",
    )

    def __init__(self, transport: Connection, on_room: Callable[[], None]) -> None:
        self._transport = transport
        self._on_room = on_room
        self._rest = NOTHING
        self._waiting: bytes | None = None  # not None: the transport is full, or we finished
        self._controls = 0
        self._finished = False
        self.hung_up = False
        self.taken = 0

    def write(self, data: bytes) -> bool:
        """Send `data`, now or later; whether there is room for more."""
        raise NotImplementedError

    @property
    def at_once(self) -> Callable[[bytes], int] | None:
        """What `Sink.at_once` is; it holds until `write` or `control` has filled the transport."""
        return None

    def hold(self) -> Callable[[], None]:
        """Hold back what is written until the function that is returned is called.

        To be asked for before anything is written, and for a moment only.
        """
        return _nobody

    def control(self, frame: bytes) -> None:
        """Write a control frame; a peer for which too many of them wait is dropped."""
        if self._waiting is None:
            self.write(frame)
            return
        self._controls += len(frame)
        if self._controls > ROOM_FOR_CONTROL:
            self._transport.abortConnection()
        else:
            self._later(frame)

    def finish(self, frame: bytes) -> None:
        """Write a last control frame; everything that is written later is ignored."""
        self.control(frame)
        self._finish()

    def lose(self) -> None:
        """Close the connection once everything is written; only after `finish`."""
        if self._rest or self._waiting:
            self._on_room = self._lose
        else:
            self._lose()

    def _lose(self) -> None:
        self._transport.loseConnection()

    def stop(self) -> None:
        """The connection is gone: drop what waits."""
        self._finish()
        self._rest = NOTHING
        self._waiting = b""

    def _finish(self) -> None:
        self._finished = True
        self._on_room = _nobody
        if self._waiting is None:
            self._waiting = b""

    def _later(self, data: bytes) -> bool:
        """Keep `data` behind what waits; whether there is room for more."""
        if not self._finished:
            assert self._waiting is not None
            self._waiting += data
        return self.hung_up

    @property
    def _full(self) -> bool:
        return self._waiting is not None

    def _next(self) -> memoryview:
        """The next chunk to write; empty: nothing waits any more."""
        self.taken += 1
        if not self._rest and self._waiting:
            self._rest, self._waiting = memoryview(self._waiting), b""
        chunk = self._rest[:CHUNK]
        # Even an empty slice holds on to what it was cut from.
        self._rest = self._rest[CHUNK:] if len(self._rest) > CHUNK else NOTHING
        return chunk

    def _emptied(self) -> None:
        self._controls = 0
        if not self._finished:
            self._waiting = None
        self._on_room()


class DirectWriter(Writer):
    """Sends straight to the socket while nothing waits; for plain TCP and UNIX sockets only."""

    __slots__ = ("_send",)

    def __init__(self, transport: Connection, on_room: Callable[[], None]) -> None:
        super().__init__(transport, on_room)
        self._send = transport.getHandle().send

    @property
    def at_once(self) -> Callable[[bytes], int] | None:
        if self._waiting is not None or isinstance(self._send, partial):
            return None
        return self._send

    def write(self, data: bytes) -> bool:
        if self._waiting is not None:
            return self._later(data)
        try:
            sent = self._send(data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self.stop()
            self.hung_up = error.errno in HUNG_UP
            if not self.hung_up:
                self._transport.abortConnection()
            return self.hung_up
        if sent == len(data):
            return True
        self._rest = memoryview(data)[sent:]
        self._waiting = b""
        # A pull producer is asked for more each time the transport's buffer is empty,
        # and once right now.
        self._transport.registerProducer(self, False)
        return False

    def hold(self) -> Callable[[], None]:
        held: list[bytes] = []
        send, self._send = self._send, partial(_hold, held)

        def let_go() -> None:
            self._send = send
            waiting, self._waiting = self._waiting, None  # what is held was written before the end
            self.write(b"".join(held))
            if not self._full:
                self._waiting = waiting

        return let_go

    def resumeProducing(self) -> None:
        chunk = self._next()
        if chunk:
            self._transport.write(bytes(chunk))
        else:
            self._transport.unregisterProducer()
            self._emptied()

    def stopProducing(self) -> None:
        self.stop()

    def lose(self) -> None:
        self._transport.loseConnection()  # waits for its producer


class BufferedWriter(Writer):
    """Uses the transport's own buffer, until the transport says that it is full."""

    __slots__ = ("_paused",)

    def __init__(self, transport: Connection, on_room: Callable[[], None]) -> None:
        super().__init__(transport, on_room)
        self._paused = False
        transport.registerProducer(self, True)

    def write(self, data: bytes) -> bool:
        if self._waiting is not None:
            return self._later(data)
        self._rest = memoryview(data)
        self._pump()
        if not self._paused:
            return True
        self._waiting = b""
        return False

    def _pump(self) -> None:
        while not self._paused and (chunk := self._next()):
            self._transport.write(bytes(chunk))

    def pauseProducing(self) -> None:
        self._paused = True

    def resumeProducing(self) -> None:
        self._paused = False
        if self._waiting is not None:
            self._pump()
            if not self._paused:
                self._emptied()

    def stopProducing(self) -> None:
        self._paused = True
        self.stop()

    def _lose(self) -> None:
        # TLS would wait for its producer, and throw away what is written after.
        self._transport.unregisterProducer()
        self._transport.loseConnection()


def _hold(held: list[bytes], data: bytes) -> int:
    held.append(data)
    return len(data)


def _nobody() -> None:
    """The `on_room` of a connection that is closing or gone."""


classImplements(DirectWriter, IPullProducer)
classImplements(BufferedWriter, IPushProducer)
