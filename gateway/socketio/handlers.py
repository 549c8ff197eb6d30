"""A namespace made of handlers, for users of the library."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from gateway.socketio import encode
from gateway.socketio.attachments import reconstruct
from gateway.socketio.errors import ConnectionRefused
from gateway.socketio.namespace import Rooms, ack_ids
from gateway.socketio.outcome import Reports, attempt
from gateway.socketio.packet import whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from gateway.engineio.packet import Record
    from gateway.socketio.packet import Packet
    from gateway.socketio.socket import Socket

    Handler = TypeVar("Handler", bound=Callable[..., Any])

NO_ANSWER: Final = object()
"""What an event's handler returns so that its acknowledgment is never sent."""


class Handlers:
    """Handlers, registered with decorators; of all but `use` the last one counts.

    - `use`: `(socket, auth)`, before `on_connect`, one after the other; refuses by raising
      `ConnectionRefused`.
    - `on_connect`: `(socket, auth)`; calls `socket.accept()`, now or later, or raises
      `ConnectionRefused`.  Without it everybody is accepted.
    - `on(name)`: `(socket, *args)` for one event; `on_any`: `(socket, name, *args)`
      for the events without a handler of their own.  Attachments are `bytes` in `args`.
    - `on_disconnect`: `(socket, reason)`.

    Each may be a coroutine function or return a Deferred, which is waited for; other events are
    handled in between.  If the client asked for an acknowledgment, the result of the event's
    handler answers it: a tuple is several arguments, None is none, `NO_ANSWER` sends no answer.
    An event without a handler is not answered.

    An error in a handler is logged by `logging`, at most 20 a minute, and the event is not
    answered: so is a wrong number of arguments, and an answer that JSON has no form for.  An
    error in `use` or `on_connect` refuses the client.
    """

    def __init__(self) -> None:
        self.ack_ids = ack_ids()
        self._rooms = Rooms()
        self._report = Reports()
        self._before: list[Callable[..., Any]] = []
        self._connect: Callable[..., Any] = _accept
        self._events: dict[str | float, Callable[..., Any]] = {}
        self._any: Callable[..., Any] | None = None
        self._disconnected: Callable[..., Any] | None = None

    def use(self, middleware: Handler) -> Handler:
        """Decorator: call it before `on_connect`, after those registered before."""
        self._before.append(middleware)
        return middleware

    def on_connect(self, handler: Handler) -> Handler:
        """Decorator: call it when a client asks to join."""
        self._connect = handler
        return handler

    def on(self, name: str | float) -> Callable[[Handler], Handler]:
        """Decorator: call it for the event `name`."""

        def register(handler: Handler) -> Handler:
            self._events[name] = handler
            return handler

        return register

    def on_any(self, handler: Handler) -> Handler:
        """Decorator: call it for events without a handler of their own."""
        self._any = handler
        return handler

    def on_disconnect(self, handler: Handler) -> Handler:
        """Decorator: call it when an accepted client has left."""
        self._disconnected = handler
        return handler

    # -- sockets and rooms --------------------------------------------------------------

    @property
    def sockets(self) -> Mapping[str, Socket]:
        """The namespace's sockets by their `sid`."""
        return self._rooms.sockets

    def emit(
        self,
        name: str | float,
        *args: Any,
        to: str | Iterable[str] | None = None,
        skip: Socket | None = None,
    ) -> None:
        """Send an event to all sockets, or to those in a room or in one of several, except `skip`.

        A socket's `sid` is a room of its own.  The event is encoded once.  Raises like
        `Socket.emit`.
        """
        records: dict[str, Record] = {}  # the handlers may serve several namespaces
        for socket in self._rooms.within(to):
            if socket is skip:
                continue
            record = records.get(socket.namespace)
            if record is None:
                record = encode.event(socket.namespace, name, args)
                records[socket.namespace] = record
            socket.send(record)

    def enter_room(self, socket: Socket, room: str) -> None:
        """Put `socket` into `room` until it leaves; does nothing before it is accepted."""
        self._rooms.enter(socket, room)

    def leave_room(self, socket: Socket, room: str) -> None:
        """Take `socket` out of `room`."""
        self._rooms.leave(socket, room)

    def close_room(self, room: str) -> None:
        """Take everybody out of `room`."""
        self._rooms.close(room)

    def rooms(self, socket: Socket) -> set[str]:
        """The rooms that `socket` was put into."""
        return self._rooms.of(socket)

    # -- as a Namespace ---------------------------------------------------------------

    def connect(self, socket: Socket, auth: dict[str, Any]) -> None:
        self._admit(socket, auth, iter((*self._before, self._connect)))

    def accepted(self, socket: Socket) -> None:
        self._rooms.add(socket)

    def event(self, socket: Socket, packet: Packet) -> None:
        name, *args = reconstruct(packet.value, packet.attachments)
        if (handler := self._events.get(name)) is not None:
            call = partial(handler, socket, *args)
        elif self._any is not None:
            call = partial(self._any, socket, name, *args)
        else:
            return
        failed = partial(self._failed, socket, f"The handler of {name!r:.100}")
        attempt(call, partial(_answer, socket, packet.id), failed)

    def events(self, socket: Socket, texts: list[bytes], values: list[list[Any]]) -> None:
        for text, value in zip(texts, values, strict=True):
            if socket.connected and socket.session.is_open:  # no handler ended it
                self.event(socket, whole(text, value))

    def ack(self, socket: Socket, packet: Packet) -> None:
        """Ignored: no callback waits for it."""

    def disconnected(self, socket: Socket, reason: str) -> None:
        if self._disconnected is not None:
            left = partial(self._disconnected, socket, reason)
            attempt(left, _nothing, partial(self._failed, socket, "on_disconnect"))
        self._rooms.remove(socket)

    def _admit(
        self, socket: Socket, auth: dict[str, Any], steps: Iterator[Callable[..., Any]]
    ) -> None:
        """Take the next step towards accepting `socket`, and the others after it."""
        step = next(steps, None)
        if step is not None and socket.asks:
            attempt(
                partial(step, socket, auth),
                lambda _: self._admit(socket, auth, steps),
                partial(self._refuse, socket),
            )

    def _refuse(self, socket: Socket, error: Exception) -> None:
        if isinstance(error, ConnectionRefused):
            try:
                socket.refuse(error)
            except TypeError as unfit:  # its data has no JSON form
                error = unfit
            else:
                return
        self._failed(socket, "on_connect", error)
        socket.refuse(ConnectionRefused("Internal error"))

    def _failed(self, socket: Socket, what: str, error: Exception) -> None:
        self._report(what, socket.session.server.deadlines.clock(), error)


def _answer(socket: Socket, id: int | None, answer: Any) -> None:
    if id is not None and answer is not NO_ANSWER:
        socket.acknowledge(id, *_arguments(answer))


def _nothing(_: Any) -> None:
    """Ignore a result that is not needed."""


def _accept(socket: Socket, _auth: dict[str, Any]) -> None:
    socket.accept()


def _arguments(answer: Any) -> tuple[Any, ...]:
    if answer is None:
        return ()
    return answer if isinstance(answer, tuple) else (answer,)
