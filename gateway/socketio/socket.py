"""One client in one namespace.

Source: Socket.IO protocol 5, section "Exchange protocol"; for Engine.IO 3 sessions
the section of that name in Socket.IO protocol 4.
"""

from __future__ import annotations

from enum import Enum, auto
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any

from gateway.socketio import encode
from gateway.socketio.attachments import reconstruct

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.engineio.outbox import Sender
    from gateway.engineio.record import Record
    from gateway.engineio.session import Session
    from gateway.socketio.client import Client
    from gateway.socketio.errors import ConnectionRefused
    from gateway.socketio.namespace import Namespace
    from gateway.socketio.packet import Packet


class State(Enum):
    """CONNECTING -> CONNECTED -> CLOSED, or CONNECTING -> CLOSED."""

    CONNECTING = auto()
    CONNECTED = auto()
    CLOSED = auto()


class Socket:
    """A client's membership of a namespace.

    - `sid`: known to this client alone; never the Engine.IO session's, which is a secret
    - `namespace`: its name; `handler`: the `Namespace` object
    - `outbox`: where everything goes that is sent here; the session's, unless the
      namespace puts its own there
    - `data`: anything that the namespace wants to keep with the socket
    """

    __slots__ = (
        "_acks",
        "_client",
        "data",
        "handler",
        "namespace",
        "outbox",
        "session",
        "sid",
        "state",
    )

    def __init__(self, client: Client, session: Session, name: str, handler: Namespace) -> None:
        self.sid = token_urlsafe(15)
        self.namespace = name
        self.handler = handler
        self.session = session
        self.outbox: Sender = session.outbox
        self.data: Any = None
        self.state = State.CONNECTING
        self._client = client
        self._acks: dict[int, Callable[..., object]] | None = None

    @property
    def connected(self) -> bool:
        """Accepted, and not gone yet."""
        return self.state is State.CONNECTED

    def accept(self, sid: str | None = None, **extra: Any) -> None:
        """Let the client in, as `sid` where given; `extra` goes into the CONNECT reply.

        Does nothing when the client has gone in the meantime.
        """
        if self.state is not State.CONNECTING:
            return
        if sid is not None:
            self.sid = sid
        self.state = State.CONNECTED
        self._client.accepted()
        payload = None if self.session.eio == 3 else {"sid": self.sid, **extra}
        self.send(encode.connect(self.namespace, payload))

    def refuse(self, refused: ConnectionRefused) -> None:
        """Answer CONNECT with CONNECT_ERROR; the client may try again."""
        if self.state is not State.CONNECTING:
            return
        self.state = State.CLOSED
        self._client.refuse(self.namespace, refused)

    def emit(self, name: str | float, *args: Any, ack: Callable[..., object] | None = None) -> None:
        """Send one event; bytes among `args` become attachments.

        `ack` is called with the answer's arguments, once; never, if the client does
        not answer.  Raises `ValueError` and `TypeError` like `encode.event`.
        """
        id = None if ack is None else next(self.handler.ack_ids)
        record = encode.event(self.namespace, name, args, id)
        if id is not None and ack is not None and self.state is not State.CLOSED:
            self._acks = self._acks or {}
            self._acks[id] = ack
        self.send(record)

    def acknowledge(self, id: int, *args: Any) -> None:
        """Answer the event that came with `id`; raises like `emit`."""
        self.send(encode.ack(self.namespace, id, args))

    def send(self, record: Record) -> None:
        """Send a whole record of this namespace; nothing when the client has gone."""
        if self.state is not State.CLOSED:
            self.outbox.send(record)

    def disconnect(self, close: bool = False) -> None:
        """Take the client out of this namespace; `close`: out of all, and hang up.

        What the namespace's own outbox still holds is the namespace's to drop: the
        DISCONNECT packet goes to the session's.
        """
        if close:
            self._client.disconnect()
        elif self.state is State.CONNECTED:
            self.leave("server namespace disconnect")
            self.session.outbox.send(encode.disconnect(self.namespace))

    # -- for the client ---------------------------------------------------------------

    def answered(self, packet: Packet) -> bool:
        """Hand an acknowledgment to its callback; whether there is one."""
        if packet.id is None or not self._acks or packet.id not in self._acks:
            return False
        callback = self._acks.pop(packet.id)
        callback(*reconstruct(packet.value, packet.attachments))
        return True

    def leave(self, reason: str) -> None:
        """The client is out; tell the namespace if it was in."""
        was, self.state = self.state, State.CLOSED
        self._acks = None
        if was is State.CONNECTED:
            self.handler.disconnected(self, reason)
