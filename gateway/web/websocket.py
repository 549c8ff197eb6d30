"""One WebSocket connection of Engine.IO: bytes in, messages to a channel, writes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from twisted.internet.interfaces import IProtocol
from zope.interface import implementer

from gateway.web.fallback import Fallback
from gateway.web.frames import CLOSE, TEXT, split
from gateway.web.writer import writer_for

if TYPE_CHECKING:
    from twisted.internet.tcp import Connection
    from twisted.python.failure import Failure

    from gateway.engineio.deadlines import Deadline, Deadlines
    from gateway.engineio.outbox import Form
    from gateway.web.fallback import FallbackFactory
    from gateway.web.writer import Writer

CLOSE_TIMEOUT = 2.0
"""Seconds a peer has to answer our close frame."""


class Channel(Protocol):
    """The Engine.IO side of a WebSocket."""

    def text(self, data: bytes) -> None: ...
    def binary(self, data: bytes) -> None: ...
    def room(self) -> None: ...
    def lost(self) -> None: ...


@implementer(IProtocol)
class WebSocketConnection:
    """A sink for the channel's outbox, and the channel's source of messages.

    Not a Twisted `Protocol`: an idle connection should cost as little as it can.
    """

    __slots__ = (
        "_buffer",
        "_channel",
        "_closing",
        "_deadlines",
        "_factory",
        "_fallback",
        "_limit",
        "_needed",
        "_writer",
        "form",
        "transport",
        "write",
    )

    form: Form

    def __init__(self, deadlines: Deadlines, factory: FallbackFactory, *, limit: int) -> None:
        self._deadlines = deadlines
        self._factory = factory
        self._limit = limit
        self._channel: Channel | None = None
        self._fallback: Fallback | None = None
        self._closing: Deadline | None = None
        self._buffer: bytes | bytearray = b""
        self._needed = 0

    def makeConnection(self, transport: Connection) -> None:
        self.transport = transport
        self._writer: Writer = writer_for(transport, self._room)
        self.write = self._writer.write

    @property
    def taken(self) -> int:
        """Changes when the peer takes a part of what did not fit at once."""
        return self._writer.taken

    def start(self, channel: Channel) -> None:
        """Give what arrives to `channel` from now on."""
        self._channel = channel

    def limit(self, size: int) -> None:
        """Take messages of up to `size` bytes from now on."""
        self._limit = size
        if self._fallback is not None:
            self._fallback.limit(size)

    def dataReceived(self, data: bytes) -> None:
        if self._fallback is not None:
            self._fallback.dataReceived(data)
            return
        if self._buffer:
            self._buffer += data
            if len(self._buffer) < self._needed:
                return
            data = bytes(self._buffer)
        messages, consumed, self._needed, odd = split(data, self._limit)
        rest = data[consumed:]
        # A bytearray grows in place while a long message trickles in.
        self._buffer = bytearray(rest) if rest else b""
        for first, payload in messages:
            if self._channel is None:
                break
            if first == TEXT:
                self._channel.text(payload)
            elif first == CLOSE:
                self._answer_close(payload)
            else:
                self._channel.binary(payload)
        if self._channel is None:
            self._closed_by_peer(messages, odd=odd)
        elif odd:
            self._fall_back(rest)

    def connectionLost(self, reason: Failure) -> None:
        self._writer.stop()
        if self._closing is not None:
            self._closing.cancel()
        if self._fallback is not None:
            self._fallback.connectionLost(reason)
        self.on_closing()

    # -- the channel's side ---------------------------------------------------------

    def close(self, code: int = 1000) -> None:
        """Send a close frame; the connection goes when the peer has answered, or soon.

        A peer that does not take what was written before is dropped at once.
        """
        self._channel = None
        if self._closing is not None:
            return
        if self._writer.full:
            self.drop(abort=True)
            return
        self._closing = self._deadlines.call_later(CLOSE_TIMEOUT, self._give_up)
        if self._fallback is not None:
            self._fallback.sendClose(code)
        else:
            self.write(bytes((CLOSE, 2)) + code.to_bytes(2, "big"))

    def _room(self) -> None:
        if self._channel is not None:
            self._channel.room()

    # -- Autobahn's side ------------------------------------------------------------

    def on_message(self, payload: bytes, *, binary: bool) -> None:
        if self._channel is None:
            return
        if binary:
            self._channel.binary(payload)
        else:
            self._channel.text(payload)

    def on_closing(self) -> None:
        """The peer will say nothing more."""
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.lost()

    def write_control(self, data: bytes) -> None:
        self.write(data)

    def drop(self, *, abort: bool) -> None:
        if abort or self._writer.full:
            self.transport.abortConnection()
        else:
            self.transport.loseConnection()

    # -- closing --------------------------------------------------------------------

    def _answer_close(self, payload: bytes) -> None:
        if self._closing is None:
            self.write(bytes((CLOSE, len(payload))) + payload)
        self.on_closing()
        self.drop(abort=False)

    def _closed_by_peer(self, messages: list[tuple[int, bytes]], *, odd: bool) -> None:
        """After our close frame: drop the connection when the peer's has come."""
        self._buffer = self._buffer if self._closing is not None else b""
        if self._closing is not None and (odd or any(first == CLOSE for first, _ in messages)):
            self.drop(abort=False)

    def _give_up(self) -> None:
        self.drop(abort=True)

    def _fall_back(self, rest: bytes) -> None:
        self._buffer = b""
        fallback = self._fallback = Fallback(self, self.transport.getPeer())
        fallback.limit(self._limit)
        fallback.start(self._factory)
        fallback.dataReceived(rest)
