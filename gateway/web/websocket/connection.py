"""One WebSocket connection of Engine.IO: bytes in, messages to a channel, writes out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.error import ConnectionAborted
from twisted.internet.interfaces import IProtocol
from zope.interface import classImplements

from gateway.engineio.meter import BYTES, SLICE, Meter
from gateway.web.http.tls_writer import writer_for
from gateway.web.websocket.closing import ClosingHandshake
from gateway.web.websocket.frames import CLOSE, TEXT, TextCheck, declared, split

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.tcp import Connection
    from twisted.python.failure import Failure

    from gateway.engineio.deadlines import Deadline, Deadlines
    from gateway.engineio.outbox import Form
    from gateway.engineio.session import Session
    from gateway.engineio.websocket import WebSocketReceiver
    from gateway.web.http.writer import Writer
    from gateway.web.websocket.allowance import Allowance
    from gateway.web.websocket.fallback import Fallback
    from gateway.web.websocket.odd_frames import OddFrames

PIECE = 1024
"""Bytes that Autobahn gets at a time."""


class WebSocketConnection:
    """One WebSocket: it writes what the channel's outbox has, and the channel gets its messages.

    It is not a Twisted `Protocol`, to save memory for each idle connection.
    """

    __slots__ = (
        "_allowance", "_buffer", "_channel", "_check", "_closing", "_deadlines",
        "_fallback", "_gone", "_limit", "_meter", "_needed", "_odd_frames", "_pause", "_writer",
        "form", "transport", "write",
    )  # fmt: skip

    form: Form

    def __init__(self, deadlines: Deadlines, odd_frames: OddFrames, allowance: Allowance) -> None:
        self._deadlines = deadlines
        self._odd_frames = odd_frames
        self._allowance = allowance
        self._limit = allowance.max_payload
        self._meter = Meter(0, 0, deadlines.clock)
        self._channel: WebSocketReceiver | None = None
        self._fallback: Fallback | None = None
        self._gone: Failure | None = None  # why there is no connection any more
        self._pause: Deadline | None = None
        self._buffer: bytes | bytearray = b""
        self._needed = 0
        self._check: TextCheck | None = None
        self._closing: ClosingHandshake | None = None

    def makeConnection(self, transport: Connection) -> None:
        self.transport = transport
        self._writer: Writer = writer_for(transport, self._room)
        self.write = self._writer.write

    def hold(self) -> Callable[[], None]:
        """Hold back what is written until the function that is returned is called."""
        return self._writer.hold()

    @property
    def taken(self) -> int:
        """A count that grows when the peer reads bytes that had to wait."""
        return self._writer.taken

    @property
    def at_once(self) -> Callable[[bytes], int] | None:
        return self._writer.at_once

    def start(self, channel: WebSocketReceiver) -> None:
        """Hand what arrives to `channel` from now on."""
        if self._closing is None or not self._closing.said:
            self._channel = channel
            if channel.session is not None:
                self._meter = channel.session.meter

    def dataReceived(self, data: bytes) -> None:
        if self._pause is not None:  # read before the pause: TLS does
            self._buffer += data
        else:
            self._read(data)
            self._settle()

    def _read(self, data: bytes) -> None:
        """Handle `data`, at most a slice of it in one turn; the rest waits in the buffer."""
        if self._fallback is not None:
            self._feed(data)
            return
        if self._buffer:
            self._buffer += data
            if len(self._buffer) < self._needed:
                self._check_text()
                return
            data = bytes(self._buffer)
            self._check = None
        meter = self._meter
        while True:
            first, messages, consumed, self._needed, odd = split(data, self._limit)
            data = data[consumed:]
            # A bytearray grows in place while a long message trickles in.
            self._buffer = bytearray(data) if data else b""
            meter.spent += len(messages) + consumed / BYTES
            if not self._hear(first, messages):
                return
            if self._needed or odd or not data or meter.spent >= SLICE:
                break
        if odd and declared(data) > self._limit and self._widen():
            self._buffer = b""
            self._read(data)
        elif odd:
            self._fall_back(data)
        elif self._needed and data and data[0] == TEXT:
            self._check = TextCheck()
            self._check_text()

    def _hear(self, first: int, messages: list[bytes]) -> bool:
        """Hand `messages` to the channel; False: the peer closed, and the rest is ignored."""
        if first == CLOSE and messages:
            self._closed_by_peer(messages[0])
            return False
        at, end = 0, len(messages)
        while at < end:
            channel = self._channel
            if channel is None:  # closed by us: what comes before the answer is not heard
                break
            if first == TEXT:
                at = channel.texts(messages, at)
            else:
                channel.binary(messages[at])
                at += 1
        return True

    def connectionLost(self, reason: Failure) -> None:
        self._gone = reason
        self._leave().stop()
        self._writer.stop()
        waits = self._pause is not None and self._can_hear and self._channel is not None
        if not waits or reason.check(ConnectionAborted):
            self._end(reason)
        # Else its last words are heard first, in the turns that they have.

    def _end(self, reason: Failure) -> None:
        self._buffer, self._needed = b"", 0
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        if self._fallback is not None:
            self._fallback.connectionLost(reason)
        self._lost()

    # -- the channel's side ---------------------------------------------------------

    def close(self, code: int = 1000) -> None:
        """Send a close frame after what was written; nothing can be written after it.

        The connection ends when the peer has answered, or after a timeout.
        """
        self._channel = None
        if self._fallback is not None:
            self._fallback.sendCloseFrame(code=code)
        else:
            self._say_last(bytes((CLOSE, 2)) + code.to_bytes(2, "big"))

    def abort(self) -> None:
        """Drop the connection after what was written, without a close frame."""
        self._channel = None
        if self._leave().say(b""):
            self._writer.lose()

    def _room(self) -> None:
        if self._channel is not None:
            self._channel.room()

    def _lost(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.lost()

    # -- Autobahn's side ------------------------------------------------------------

    def on_message(self, payload: bytes, *, binary: bool) -> None:
        """Autobahn has read a message."""
        if self._channel is None:
            return
        self._meter.charge(1 + len(payload) / BYTES)
        if binary:
            self._channel.binary(payload)
        else:
            self._channel.text(payload)

    def charge(self, units: float) -> None:
        """Charge the client for work of Autobahn's, in units of `Meter`."""
        self._meter.charge(units)

    def write_control(self, frame: bytes) -> None:
        """Write a control frame of Autobahn's."""
        if frame[0] == CLOSE:
            self._say_last(frame)
        else:
            before = self.at_once
            self._writer.control(frame)
            if before is not None and self.at_once is None:
                self._room()  # no write has told that the transport is full now

    def drop(self) -> None:
        """Close the connection after what was written."""
        self._writer.lose()

    def _fall_back(self, rest: bytes) -> None:
        self._buffer, self._check = b"", None
        self._widen()
        self._fallback = self._odd_frames.reader(self, self.transport.getPeer(), self._limit)
        self._feed(rest)

    def _feed(self, data: bytes) -> None:
        """Let Autobahn read `data` piece by piece: a piece may hold a hundred frames."""
        assert self._fallback is not None
        data, self._buffer, self._needed = bytes(self._buffer) + data, b"", 0
        for start in range(0, len(data), PIECE):
            if start and self._meter.spent >= SLICE:
                self._buffer = bytearray(data[start:])
                break
            self._fallback.dataReceived(data[start : start + PIECE])

    def _check_text(self) -> None:
        if self._check is not None and not self._check.holds(self._buffer):
            self._fall_back(bytes(self._buffer))

    # -- how much -------------------------------------------------------------------

    @property
    def _session(self) -> Session | None:
        return None if self._channel is None else self._channel.session

    def _widen(self) -> bool:
        """Ask for the limit of this client; whether it is larger than before."""
        before, self._limit = self._limit, self._allowance.limit(self._session)
        return self._limit > before

    @property
    def _can_hear(self) -> bool:
        """Whether the buffer may hold another message."""
        return bool(self._buffer) and not self._needed

    def _settle(self) -> None:
        """Pause reading where the client has spent too much, or enough for this turn."""
        delay = self._meter.settle()
        if delay:
            session = self._session
            if session is None or self._allowance.exempts(session):
                delay = 0.0
        if self._gone is not None and not (self._can_hear and self._channel is not None):
            self._end(self._gone)
        elif delay or self._can_hear:
            if self._gone is None:
                self.transport.pauseProducing()
            self._pause = self._deadlines.call_later(delay, self._read_on)
            if self._channel is not None:
                self._channel.excuse(delay)  # its pong is among what we do not read

    def _read_on(self) -> None:
        self._pause = None
        try:
            self._read(b"")  # what waits in the buffer
            self._settle()
        except Exception:  # what the transport does where it is read at once
            self.transport.abortConnection()
            if self._gone is not None:
                self._end(self._gone)
            raise
        if not self._paused:
            self.transport.resumeProducing()

    @property
    def _paused(self) -> bool:
        return self._pause is not None

    # -- closing --------------------------------------------------------------------

    def _closed_by_peer(self, payload: bytes) -> None:
        self._buffer = b""
        self._say_last(bytes((CLOSE, len(payload))) + payload)
        self.drop()

    def _leave(self) -> ClosingHandshake:
        """The closing handshake; made at the end, to save memory for idle connections."""
        if self._closing is None:
            self._closing = ClosingHandshake(self.transport, self._writer, self._deadlines)
        return self._closing

    def _say_last(self, frame: bytes) -> None:
        """Send our close frame, unless it was sent before."""
        if self._leave().say(frame):
            self._lost()


classImplements(WebSocketConnection, IProtocol)
