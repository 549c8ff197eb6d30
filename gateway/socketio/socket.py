"""One client in one namespace.

Source: Socket.IO protocol 5, section "Exchange protocol"; for Engine.IO 3 sessions
the section of that name in Socket.IO protocol 4.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - a compiled NamedTuple looks at its types
from enum import Enum, auto
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gateway.engineio.ids import random_id
from gateway.socketio import encode
from gateway.socketio.attachments import reconstruct
from gateway.socketio.outcome import attempt, report

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.engineio.deadlines import Deadline
    from gateway.engineio.outbox import Sender
    from gateway.engineio.packet import Record
    from gateway.engineio.session import Session
    from gateway.socketio.client import Client
    from gateway.socketio.errors import ConnectionRefused
    from gateway.socketio.namespace import Namespace
    from gateway.socketio.packet import Packet


ACK_TIMEOUT: Final = 60.0
"""Seconds that a client has to answer, unless `emit` is given others."""


class Handshake(NamedTuple):
    """A client's first request.

    `headers`: those that `EngineResource` was told to keep, with names in lower case;
    `address`: the client's, without the port.
    """

    headers: Mapping[str, str]
    query: Mapping[str, str]
    address: str


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
        self.sid = random_id(15)
        self.namespace = name
        self.handler = handler
        self.session = session
        self.outbox: Sender = session.outbox
        self.data: Any = None
        self.state = State.CONNECTING
        self._client = client
        self._acks: dict[int, tuple[Callable[..., object], Deadline]] | None = None

    @property
    def connected(self) -> bool:
        """Whether it was accepted and has not left."""
        return self.state is State.CONNECTED

    @property
    def asks(self) -> bool:
        """Whether it is neither accepted nor refused, and has not left."""
        return self.state is State.CONNECTING

    @property
    def handshake(self) -> Handshake:
        """The client's first request."""
        peer = self.session.peer
        return Handshake(self.session.headers, self.session.query, peer.address)

    def accept(self, sid: str | None = None, **extra: Any) -> None:
        """Let the client in, as `sid` if given; `extra` goes into the CONNECT reply.

        Does nothing when the client has gone in the meantime.  Raises `TypeError` for what
        JSON has no form for.
        """
        if self.state is not State.CONNECTING:
            return
        sid = self.sid if sid is None else sid
        payload = None if self.session.eio == 3 else {"sid": sid, **extra}
        reply = encode.connect(self.namespace, payload)
        self.sid, self.state = sid, State.CONNECTED
        self._client.accepted()
        self.handler.accepted(self)
        self.send(reply)

    def refuse(self, refused: ConnectionRefused) -> None:
        """Answer CONNECT with CONNECT_ERROR; the client may try again."""
        if self.state is not State.CONNECTING:
            return
        self._client.refuse(self.namespace, refused)
        self.state = State.CLOSED

    def emit(
        self,
        name: str | float,
        *args: Any,
        ack: Callable[..., object] | None = None,
        timeout: float = ACK_TIMEOUT,
        timed_out: Callable[[], object] | None = None,
    ) -> None:
        """Send one event; bytes among `args` become attachments.

        `ack` is called once with the answer's arguments.  If no answer comes in `timeout`
        seconds, `timed_out` is called instead.  Neither is called if the client has gone.  Both
        may be coroutine functions.  Raises `ValueError` and `TypeError` like `encode.event`.
        """
        id = None if ack is None else next(self.handler.ack_ids)
        record = encode.event(self.namespace, name, args, id)
        if id is not None and ack is not None and self.state is not State.CLOSED:
            deadline = self._client.call_later(timeout, partial(self._give_up, id, timed_out))
            self._acks = self._acks or {}
            self._acks[id] = ack, deadline
        self.send(record)

    def acknowledge(self, id: int, *args: Any) -> None:
        """Answer the event that came with `id`; raises like `emit`."""
        self.send(encode.ack(self.namespace, id, args))

    def send(self, record: Record) -> None:
        """Send a whole record of this namespace; does nothing when the client has left."""
        if self.state is not State.CLOSED:
            self.outbox.send(record)

    def disconnect(self, close: bool = False) -> None:
        """Take the client out of this namespace; `close`: out of all, and close the session.

        The DISCONNECT packet goes to the session's outbox; a namespace with an outbox of its own
        drops what that still holds.
        """
        if close:
            self._client.disconnect()
        elif self.state is State.CONNECTED:
            self.leave("server namespace disconnect")
            self.session.outbox.send(encode.disconnect(self.namespace))

    # -- for the client ---------------------------------------------------------------

    def answered(self, packet: Packet) -> bool:
        """Give an acknowledgment to its callback; False: there is none."""
        if packet.id is None or not self._acks or packet.id not in self._acks:
            return False
        callback, deadline = self._acks.pop(packet.id)
        deadline.cancel()
        arguments = reconstruct(packet.value, packet.attachments)
        attempt(partial(callback, *arguments), _nothing, partial(report, "An ack callback"))
        return True

    def leave(self, reason: str) -> None:
        """The client has left; tell the namespace if it was accepted."""
        was, self.state = self.state, State.CLOSED
        for _, deadline in (self._acks or {}).values():
            deadline.cancel()
        self._acks = None
        if was is State.CONNECTED:
            self.handler.disconnected(self, reason)

    def _give_up(self, id: int, timed_out: Callable[[], object] | None) -> None:
        """The client did not answer in time."""
        if self._acks is not None:
            del self._acks[id]
        if timed_out is not None:
            attempt(timed_out, _nothing, partial(report, "The callback of a time-out"))


def _nothing(_: object) -> None:
    """Ignore what a callback returns."""
