"""Bounds on what strangers can make us hold: sizes, times, connections, messages."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Protocol

from attrs import frozen
from twisted.logger import Logger

from gateway.web.security.addresses import address_key, is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable


_log = Logger(namespace="gateway")

SWEEP_SECONDS = 0.5
"""How late an overdue connection may be noticed."""


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


class Caps:
    """How many connections there may be, in total and of one client.

    Clients count by `address_key`.  Peers on this machine count in the total only, and so
    do those that `exempt` names: workers, local front ends and proxies share one address.
    """

    def __init__(
        self, total: int, per_address: int, exempt: Callable[[str], bool] = is_loopback
    ) -> None:
        self._total = total
        self._per_address = per_address
        self._exempt = exempt
        self._open: Counter[str] = Counter()
        self.count = 0
        """Connections that are open."""
        self.refused = 0
        """Connections that were too many, ever."""

    def opened(self, host: str) -> bool:
        """Count a connection from `host` ("" for a UNIX socket); False: one too many.

        Either way `closed` is to be called when it is gone.
        """
        self.count += 1
        if not self.entered(host):
            return False
        if self.count > self._total:
            self.refused += 1
            return False
        return True

    def why_full(self, client: str) -> tuple[int, str] | None:
        """The HTTP status and the reason for which one more is refused; None: it is not."""
        if self.count >= self._total:
            return 503, "The gateway has too many clients; see --max-connections."
        if self._open[address_key(client)] >= self._per_address and not self._exempt(client):
            return 429, "This client has too many sessions; see --max-connections-per-address."
        return None

    def closed(self, host: str) -> None:
        """A connection from `host` that was counted is gone."""
        self.count -= 1
        self.left(host)

    def entered(self, client: str) -> bool:
        """Count a connection that is there as the client's; False: one too many of it.

        Either way `left` is to be called when it is no longer.
        """
        key = address_key(client)
        self._open[key] += 1
        if self._open[key] <= self._per_address or self._exempt(client):
            return True
        self.refused += 1
        return False

    def left(self, client: str) -> None:
        """A connection that was counted as the client's is no longer."""
        key = address_key(client)
        self._open[key] -= 1
        if not self._open[key]:
            del self._open[key]
