"""Engine.IO over one WebSocket, sans-IO.

Source: Engine.IO protocol 4, section "WebSocket"; protocol 3, section "Packet".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gateway.engineio.errors import ProtocolError
from gateway.engineio.forms import WEBSOCKETS
from gateway.engineio.handshake import WEBSOCKET
from gateway.engineio.outbox import Sink
from gateway.engineio.packet import Packet
from gateway.engineio.payload import decode_binary3, decode_text, decode_text3
from gateway.engineio.probe import Probe

if TYPE_CHECKING:
    from gateway.engineio.session import Session


_new = tuple.__new__  # half the cost of a named tuple's own constructor


class WebSocketSink(Sink, Protocol):
    """The writing end of a WebSocket."""

    def close(self, code: int = 1000) -> None:
        """Close the connection, after what was written."""
        ...

    def abort(self) -> None:
        """Drop the connection, without a close frame."""
        ...


class WebSocketReceiver(Protocol):
    """What receives the messages of a WebSocket.

    - `text(data)`, `binary(data)`: one message each; a text is valid UTF-8
    - `room()`: the sink can be written to again
    - `excuse(seconds)`: nothing is read for so long
    - `lost()`: the connection was lost; called once, and not after `close`
    """

    @property
    def session(self) -> Session | None:
        """The session whose allowance counts; None: there is none."""
        ...

    def text(self, data: bytes) -> None: ...
    def binary(self, data: bytes) -> None: ...
    def room(self) -> None: ...
    def excuse(self, seconds: float) -> None: ...
    def lost(self) -> None: ...

    def texts(self, messages: list[bytes], at: int) -> int:
        """Take the text at `at`, and those after it that can be taken at once; the place after."""
        self.text(messages[at])
        return at + 1


class WebSocketChannel:
    """The WebSocket transport of a session, or of a probe; does nothing after the end."""

    __slots__ = ("_receiver", "sink")

    name = WEBSOCKET

    def __init__(self, sink: WebSocketSink, *, eio: int, base64: bool) -> None:
        self.sink = sink
        self.sink.form = WEBSOCKETS[eio, base64]
        self._receiver: Session | Probe | None = None

    def start(self, receiver: Session | Probe) -> None:
        """Give what arrives to `receiver` from now on."""
        self._receiver = receiver

    def text(self, data: bytes) -> None:
        receiver = self._receiver
        if receiver is None:
            return
        try:
            if data[:1] == b"b":
                receiver.receive(self._base64(data))
            else:
                receiver.receive(_new(Packet, (data, False)))
        except ProtocolError as error:
            receiver.abort(error.reason)

    def texts(self, messages: list[bytes], at: int) -> int:
        receiver = self._receiver
        after = at if receiver is None else receiver.burst(messages, at)
        if after == at:
            self.text(messages[at])
            after += 1
        return after

    def binary(self, data: bytes) -> None:
        receiver = self._receiver
        if receiver is None:
            return
        try:
            receiver.receive(self._binary(data))
        except ProtocolError as error:
            receiver.abort(error.reason)

    def room(self) -> None:
        if self._receiver is not None:
            self._receiver.room()

    def excuse(self, seconds: float) -> None:
        if self._receiver is not None:
            self._receiver.excuse(seconds)

    def lost(self) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.lost()

    @property
    def session(self) -> Session | None:
        """The session whose messages these are, or will be; None: it has ended."""
        receiver = self._receiver
        return receiver.session if isinstance(receiver, Probe) else receiver

    @property
    def has_room(self) -> bool:
        return self.sink.write(b"")

    def end(self, farewell: Packet | None, code: int) -> None:
        if self._receiver is not None:  # else the connection is gone already
            self._receiver = None
            self.sink.close(code)

    def abort(self) -> None:
        """Drop the connection."""
        if self._receiver is not None:
            self._receiver = None
            self.sink.abort()

    def _base64(self, data: bytes) -> Packet:
        """Binary from a client that asked for base64."""
        return decode_text(data)

    def _binary(self, data: bytes) -> Packet:
        return Packet(data, binary=True)


class WebSocketChannel3(WebSocketChannel):
    """The same for Engine.IO 3, where binary messages have a type too."""

    __slots__ = ()

    def _base64(self, data: bytes) -> Packet:
        return decode_text3(data)

    def _binary(self, data: bytes) -> Packet:
        return decode_binary3(data)
