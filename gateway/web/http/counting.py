"""Connections, counted from accept to close, by whose they are."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from twisted.protocols.policies import ProtocolWrapper

if TYPE_CHECKING:
    from twisted.internet.tcp import Connection, Port

    from gateway.web.http.limits import Caps


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
