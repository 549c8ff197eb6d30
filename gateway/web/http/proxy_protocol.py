"""The PROXY protocol: before the first request a proxy names the client.

Source: "The PROXY protocol, versions 1 & 2" of HAProxy, sections 2.1 and 2.2.
"""

from __future__ import annotations

from ipaddress import IPv4Address as Address4
from ipaddress import IPv6Address as Address6
from typing import TYPE_CHECKING, Any, NamedTuple

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.logger import Logger
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure
from zope.interface import implementer

from gateway.web.http.counting import count_as, socket_ends
from gateway.web.security.addresses import is_loopback, parse_address

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.common.rate import Throttle
    from gateway.web.security.addresses import Address

    Announce = Callable[[Any], "ProxyProtocolFactory"]

TEXT = b"PROXY "
LONGEST_TEXT = 107
BINARY = b"\r\n\r\n\0\r\nQUIT\n"
BINARY_HEAD = 16
LONGEST_BINARY = 4096
"""Bytes of a binary header; the protocol allows 65,551, but addresses need far less."""

_FAMILIES = {b"TCP4": Address4, b"TCP6": Address6}
_STREAMS = {0x11: (Address4, 4), 0x21: (Address6, 16)}
_LOCAL, _PROXY = 0x20, 0x21

_log = Logger(namespace="gateway")


class Announcement(NamedTuple):
    """What a proxy says about its client."""

    size: int
    """Length of the announcement in bytes."""
    client: Address | None = None
    """None: the proxy connects for itself (`LOCAL`), or does not know (`UNKNOWN`)."""
    port: int = 0


def parse(data: bytes) -> Announcement | None:
    """The announcement at the beginning of `data`; None: more bytes are needed.

    Raises ValueError where `data` does not begin with one.
    """
    if data.startswith(BINARY) or BINARY.startswith(data):
        return _parse_binary(data)
    if not (data.startswith(TEXT) or TEXT.startswith(data)):
        raise ValueError("no PROXY line")
    line, end, _ = data[:LONGEST_TEXT].partition(b"\r\n")
    if end:
        return _parse_text(line)
    if len(data) >= LONGEST_TEXT:
        raise ValueError("a PROXY line that does not end")
    return None


@implementer(IHalfCloseableProtocol)
class ProxyProtocolConnection(ProtocolWrapper):
    """A connection that begins with an announcement; `getPeer` is then the client.

    The announcement is ignored where the factory does not believe the peer.
    """

    factory: ProxyProtocolFactory
    wrappedProtocol: Any
    transport: Any
    _head: bytes | None = b""
    """The part of the announcement that was received; None: it is complete."""
    _client: Any = None

    def dataReceived(self, data: bytes) -> None:
        if self._head is None:
            self.wrappedProtocol.dataReceived(data)
            return
        self._head += data
        try:
            said = parse(self._head)
        except ValueError:
            self._head = b""
            self.abortConnection()
            return
        if said is None:
            return
        rest, self._head = self._head[said.size :], None
        if not self._heed(said):
            self.abortConnection()
        elif rest:
            self.wrappedProtocol.dataReceived(rest)

    def readConnectionLost(self) -> None:
        """The peer says nothing more: the end, unless what is above still has answers."""
        above = self.wrappedProtocol
        # TLS says that it provides what its transport does, but knows no half.
        if IHalfCloseableProtocol.implementedBy(type(above)):
            above.readConnectionLost()
        else:
            self.transport.connectionLost(Failure(ConnectionDone()))

    def writeConnectionLost(self) -> None:
        """Nothing: that was ours to do."""

    def getPeer(self) -> Any:
        return self._client or super().getPeer()

    def _heed(self, said: Announcement) -> bool:
        """Make the announced client the peer; False: that client has too many connections."""
        client, peer = said.client, socket_ends(self)[1][0]
        if client is None or (client.is_loopback and not is_loopback(peer)):
            return True  # another machine's loopback is that machine
        if not self.factory.believes(peer):
            self.factory.doubt(peer)
            return True
        kind = IPv4Address if isinstance(client, Address4) else IPv6Address
        self._client = kind("TCP", str(client), said.port)
        return count_as(self, str(client))


class ProxyProtocolFactory(WrappingFactory[ProxyProtocolConnection]):
    """Wraps a factory: its connections begin with an announcement.

    `believes(host)`: whether that peer ("" for a UNIX socket) may name a client.
    """

    protocol = ProxyProtocolConnection
    noisy = False

    def __init__(self, wrapped: Any, believes: Callable[[str], bool], seldom: Throttle) -> None:
        super().__init__(wrapped)
        self.believes = believes
        self._seldom = seldom

    def buildProtocol(self, addr: Any) -> ProxyProtocolConnection:
        return ProxyProtocolConnection(self, self.wrappedFactory.buildProtocol(addr))

    def doubt(self, peer: str) -> None:
        """Say in the log that `peer` is not believed."""
        if self._seldom():
            _log.warn(
                "A PROXY line from {peer} is not believed; if that is your proxy, name it"
                " with --trusted-proxies",
                peer=peer,
            )


class ProxyProtocolReactor:
    """A reactor for endpoints whose connections begin with an announcement, before TLS too.

    `announce(factory)` returns the factory that reads it, a `ProxyProtocolFactory`.
    """

    def __init__(self, reactor: Any, announce: Announce) -> None:
        self._reactor = reactor
        self._announce = announce

    def listenTCP(self, port: int, factory: Any, *args: Any, **more: Any) -> Any:
        return self._reactor.listenTCP(port, self._announce(factory), *args, **more)

    def listenSSL(
        self, port: int, factory: Any, contextFactory: Any, *args: Any, **more: Any
    ) -> Any:
        return self.listenTCP(
            port, TLSMemoryBIOFactory(contextFactory, False, factory), *args, **more
        )

    def listenUNIX(self, address: str, factory: Any, *args: Any, **more: Any) -> Any:
        return self._reactor.listenUNIX(address, self._announce(factory), *args, **more)

    def adoptStreamPort(self, descriptor: int, family: int, factory: Any) -> Any:
        return self._reactor.adoptStreamPort(descriptor, family, self._announce(factory))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)


def _parse_text(line: bytes) -> Announcement:
    size = len(line) + 2
    _, family, *fields = line.split(b" ")
    if family == b"UNKNOWN":
        return Announcement(size)
    if family not in _FAMILIES or len(fields) != 4:
        raise ValueError("a PROXY line of another form")
    client, _ = (_FAMILIES[family](field.decode("ascii")) for field in fields[:2])
    port, _ = (_port(field) for field in fields[2:])
    return Announcement(size, parse_address(str(client)), port)


def _parse_binary(data: bytes) -> Announcement | None:
    if len(data) < BINARY_HEAD:
        return None
    command, stream = data[12], data[13]
    size = BINARY_HEAD + int.from_bytes(data[14:16])
    if command not in (_LOCAL, _PROXY) or size > LONGEST_BINARY:
        raise ValueError("a PROXY header of another form")
    if len(data) < size:
        return None
    if command == _LOCAL or stream not in _STREAMS:
        return Announcement(size)
    kind, width = _STREAMS[stream]
    body = data[BINARY_HEAD:size]
    if len(body) < 2 * width + 4:
        raise ValueError("a PROXY header without its addresses")
    port = int.from_bytes(body[2 * width : 2 * width + 2])
    return Announcement(size, parse_address(str(kind(body[:width]))), port)


def _port(text: bytes) -> int:
    port = int(text) if text.isdigit() and len(text) <= 5 else -1
    if not 0 <= port <= 65535:
        raise ValueError("a PROXY line with a port that is none")
    return port
