"""Who is in a namespace, and in which of its rooms."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gateway.socketio.socket import Socket


class Rooms:
    """Sockets by the names of their rooms; each socket's `sid` is a room of its own."""

    def __init__(self) -> None:
        self.sockets: dict[str, Socket] = {}
        """By `sid`, those that were accepted and are not gone."""
        self._members: dict[str, dict[Socket, None]] = {}
        self._rooms: dict[Socket, set[str]] = {}

    def add(self, socket: Socket) -> None:
        self.sockets[socket.sid] = socket

    def remove(self, socket: Socket) -> None:
        for room in self.of(socket):
            self.leave(socket, room)
        if self.sockets.get(socket.sid) is socket:  # else somebody came back as this one
            del self.sockets[socket.sid]

    def of(self, socket: Socket) -> set[str]:
        """The rooms that `socket` is in, but its own."""
        return set(self._rooms.get(socket, ()))

    def enter(self, socket: Socket, room: str) -> None:
        if socket.connected:
            self._members.setdefault(room, {})[socket] = None
            self._rooms.setdefault(socket, set()).add(room)

    def leave(self, socket: Socket, room: str) -> None:
        if room not in self._rooms.get(socket, ()):
            return
        del self._members[room][socket]
        if not self._members[room]:
            del self._members[room]
        self._rooms[socket].discard(room)
        if not self._rooms[socket]:
            del self._rooms[socket]

    def close(self, room: str) -> None:
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
