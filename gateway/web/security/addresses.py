"""Host names and origins as requests carry them.

Sources: RFC 9110 section 4.2 and RFC 3986 section 3.2 (authority), RFC 6454 section 6
(origins), RFC 6761 section 6.3 (localhost).
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

_AUTHORITY = re.compile(
    rb"(?:\[(?P<ip6>[0-9A-Fa-f:.]{2,45})\]|(?P<name>[A-Za-z0-9._-]{1,254}))"
    rb"(?::(?P<port>[0-9]{1,5}))?"
)
_ORIGIN = re.compile(rb"(?P<scheme>(?:[Hh][Tt][Tt][Pp]|[Ww][Ss])[Ss]?)://(?P<authority>[^/?#@\\]+)")
_APP_ORIGIN = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]{0,30}://[A-Za-z0-9._~-]{0,254}(?::[0-9]{1,5})?")
_WEB = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
"""Native WebSocket clients name the scheme that they connect by (RFC 6455, section 1.6)."""
_DEFAULT_PORTS = {"http": 80, "https": 443}

Address = IPv4Address | IPv6Address


class Host(NamedTuple):
    """A host, and its port if one was written.

    `name`: in lower case and without a final dot, or an address in its canonical form.  An
    IPv4-mapped IPv6 address becomes the IPv4 address.
    """

    name: str
    address: Address | None
    port: int | None

    @property
    def is_loopback(self) -> bool:
        """Whether it can only mean this machine."""
        if self.address is not None:
            return self.address.is_loopback
        return self.name == "localhost" or self.name.endswith(".localhost")

    @property
    def is_literal(self) -> bool:
        """Whether it is an address and not a name, so no name server can change it."""
        return self.address is not None and not self.address.is_unspecified


class Origin(NamedTuple):
    """The origin of a page; the port is always set."""

    scheme: str
    host: Host

    def __str__(self) -> str:
        """As it is written, without the scheme's own port."""
        name, address, port = self.host
        shown = f"[{name}]" if isinstance(address, IPv6Address) else name
        return f"{self.scheme}://{shown}" + (
            "" if port == _DEFAULT_PORTS[self.scheme] else f":{port}"
        )


@lru_cache(maxsize=256)
def parse_host(value: bytes) -> Host | None:
    """The host in a Host header or in `--allowed-hosts`; None: it is not valid."""
    match = _AUTHORITY.fullmatch(value)
    if match is None:
        return None
    port = int(match["port"]) if match["port"] else None
    if port is not None and port > 65535:
        return None
    if match["ip6"]:
        return _literal(match["ip6"].decode(), port, IPv6Address)
    name = match["name"].decode().lower()
    host = _literal(name, port, IPv4Address)
    if host is not None:
        return host
    name = name.removesuffix(".")
    return Host(name, None, port) if all(name.split(".")) else None


@lru_cache(maxsize=256)
def parse_origin(value: bytes) -> Origin | None:
    """The origin in an Origin header or in `--allowed-origins`; None: it is not valid.

    It has a scheme of the web, a host, perhaps a port, and nothing else.
    """
    match = _ORIGIN.fullmatch(value)
    host = parse_host(match["authority"]) if match else None
    if match is None or host is None:
        return None
    scheme = _WEB[match["scheme"].decode().lower()]
    return Origin(scheme, with_port(host, scheme))


@lru_cache(maxsize=256)
def names_this_machine(value: bytes) -> bool:
    """Whether the host in a Host header can only mean this machine."""
    host = parse_host(value)
    return host is not None and host.is_loopback


def parse_app_origin(value: bytes) -> str | None:
    """The origin of an app, an extension or a file, such as `app://name`; None when it is none.

    What follows the scheme is a name of the app's own, or nothing (`file://`).
    """
    if not _APP_ORIGIN.fullmatch(value) or value.partition(b":")[0].lower().decode() in _WEB:
        return None
    return value.decode().lower()


def with_port(host: Host, scheme: str) -> Host:
    """`host` with the scheme's own port where none was named."""
    return host if host.port is not None else host._replace(port=_DEFAULT_PORTS[scheme])


@lru_cache(maxsize=256)
def parse_address(text: str) -> Address | None:
    """A peer's address without its zone; None: it is not an address (a UNIX socket)."""
    text = text.partition("%")[0]
    host = _literal(text, None, IPv6Address if ":" in text else IPv4Address)
    return host.address if host else None


def parse_client(text: str) -> Address | None:
    """The address in an entry of X-Forwarded-For, which may have a port; None: not valid."""
    address = parse_address(text)
    host = parse_host(text.encode("ascii", "replace")) if address is None else None
    return address if host is None else host.address


def is_loopback(peer: str) -> bool:
    """Whether `peer` is this machine; always for a UNIX socket ("")."""
    address = parse_address(peer)
    return not peer if address is None else address.is_loopback


@lru_cache(maxsize=1024)
def address_key(host: str) -> str:
    """What a client is counted by: its IPv4 address, or the /64 of its IPv6 address.

    One subscriber has a whole /64 (RFC 6177, section 2).
    """
    address = parse_address(host)
    if isinstance(address, IPv6Address):
        return f"{IPv6Address(int(address) >> 64 << 64)}/64"
    return host if address is None else str(address)


def _literal(
    text: str, port: int | None, kind: type[IPv4Address] | type[IPv6Address]
) -> Host | None:
    try:
        address: Address = kind(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return Host(str(address), address, port)
