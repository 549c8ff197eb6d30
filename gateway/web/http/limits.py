"""Bounds for requests: sizes, the time that each phase of a connection may take, and turns."""

from __future__ import annotations

from enum import IntEnum, auto
from typing import TYPE_CHECKING, Protocol

from attrs import frozen
from twisted.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Callable


_log = Logger(namespace="gateway")

SWEEP_SECONDS = 0.5
"""Seconds between two checks: an overdue connection may be noticed this late."""


class Phase(IntEnum):
    """What a connection waits for; from CLOSING on nothing is read."""

    HEAD = auto()
    """The rest of a request's head; also a new connection."""
    BODY = auto()
    HANDLING = auto()
    """Our answer, which has no deadline; or the connection became a WebSocket."""
    IDLE = auto()
    """The next request."""
    CLOSING = auto()
    """The client reads our last answer; then the connection closes."""
    REJECTED = auto()
    """The same after a bad request."""


@frozen
class Limits:
    """Sizes in bytes, times in seconds.  Times are absolute: arriving bytes do not extend them."""

    url: int = 8192
    header_bytes: int = 16384
    """Request line and headers together."""
    headers: int = 100
    body: int = 65536
    """Bodies of requests, where the path has no bound of its own."""
    head_seconds: float = 10.0
    body_seconds: float = 15.0
    idle_seconds: float = 30.0
    """Between two requests."""
    flush_seconds: float = 15.0
    """For the client to read our last answer."""
    linger_seconds: float = 2.0
    """The same after a bad request, while the peer may still be sending."""

    @property
    def seconds(self) -> dict[Phase, float]:
        """How long each phase may take; 0: without a limit."""
        return {
            Phase.HEAD: self.head_seconds,
            Phase.BODY: self.body_seconds,
            Phase.HANDLING: 0.0,
            Phase.IDLE: self.idle_seconds,
            Phase.CLOSING: self.flush_seconds,
            Phase.REJECTED: self.linger_seconds,
        }


class Call(Protocol):
    """A call that is scheduled."""

    def cancel(self) -> None: ...


class Timer(Protocol):
    """The part of `IReactorTime` that is used here."""

    def seconds(self) -> float: ...

    def callLater(self, delay: float, callable: Callable[[], None], /) -> Call: ...


class Overdue(Protocol):
    """A connection that has a deadline."""

    def overdue(self) -> None:
        """The deadline has passed."""
        ...


class Expiry:
    """One deadline for each of many connections.

    Deadlines change with every request and hardly ever pass.  So all of them are checked twice
    a second, and none has a timer of its own.
    """

    def __init__(self, reactor: Timer) -> None:
        self._reactor = reactor
        self._due: dict[Overdue, float] = {}
        self._sweeping: Call | None = None
        self._is_over = False

    def watch(self, connection: Overdue, seconds: float) -> None:
        """Call `connection.overdue()` in `seconds`; replaces its earlier deadline."""
        if self._is_over:  # the last words of a connection come after the end of its port
            return
        self._due[connection] = self._reactor.seconds() + seconds
        if self._sweeping is None:
            self._sweeping = self._reactor.callLater(SWEEP_SECONDS, self._sweep)

    def forget(self, connection: Overdue) -> None:
        """`connection` has no deadline any more."""
        self._due.pop(connection, None)

    def stop(self) -> None:
        """Forget all deadlines, and watch none any more."""
        self._is_over = True
        self._due.clear()
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None

    def _sweep(self) -> None:
        self._sweeping = None
        now = self._reactor.seconds()
        for connection in [each for each, due in self._due.items() if due <= now]:
            del self._due[connection]
            try:
                connection.overdue()
            except Exception:
                _log.failure("A connection could not be told that its time is up")
        if self._due and self._sweeping is None:
            self._sweeping = self._reactor.callLater(SWEEP_SECONDS, self._sweep)


class WaitingConnection(Protocol):
    """A connection that was answered in this reactor turn."""

    @property
    def has_more(self) -> bool:
        """Whether something of its next request has been received already."""
        ...

    def take_turn(self) -> None:
        """Handle the next request, or wait for it."""
        ...


class Turns:
    """Handles one pipelined request in each reactor turn, of all connections together.

    So another client waits for at most one answer, however many requests are pipelined.
    Connections take turns among themselves; one that does not pipeline goes on in the next turn.
    """

    def __init__(self, reactor: Timer) -> None:
        self._reactor = reactor
        self._answered: dict[WaitingConnection, None] = {}
        self._waiting: dict[WaitingConnection, None] = {}  # in the order in which they came
        self._call: Call | None = None

    def wait(self, connection: WaitingConnection) -> None:
        """Call `connection.take_turn()` after all others that wait, if it has more."""
        self._answered[connection] = None
        self._continue()

    def forget(self, connection: WaitingConnection) -> None:
        """`connection` waits no longer."""
        self._answered.pop(connection, None)
        self._waiting.pop(connection, None)

    def stop(self) -> None:
        """Forget all that wait."""
        self._answered.clear()
        self._waiting.clear()
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _continue(self) -> None:
        if self._call is None and (self._answered or self._waiting):
            self._call = self._reactor.callLater(0, self._take)

    def _take(self) -> None:
        self._call = None
        answered, self._answered = self._answered, {}
        for connection in answered:
            if connection.has_more:
                self._waiting[connection] = None
            else:
                self._let(connection)
        if self._waiting:
            connection = next(iter(self._waiting))
            del self._waiting[connection]
            self._let(connection)
        self._continue()

    def _let(self, connection: WaitingConnection) -> None:
        try:
            connection.take_turn()
        except Exception:
            _log.failure("A pipelined request could not be taken")
