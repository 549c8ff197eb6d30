"""The namespaces behind one Engine.IO session.

Source: Socket.IO protocol 5, section "Exchange protocol".
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from gateway.engineio.errors import ProtocolError
from gateway.socketio import encode
from gateway.socketio.attachments import Assembly
from gateway.socketio.errors import ConnectionRefused, ParseError
from gateway.socketio.packet import (
    ACK,
    BINARY_ACK,
    BINARY_EVENT,
    CONNECT,
    DISCONNECT,
    EVENT,
    Packet,
    decode,
    plain_events,
)
from gateway.socketio.socket import Socket, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.engineio.deadlines import Deadline
    from gateway.engineio.packet import Packet as EnginePacket
    from gateway.engineio.session import Session
    from gateway.socketio.server import Server


JOIN: Final = 4
"""Units that a CONNECT costs besides its message, whatever the answer, see `Meter`."""

REFUSALS: Final = 10
"""CONNECTs refused in a row after which the session is closed."""


class Client:
    """The `Connection` of one session.

    A socket that the server disconnected stays known until the client joins again: packets that
    the client sent before it knew of that are ignored, and are no error.
    """

    __slots__ = (
        "_assembly",
        "_assembly_timeout",
        "_refused",
        "_server",
        "_sockets",
        "_timeout",
        "session",
    )

    def __init__(self, server: Server, session: Session) -> None:
        self.session = session
        self._server = server
        self._sockets: dict[str, Socket] = {}
        self._assembly: Assembly | None = None
        self._refused = 0
        self._assembly_timeout: Deadline | None = None
        self._timeout: Deadline | None = server.deadlines.call_later(
            server.settings.connect_timeout, self._idle
        )

    # -- the session's side -----------------------------------------------------------

    def message(self, packet: EnginePacket) -> None:
        """Take one Engine.IO message; raises `ProtocolError` for what the protocol forbids."""
        if packet.binary or self._assembly is not None:
            self._attach(packet)
        else:
            decoded = decode(packet, self.session.eio)
            _ROUTES[decoded.type](self, decoded)

    def burst(self, messages: list[bytes], at: int) -> int:
        """Take the plain events among several texts at once; the place after those taken."""
        socket = self._sockets.get("/")
        if socket is None or socket.state is not _CONNECTED or self._assembly is not None:
            return at
        values = plain_events(messages, at)
        end = at + len(values)
        if values:
            socket.handler.events(socket, messages[at:end], values)
        return end

    def closed(self, reason: str) -> None:
        """The session is over."""
        self._assembly = None
        if self._assembly_timeout is not None:
            self._assembly_timeout.cancel()
        self.accepted()
        sockets, self._sockets = self._sockets, {}
        for socket in sockets.values():
            socket.leave(reason)

    # -- the sockets' side ------------------------------------------------------------

    def connect(self, name: str, auth: dict[str, Any]) -> None:
        """Ask the namespace `name` for a socket."""
        self.session.meter.charge(JOIN)
        handler = self._server.namespaces.get(name)
        if handler is None:
            self.refuse(name, ConnectionRefused("Invalid namespace"))
            return
        socket = self._sockets[name] = Socket(self, self.session, name, handler)
        try:
            handler.connect(socket, auth)
        except ConnectionRefused as refused:
            socket.refuse(refused)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Deadline:
        """Call `callback` in `seconds`."""
        return self._server.deadlines.call_later(seconds, callback)

    def accepted(self) -> None:
        """A namespace was joined: the session may stay."""
        self._refused = 0
        if self._timeout is not None:
            self._timeout.cancel()
            self._timeout = None

    def refuse(self, name: str, refused: ConnectionRefused) -> None:
        """Answer a CONNECT with CONNECT_ERROR; the last of `REFUSALS` closes the session."""
        self._sockets.pop(name, None)
        payload: dict[str, Any] | str = refused.message
        if self.session.eio != 3:
            payload = {"message": refused.message}
            if refused.data is not None:
                payload["data"] = refused.data
        self.session.outbox.send(encode.connect_error(name, payload))
        self._refused += 1
        if self._refused >= REFUSALS:
            self.session.close("refused too often")

    def disconnect(self) -> None:
        """Leave every namespace and close the session."""
        for socket in list(self._sockets.values()):
            socket.disconnect()
        self.session.close("forced server close")

    # -- one method for each packet type ----------------------------------------------

    def _connect(self, packet: Packet) -> None:
        socket = self._sockets.get(packet.namespace)
        if socket is not None and socket.state is not State.CLOSED:
            raise ProtocolError("CONNECT to a namespace that is joined already")
        self.connect(packet.namespace, packet.value)

    def _disconnect(self, packet: Packet) -> None:
        socket = self._member(packet)
        del self._sockets[packet.namespace]
        socket.leave("client namespace disconnect")

    def _event(self, packet: Packet) -> None:
        socket = self._sockets.get(packet.namespace)
        if socket is None or socket.state is not _CONNECTED:
            socket = self._member(packet)
            if socket.state is not _CONNECTED:
                return
        socket.handler.event(socket, packet)

    def _ack(self, packet: Packet) -> None:
        socket = self._member(packet)
        if socket.state is State.CONNECTED and not socket.answered(packet):
            socket.handler.ack(socket, packet)

    def _begin(self, packet: Packet) -> None:
        self._member(packet)
        self._assembly = Assembly(packet)
        if self._assembly_timeout is None:
            self._watch(self._assembly)

    def _attach(self, packet: EnginePacket) -> None:
        assembly, self._assembly = self._assembly, None
        if assembly is None or not packet.binary:
            raise ParseError("attachments and the packets that announce them don't match")
        whole = assembly.add(packet)
        if not self._server.takes(self.session, assembly.size):
            raise ProtocolError("an event is too large with its attachments")
        if not whole:
            self._assembly = assembly
        elif assembly.packet.type is BINARY_EVENT:
            self._event(assembly.packet)
        else:
            self._ack(assembly.packet)

    def _watch(self, assembly: Assembly, more: float = 0.0) -> None:
        """Limit the time until the attachments have come; `more` seconds are added.

        One deadline serves all events of the client.
        """
        self._assembly_timeout = self._server.deadlines.call_later(
            self._server.settings.attachment_timeout + more, partial(self._late, assembly)
        )

    def _late(self, before: Assembly) -> None:
        self._assembly_timeout = None
        assembly, debt = self._assembly, self.session.meter.settle()
        if assembly is None:
            return
        if assembly is before and not debt:
            self.session.abort("attachments never came")
        else:  # another event by now, or it could not be read
            self._watch(assembly, debt)

    def _member(self, packet: Packet) -> Socket:
        socket = self._sockets.get(packet.namespace)
        if socket is None or socket.state is State.CONNECTING:
            raise ProtocolError(f"{packet.type.name} to a namespace that is not joined")
        return socket

    def _idle(self) -> None:
        self._timeout = None
        self.session.close("connect timeout")


_CONNECTED = State.CONNECTED
_ROUTES = {
    CONNECT: Client._connect,
    DISCONNECT: Client._disconnect,
    EVENT: Client._event,
    ACK: Client._ack,
    BINARY_EVENT: Client._begin,
    BINARY_ACK: Client._begin,
}
