"""What a namespace is to its clients."""

from __future__ import annotations

from itertools import count
from secrets import randbelow
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.socketio.packet import Packet
    from gateway.socketio.socket import Socket


FIRST_ACK_ID = 1 << 30
"""The first acknowledgment id is below this: clients in Java have 31 bits for any."""


def ack_ids() -> Iterator[int]:
    """Acknowledgment ids for one namespace, from a random one on.

    A client that reconnects may answer a question of the process before; that must not be
    taken for the answer to another question.
    """
    return count(randbelow(FIRST_ACK_ID))


class Namespace(Protocol):
    """Registered with `Server.of`; one object serves every socket of its name."""

    ack_ids: Iterator[int]
    """Where every event that asks for an acknowledgment gets its id."""

    def connect(self, socket: Socket, auth: dict[str, Any]) -> None:
        """A client asks to join: call `socket.accept()` now or later, or refuse.

        Refuse by raising `ConnectionRefused`, or later by `socket.refuse`.
        """
        ...

    def accepted(self, socket: Socket) -> None:
        """`socket` is in; called once, before its CONNECT is answered."""
        ...

    def event(self, socket: Socket, packet: Packet) -> None:
        """A whole EVENT or BINARY_EVENT of a connected socket."""
        ...

    def ack(self, socket: Socket, packet: Packet) -> None:
        """A whole ACK or BINARY_ACK that answers none of the socket's own callbacks."""
        ...

    def disconnected(self, socket: Socket, reason: str) -> None:
        """An accepted socket is gone; called once."""
        ...
