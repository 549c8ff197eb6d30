"""A TCP connection by its two ends."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple


class Ends(NamedTuple):
    """Both ends of a TCP connection as we see it, each `(host, port)`."""

    ours: tuple[str, int]
    theirs: tuple[str, int]

    @property
    def on_loopback(self) -> bool:
        """Whether the other end can be a socket of this machine."""
        ours, theirs = (unmapped(host) for host, _ in self)
        return ours.is_loopback and theirs.is_loopback and ours.version == theirs.version


def unmapped(host: str) -> IPv4Address | IPv6Address:
    """The address, that of IPv4 where IPv6 only wraps it."""
    address = ip_address(host)
    return getattr(address, "ipv4_mapped", None) or address
