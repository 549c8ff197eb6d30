"""How many connections there may be, and counting them from accept to close."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from twisted.internet.address import IPv4Address
from twisted.internet.unix import Server as UnixServer
from twisted.protocols.policies import ProtocolWrapper

from gateway.web.security.addresses import address_key, is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.tcp import Connection, Port


class Caps:
    """How many connections there may be, in total and of one client.

    A client is counted by `address_key`.  Peers for which `exempt(host)` is true count in the
    total only: workers, local front ends and proxies share one address.
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
        """Connections that were refused since the start."""

    def opened(self, host: str) -> bool:
        """Count a connection from `host` ("" for a UNIX socket); False: it is one too many.

        `closed` must be called at its end in both cases.
        """
        self.count += 1
        if not self.entered(host):
            return False
        if self.count > self._total:
            self.refused += 1
            return False
        return True

    def why_full(self, client: str) -> tuple[int, str] | None:
        """HTTP status and reason if one more session has no room; None: there is room."""
        if self.count >= self._total:
            return 503, "The gateway has too many clients; see --max-connections."
        if self._open[address_key(client)] >= self._per_address and not self._exempt(client):
            return 429, "This client has too many sessions; see --max-connections-per-address."
        return None

    def closed(self, host: str) -> None:
        """Count a connection from `host` no longer: it is gone."""
        self.count -= 1
        self.left(host)

    def entered(self, client: str) -> bool:
        """Count an open connection as one of `client`; False: the client has too many.

        `left` must be called in both cases when it is the client's no longer.
        """
        key = address_key(client)
        self._open[key] += 1
        if self._open[key] <= self._per_address or self._exempt(client):
            return True
        self.refused += 1
        return False

    def left(self, client: str) -> None:
        """Count a connection as one of `client` no longer."""
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
    """Our end and the other end, as the kernel knows them; ("", 0) for a UNIX socket.

    Only these tell which process has the connection, whatever a proxy announces.
    """
    below = bare(transport)
    return ends(below.getHost(), below.getPeer())


def ends(host: object, peer: object) -> tuple[tuple[str, int], tuple[str, int]]:
    """The same of the addresses of both ends."""
    return _shared(*_end(host)), _end(peer)


def count_as(transport: Any, client: str) -> bool:
    """Count a connection as one of the client at `client`; False: it has too many.

    True where the listener does not count connections.
    """
    counted = bare(transport)
    return not isinstance(counted, Counted) or counted.count_as(client)


class Counted:
    """A transport that counts in `caps`; made by `count_connections`."""

    caps: Caps
    holder: str | None
    """The address that it counts for: the peer, or the client that a proxy names; None: closed."""

    def count_as(self, client: str) -> bool:
        """Count for `client` from now on; False: it has too many."""
        if self.holder is None:
            return True
        self.caps.left(self.holder)
        self.holder = client
        return self.caps.entered(client)


def count_connections(port: Port, caps: Caps, reactor: Any) -> None:
    """Count the connections of `port` in `caps`, and abort those that are too many.

    The transport's class does it: only the transport lives from accept to close.  An upgrade
    replaces the protocol, and a wrapper would cost time for every byte.
    """
    port.transport = _counted(port.transport, caps, reactor, port.getHost())


def _counted(base: type[Connection], counting: Caps, reactor: Any, place: object) -> Any:
    has_host = not issubclass(base, UnixServer)
    is_one = isinstance(place, IPv4Address) and place.host != "0.0.0.0"  # noqa: S104

    class CountedConnection(base, Counted):  # type: ignore[misc,valid-type]  # TCP's or UNIX's
        caps = counting

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.holder = self.client[0] if has_host else ""  # an address object costs 5 us
            if not counting.opened(self.holder):
                reactor.callLater(0, self.abortConnection)

        def getHost(self) -> Any:
            return place if is_one else super().getHost()  # which asks the kernel

        def connectionLost(self, reason: Any) -> None:
            if self.holder is not None:
                counting.closed(self.holder)
                self.holder = None
            super().connectionLost(reason)

    return CountedConnection


@lru_cache(maxsize=64)
def _shared(host: str, port: int) -> tuple[str, int]:
    """The same tuple for all connections of a listener, since each session keeps it."""
    return host, port


def _end(address: object) -> tuple[str, int]:
    return getattr(address, "host", ""), getattr(address, "port", 0)
