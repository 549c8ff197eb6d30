"""Which proxies are trusted, and for whom they ask.

A request that a local proxy passes on looks as if it came from this machine.  So any header
that proxies add means that it comes from elsewhere, unless the proxy is trusted and tells the
client's address.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from gateway.web.security.addresses import is_loopback, parse_address, parse_client
from gateway.web.security.guard_settings import UNIX

if TYPE_CHECKING:
    from collections.abc import Sequence
    from ipaddress import IPv4Network, IPv6Network

    from twisted.web.http_headers import Headers

    from gateway.web.security.addresses import Address

_PASSED_ON_BEGINS = (b"via", b"x-original", b"cf-", b"cdn-", b"x-envoy-", b"x-azure-")
_PASSED_ON_ENDS = (
    *(b"-via", b"-ip", b"-ipv6", b"-ip6", b"-clientip", b"-socketip"),
    *(b"client-addr", b"remote-addr", b"real-addr"),
    *(b"client-address", b"external-address", b"remote-address"),
)
"""Beginnings and ends of the names of headers that proxies add, and clients do not send."""
HOPS = 16
"""Entries of X-Forwarded-For that are looked at, from the last one on."""


class Proxies:
    """The proxies of `--trusted-proxies`, by their networks; `UNIX`: those of a UNIX socket."""

    def __init__(self, trusted: Sequence[IPv4Network | IPv6Network | str]) -> None:
        self._trusted = trusted
        self.some = bool(trusted)
        """Whether any proxy is trusted."""

    def is_local(self, headers: Headers, peer: str | None) -> bool:
        """Whether a request comes from this machine.

        If a proxy passed it on: only where the proxy is trusted and says so.
        """
        if not is_passed_on(headers):
            return is_loopback(peer or "")
        client = self.announced(headers, peer)
        return bool(client) and is_loopback(client)

    def announced(self, headers: Headers, peer: str | None) -> str:
        """The client's address, told by a trusted proxy; "" where `peer` is the client.

        It is the last entry of X-Forwarded-For that is not a trusted proxy.  A loopback
        address told by another machine is ignored: it means that machine.
        """
        if not self.is_trusted(peer):
            return ""
        client = None
        for entry in reversed(_chain(headers)):
            client = parse_client(entry.strip())
            if not self._is_proxy(client):
                break
        if client is None or (client.is_loopback and not is_loopback(peer or "")):
            return ""
        return str(client)

    def is_trusted(self, peer: str | None) -> bool:
        """Whether `peer` is one of the proxies whose X-Forwarded-For is believed."""
        if not peer:
            return UNIX in self._trusted
        return bool(self._trusted) and self._is_proxy(parse_address(peer))

    def believes(self, peer: str) -> bool:
        """Whether `peer` may name its client by the PROXY protocol."""
        return is_loopback(peer) or self.is_trusted(peer)

    def _is_proxy(self, address: Address | None) -> bool:
        return address is not None and any(
            network != UNIX and address in network for network in self._trusted
        )


def is_passed_on(headers: Headers) -> bool:
    """Whether a header shows that a proxy passed the request on."""
    return any(map(_is_a_proxys, dict(headers.getAllRawHeaders())))


@lru_cache(maxsize=256)
def _is_a_proxys(name: bytes) -> bool:
    name = name.lower()
    return (
        b"forwarded" in name or name.startswith(_PASSED_ON_BEGINS) or name.endswith(_PASSED_ON_ENDS)
    )


def _chain(headers: Headers) -> list[str]:
    """The last `HOPS` entries of X-Forwarded-For; the nearest proxy is the last one."""
    chain = b",".join(headers.getRawHeaders(b"X-Forwarded-For", [])).decode("latin-1")
    return chain.rsplit(",", HOPS)[-HOPS:]
