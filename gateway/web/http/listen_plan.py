"""Where to listen, by `--host` and `--listen`.

`endpoints` makes Twisted's endpoints of it.  Nothing of Twisted is imported here: a start needs
this first of all, see `early`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gateway.web.security.addresses import parse_address

if TYPE_CHECKING:
    from collections.abc import Sequence

LOOPBACK = ("127.0.0.1", "::1")
ALL = {"0.0.0.0": "::1", "::": "127.0.0.1"}  # noqa: S104 - compared
"""The address that means all of one family, and the loopback address of the other family."""
PROXY_PROTOCOL = "haproxy"
SYSTEMD = "systemd"
PLAIN_KINDS = frozenset(("tcp", "tcp6", "unix", SYSTEMD))
"""Kinds of endpoints that take plain HTTP; others may speak anything."""
BACKLOG = 1024
"""Connections that may wait to be accepted; further clients try again a second later."""


class ListenError(Exception):
    """We can't listen where we were told to; the text is one line for the user."""


class ListenAddress(NamedTuple):
    """Where to listen: an address, on the common port, or an endpoint description."""

    host: str = ""
    endpoint: str = ""
    optional: bool = False
    """If this machine has no such address, only a log line says so."""
    for_worker: bool = False
    """For the worker: opened only where no other place takes plain HTTP."""

    def __str__(self) -> str:
        return self.endpoint or self.host

    @property
    def is_plain(self) -> bool:
        """Whether it takes plain HTTP, as a worker speaks it."""
        return not self.endpoint or kind_of(self.endpoint) in PLAIN_KINDS

    @property
    def below(self) -> str:
        """The endpoint without the `haproxy:` before it."""
        return self.endpoint.partition(":")[2] if self.is_announced else self.endpoint

    @property
    def is_announced(self) -> bool:
        """Whether its connections begin with the PROXY protocol."""
        return kind_of(self.endpoint) == PROXY_PROTOCOL

    @property
    def is_systemds(self) -> bool:
        """Whether systemd opened the socket."""
        return kind_of(self.below) == SYSTEMD


def plan(host: str | None, endpoints: Sequence[str], *, supervised: bool) -> list[ListenAddress]:
    """The places to listen at, by `--host` and `--listen`.

    `supervised`: there is a worker; its URL may be hard-coded to localhost.
    Raises ListenError for a host that is no address.
    """
    if host and host != "localhost" and parse_address(host) is None:
        raise ListenError(f"--host {host} is not an address; write 0.0.0.0 or 192.0.2.1, or ::")
    if endpoints:
        places = [ListenAddress(endpoint=endpoint) for endpoint in endpoints]
    elif host and host != "localhost":
        places = [ListenAddress(host)]
        if host in ALL:  # localhost may mean the address of the other family
            places.append(ListenAddress(ALL[host], optional=True))
    else:
        return [ListenAddress(LOOPBACK[0]), ListenAddress(LOOPBACK[1], optional=True)]
    if supervised:
        places.append(ListenAddress(LOOPBACK[0], for_worker=True))
        places.append(ListenAddress(LOOPBACK[1], for_worker=True, optional=True))
    return places


def kind_of(description: str) -> str:
    """The kind of an endpoint in lower case, such as `tcp`."""
    return description.partition(":")[0].lower()
