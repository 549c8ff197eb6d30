"""A namespace made of handlers, for users of the library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from gateway.socketio.attachments import reconstruct
from gateway.socketio.namespace import ack_ids

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.socketio.packet import Packet
    from gateway.socketio.socket import Socket

    Handler = TypeVar("Handler", bound=Callable[..., Any])


class Handlers:
    """Register functions with the decorators; one of each kind, the last one counts.

    - `on_connect`: `(socket, auth)`; calls `socket.accept()`, now or later, or raises
      `ConnectionRefused`.  Without it everybody is accepted.
    - `on(name)`: `(socket, *args)` for one event; `on_any`: `(socket, name, *args)`
      for the events without a handler of their own.  Attachments are `bytes` in `args`.
    - `on_disconnect`: `(socket, reason)`.

    Where the client asked for an acknowledgment, an event handler's return value
    answers it: a tuple is several arguments, None is none.  An event without any
    handler is not answered.  What a handler raises is the session's to deal with,
    like a fault of the transport.
    """

    def __init__(self) -> None:
        self.ack_ids = ack_ids()
        self._connect: Callable[..., Any] = _accept
        self._events: dict[str | float, Callable[..., Any]] = {}
        self._any: Callable[..., Any] | None = None
        self._disconnected: Callable[..., Any] | None = None

    def on_connect(self, handler: Handler) -> Handler:
        self._connect = handler
        return handler

    def on(self, name: str | float) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            self._events[name] = handler
            return handler

        return register

    def on_any(self, handler: Handler) -> Handler:
        self._any = handler
        return handler

    def on_disconnect(self, handler: Handler) -> Handler:
        self._disconnected = handler
        return handler

    # -- as a Namespace ---------------------------------------------------------------

    def connect(self, socket: Socket, auth: dict[str, Any]) -> None:
        self._connect(socket, auth)

    def event(self, socket: Socket, packet: Packet) -> None:
        name, *args = reconstruct(packet.value, packet.attachments)
        if (handler := self._events.get(name)) is not None:
            answer = handler(socket, *args)
        elif self._any is not None:
            answer = self._any(socket, name, *args)
        else:
            return
        if packet.id is not None:
            socket.acknowledge(packet.id, *_arguments(answer))

    def ack(self, socket: Socket, packet: Packet) -> None:
        """Nobody waits for it."""

    def disconnected(self, socket: Socket, reason: str) -> None:
        if self._disconnected is not None:
            self._disconnected(socket, reason)


def _accept(socket: Socket, _auth: dict[str, Any]) -> None:
    socket.accept()


def _arguments(answer: Any) -> tuple[Any, ...]:
    if answer is None:
        return ()
    return answer if isinstance(answer, tuple) else (answer,)
