"""One Socket.IO session from the client's side, without I/O.

It asks the gateway for recovery: who comes back in time has missed nothing (docs/protocol.md).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Protocol

import attrs
import orjson

from gateway.engineio.packet import CLOSE, MESSAGE, NOOP, OPEN, PING, PONG
from gateway.engineio.packet import Packet as EnginePacket
from gateway.socketio.attachments import Assembly
from gateway.socketio.errors import ParseError
from gateway.socketio.packet import ACK, EVENT, PacketType, decode, header

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.socketio.packet import Packet

CONNECT_ERROR = header(PacketType.CONNECT_ERROR, "/")
LEAVE = header(PacketType.DISCONNECT, "/").decode()
"""What a client sends that goes for good."""

LONGEST = 86_400.0
"""Seconds that a gateway is waited for at most, whatever it says of its pings."""

_OFFSET = re.compile(rb',"([0-9a-f]{16,64}-[0-9]{1,15})"\]\Z')
"""The offset, which the gateway adds as the last argument of an event that is not of a snapshot."""


class RefusedError(Exception):
    """The gateway lets nobody in who asks for this; the text is its own."""


class LostError(Exception):
    """The session is over; the text says why.  Another one may be opened."""


class Listener(Protocol):
    """Whom a conversation tells what it hears."""

    def joined(self, *, recovered: bool) -> None:
        """The gateway let us in; `recovered`: as one who came back, and has missed nothing."""
        ...

    def heard(self, payload: bytes, attachments: Sequence[bytes]) -> None:
        """An event: the JSON array of its name and arguments, and the attachments."""
        ...


@attrs.define
class Place:
    """How far a client has heard, over all its sessions."""

    pid: str | None = None
    offset: str | None = None

    @property
    def auth(self) -> dict[str, Any]:
        """What it sends to go on from there."""
        told = {"pid": self.pid, "offset": self.offset}
        return {"recover": True, **{key: text for key, text in told.items() if text}}


class Conversation:
    """One session; `send(text)` sends a packet.

    `patience`: seconds after which a gateway that says nothing is gone.
    """

    def __init__(
        self,
        auth: dict[str, Any],
        place: Place,
        listener: Listener,
        send: Callable[[str], None],
    ) -> None:
        self.patience = 60.0
        self._auth = auth
        self._place = place
        self._listener = listener
        self._send = send
        self._assembly: Assembly | None = None

    def receive(self, data: bytes, *, binary: bool) -> None:
        """Take one Engine.IO packet.  Raises RefusedError or LostError."""
        try:
            self._receive(data, binary=binary)
        except (ParseError, ValueError, KeyError, TypeError) as error:
            raise LostError(f"it sent what is no Socket.IO: {error}") from error

    def _receive(self, data: bytes, *, binary: bool) -> None:
        kind = data[:1]
        if binary:
            self._attach(EnginePacket(data, binary=True))
        elif kind == MESSAGE:
            self._message(data)
        elif kind == PING:
            self._send((PONG + data[1:]).decode())
        elif kind == OPEN:
            told = orjson.loads(data[1:])
            self.patience = min((told["pingInterval"] + told["pingTimeout"]) / 1000, LONGEST)
            auth = orjson.dumps({**self._auth, **self._place.auth})
            self._send((header(PacketType.CONNECT, "/") + auth).decode())
        elif kind == CLOSE:
            raise LostError("it closed the session")
        elif kind != NOOP:
            raise ParseError("a packet of no known type")

    def _message(self, data: bytes) -> None:
        if data.startswith(CONNECT_ERROR):  # only servers send it, and `decode` is a server's
            raise RefusedError(str(orjson.loads(data[len(CONNECT_ERROR) :])["message"]))
        packet = decode(EnginePacket(data))
        if packet.type is PacketType.CONNECT:
            self._join(packet.value.get("pid"))
        elif packet.type is PacketType.DISCONNECT:
            raise LostError("it disconnected us")
        elif packet.expected:
            self._assembly = Assembly(packet)
        elif packet.type is EVENT:
            self._event(packet)

    def _join(self, pid: str | None) -> None:
        recovered = pid is not None and pid == self._place.pid
        self._place.pid = pid
        if not recovered:
            self._place.offset = None
        self._listener.joined(recovered=recovered)

    def _attach(self, attachment: EnginePacket) -> None:
        if self._assembly is None:
            raise ParseError("an attachment of no event")
        if self._assembly.add(attachment):
            packet, self._assembly = self._assembly.packet, None
            if packet.type is PacketType.BINARY_EVENT:
                self._event(packet)

    def _event(self, packet: Packet) -> None:
        payload = packet.payload
        if packet.id is not None:  # who asks everybody need not wait for us
            self._send((header(ACK, "/", packet.id) + b"[]").decode())
        elif (offset := _OFFSET.search(payload)) is not None:
            self._place.offset = offset[1].decode()
            payload = payload[: offset.start()] + b"]"
        self._listener.heard(payload, [each.data for each in packet.attachments])
