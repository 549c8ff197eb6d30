"""Which proxies are trusted, and for whom they ask.

Whoever a proxy passes on may look like this machine: any header that proxies add says that
the request comes from elsewhere, unless the proxy is trusted and tells the client's address.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from gateway.web.security.addresses import is_loopback, parse_address, parse_client
from gateway.web.security.trust import UNIX

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
"""Headers that proxies add, in general: clients have no use for any of them."""
HOPS = 16
"""Entries of X-Forwarded-For that are looked at: more proxies than anybody has in a row."""


class Proxies:
    """The proxies of `--trusted-proxies`, by their networks; `UNIX`: those of a UNIX socket."""

    def __init__(self, trusted: Sequence[IPv4Network | IPv6Network | str]) -> None:
        self._trusted = trusted
        self.some = bool(trusted)
        """Whether any proxy is trusted."""

    def is_local(self, headers: Headers, peer: str | None) -> bool:
        """Whether a request comes from this machine.

        One that a proxy passed on does not, unless the proxy is trusted and says so.
        """
        if not is_passed_on(headers):
            return is_loopback(peer or "")
        client = self.announced(headers, peer)
        return bool(client) and is_loopback(client)

    def announced(self, headers: Headers, peer: str | None) -> str:
        """The client's address as a trusted proxy tells it; "" where `peer` is the client.

        It is the last one in X-Forwarded-For that is none of the proxies.  A loopback
        address told by another machine means that machine.
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
        """Whether `peer` may say for whom it connects, by the PROXY protocol."""
        return is_loopback(peer) or self.is_trusted(peer)

    def _is_proxy(self, address: Address | None) -> bool:
        return address is not None and any(
            network != UNIX and address in network for network in self._trusted
        )


def is_passed_on(headers: Headers) -> bool:
    """Whether a header says that a proxy passed the request on."""
    return any(map(_is_a_proxys, dict(headers.getAllRawHeaders())))


@lru_cache(maxsize=256)
def _is_a_proxys(name: bytes) -> bool:
    name = name.lower()
    return (
        b"forwarded" in name or name.startswith(_PASSED_ON_BEGINS) or name.endswith(_PASSED_ON_ENDS)
    )


def _chain(headers: Headers) -> list[str]:
    """Who passed a request on, the nearest last, and no more than the last `HOPS`."""
    chain = b",".join(headers.getRawHeaders(b"X-Forwarded-For", [])).decode("latin-1")
    return chain.rsplit(",", HOPS)[-HOPS:]
