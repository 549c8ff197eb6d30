"""How many connections there may be, and counting them from accept to close."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from twisted.protocols.policies import ProtocolWrapper

from gateway.web.security.addresses import address_key, is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.tcp import Connection, Port


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


def bare(transport: Any) -> Any:
    """The socket's own transport, below TLS and the PROXY protocol."""
    while isinstance(transport, ProtocolWrapper):
        transport = transport.transport
    return transport


def socket_ends(transport: Any) -> tuple[tuple[str, int], tuple[str, int]]:
    """Our end and the other one, as the kernel knows them; ("", 0) of a UNIX socket.

    Whatever a proxy announces: only these tell whose connection it is.
    """
    below = bare(transport)
    return _shared(*_end(below.getHost())), _end(below.getPeer())


def count_as(transport: Any, client: str) -> bool:
    """Count a connection as that of the client at `client`; False: it has too many.

    Where connections are not counted, everybody may have any number.
    """
    counted = bare(transport)
    return not isinstance(counted, Counted) or counted.count_as(client)


class Counted:
    """A transport that counts in `caps`; made by `count_connections`."""

    caps: Caps
    holder: str | None
    """Whose connection it is: the peer's, until a proxy tells for whom it asks; None: gone."""

    def count_as(self, client: str) -> bool:
        """Count as another client's from now on; False: it has too many."""
        if self.holder is None:
            return True
        self.caps.left(self.holder)
        self.holder = client
        return self.caps.entered(client)


def count_connections(port: Port, caps: Caps, reactor: Any) -> None:
    """Make the connections that `port` takes count, and go when they are too many.

    Done to the transport, the one thing that lives from accept to close: protocols are
    changed by an upgrade, and a wrapper around them would slow down every byte.
    """
    port.transport = _counted(port.transport, caps, reactor)


def _counted(base: type[Connection], counting: Caps, reactor: Any) -> Any:
    class CountedConnection(base, Counted):  # type: ignore[misc,valid-type]  # TCP's or UNIX's
        caps = counting

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.holder = _end(self.getPeer())[0]
            if not counting.opened(self.holder):
                reactor.callLater(0, self.abortConnection)

        def connectionLost(self, reason: Any) -> None:
            if self.holder is not None:
                counting.closed(self.holder)
                self.holder = None
            super().connectionLost(reason)

    return CountedConnection


@lru_cache(maxsize=64)
def _shared(host: str, port: int) -> tuple[str, int]:
    """One object for all connections of a listener: each session keeps it."""
    return host, port


def _end(address: object) -> tuple[str, int]:
    return getattr(address, "host", ""), getattr(address, "port", 0)
