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
"""How late an overdue connection may be noticed."""


class Phase(IntEnum):
    """What a connection owes us, or we it; from CLOSING on nothing is read any more."""

    HEAD = auto()
    """The rest of a request's head; a new connection too."""
    BODY = auto()
    HANDLING = auto()
    """Nothing: the answer is ours to give, or the connection no longer ours."""
    IDLE = auto()
    """The next request."""
    CLOSING = auto()
    """To take what we wrote last."""
    REJECTED = auto()
    """The same, after an error of its own."""


@frozen
class Limits:
    """Sizes in bytes, times in seconds; times are absolute, no byte prolongs them."""

    url: int = 8192
    header_bytes: int = 16384
    """Request line and headers together."""
    headers: int = 100
    body: int = 65536
    """Bodies of requests that no mount has a bound of its own for."""
    head_seconds: float = 10.0
    body_seconds: float = 15.0
    idle_seconds: float = 30.0
    """Between requests: descriptors come back before what was opened by them ends."""
    flush_seconds: float = 15.0
    """To take our last answer."""
    linger_seconds: float = 2.0
    """The same after a bad request, while the peer may still be sending."""

    @property
    def seconds(self) -> dict[Phase, float]:
        """How long each phase may take; 0: as long as it wants."""
        return {
            Phase.HEAD: self.head_seconds,
            Phase.BODY: self.body_seconds,
            Phase.HANDLING: 0.0,
            Phase.IDLE: self.idle_seconds,
            Phase.CLOSING: self.flush_seconds,
            Phase.REJECTED: self.linger_seconds,
        }


class Call(Protocol):
    """A call that will be made."""

    def cancel(self) -> None: ...


class Timer(Protocol):
    """What is needed of a reactor (`IReactorTime`)."""

    def seconds(self) -> float: ...

    def callLater(self, delay: float, callable: Callable[[], None], /) -> Call: ...


class Overdue(Protocol):
    """A connection that has a deadline."""

    def overdue(self) -> None:
        """The deadline has passed."""
        ...


class Expiry:
    """One deadline for each of many connections.

    Deadlines change with every request and hardly ever pass, so they are looked
    through twice a second instead of being timers of their own.
    """

    def __init__(self, reactor: Timer) -> None:
        self._reactor = reactor
        self._due: dict[Overdue, float] = {}
        self._sweeping: Call | None = None

    def watch(self, connection: Overdue, seconds: float) -> None:
        """Call `connection.overdue()` in `seconds`, instead of when it was to be called."""
        self._due[connection] = self._reactor.seconds() + seconds
        if self._sweeping is None:
            self._sweeping = self._reactor.callLater(SWEEP_SECONDS, self._sweep)

    def forget(self, connection: Overdue) -> None:
        """`connection` owes nothing any more."""
        self._due.pop(connection, None)

    def stop(self) -> None:
        """Nothing is overdue from now on."""
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


class Waiting(Protocol):
    """A connection whose next request is there already."""

    def take_turn(self) -> bool:
        """Take the next request; False: there was nothing to do."""
        ...


class Turns:
    """Pipelined requests: one of all connections in each turn of the reactor.

    So whoever else asks waits for one answer at most, however many are asked for at once.
    Connections take turns among themselves, too.
    """

    def __init__(self, reactor: Timer) -> None:
        self._reactor = reactor
        self._waiting: dict[Waiting, None] = {}  # in the order in which they came
        self._call: Call | None = None

    def wait(self, connection: Waiting) -> None:
        """Call `connection.take_turn()` when all others had theirs."""
        self._waiting[connection] = None
        if self._call is None:
            self._call = self._reactor.callLater(0, self._take)

    def forget(self, connection: Waiting) -> None:
        """`connection` waits for nothing any more."""
        self._waiting.pop(connection, None)

    def stop(self) -> None:
        """Nobody's turn comes from now on."""
        self._waiting.clear()
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _take(self) -> None:
        self._call = None
        taken = False
        while self._waiting and not taken:
            connection = next(iter(self._waiting))
            del self._waiting[connection]
            try:
                taken = connection.take_turn()
            except Exception:
                taken = True
                _log.failure("A pipelined request could not be taken")
        if self._waiting and self._call is None:
            self._call = self._reactor.callLater(0, self._take)
