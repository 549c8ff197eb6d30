"""What a namespace is asked to do for its clients, and its rooms."""

from __future__ import annotations

from itertools import count
from secrets import randbelow
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gateway.socketio.packet import Packet
    from gateway.socketio.socket import Socket

FIRST_ACK_ID = 1 << 30
"""The first acknowledgment id is below this: Java's client has 31 bits for an id."""


def ack_ids() -> Iterator[int]:
    """Acknowledgment ids for one namespace, from a random one on.

    A client that connects again may answer a question of the process before, which must not
    count as the answer to another question.
    """
    return count(randbelow(FIRST_ACK_ID))


class Namespace(Protocol):
    """Registered with `Server.of`; one object serves every socket of its name."""

    ack_ids: Iterator[int]
    """Gives each event that asks for an acknowledgment its id."""

    def connect(self, socket: Socket, auth: dict[str, Any]) -> None:
        """A client asks to join: call `socket.accept()` now or later, or refuse.

        Refuse by raising `ConnectionRefused`, or later by `socket.refuse`.
        """
        ...

    def accepted(self, socket: Socket) -> None:
        """`socket` was accepted; called once, before its CONNECT is answered."""
        ...

    def event(self, socket: Socket, packet: Packet) -> None:
        """A whole EVENT or BINARY_EVENT of a connected socket."""
        ...

    def events(self, socket: Socket, texts: list[bytes], values: list[list[Any]]) -> None:
        """Plain events that came together, each as for `event`, by their texts and values.

        Those after the client's end are void.
        """
        ...

    def ack(self, socket: Socket, packet: Packet) -> None:
        """A whole ACK or BINARY_ACK that answers none of the socket's own callbacks."""
        ...

    def disconnected(self, socket: Socket, reason: str) -> None:
        """An accepted socket has left; called once."""
        ...


# -- The sockets of a namespace, and its rooms.


class Rooms:
    """Sockets by the names of their rooms; each socket's `sid` is a room of its own."""

    def __init__(self) -> None:
        self.sockets: dict[str, Socket] = {}
        """By `sid`, those that were accepted and have not left."""
        self._members: dict[str, dict[Socket, None]] = {}
        self._rooms: dict[Socket, set[str]] = {}

    def add(self, socket: Socket) -> None:
        """Note that `socket` was accepted."""
        self.sockets[socket.sid] = socket

    def remove(self, socket: Socket) -> None:
        """Note that `socket` has left the namespace."""
        for room in self.of(socket):
            self.leave(socket, room)
        if self.sockets.get(socket.sid) is socket:  # else somebody came back as this one
            del self.sockets[socket.sid]

    def of(self, socket: Socket) -> set[str]:
        """The rooms that `socket` was put into."""
        return set(self._rooms.get(socket, ()))

    def enter(self, socket: Socket, room: str) -> None:
        """Put `socket` into `room`; does nothing unless it is connected."""
        if socket.connected:
            self._members.setdefault(room, {})[socket] = None
            self._rooms.setdefault(socket, set()).add(room)

    def leave(self, socket: Socket, room: str) -> None:
        """Take `socket` out of `room`."""
        if room not in self._rooms.get(socket, ()):
            return
        del self._members[room][socket]
        if not self._members[room]:
            del self._members[room]
        self._rooms[socket].discard(room)
        if not self._rooms[socket]:
            del self._rooms[socket]

    def close(self, room: str) -> None:
        """Take all sockets out of `room`."""
        for socket in list(self._members.get(room, ())):
            self.leave(socket, room)

    def within(self, to: str | Iterable[str] | None) -> Iterator[Socket]:
        """The sockets in a room, or in one of several, each once; None: all."""
        if to is None:
            yield from list(self.sockets.values())
            return
        found: dict[Socket, None] = {}
        for room in (to,) if isinstance(to, str) else to:
            if room in self.sockets:
                found[self.sockets[room]] = None
            found.update(self._members.get(room, {}))
        yield from found
