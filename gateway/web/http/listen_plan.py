"""Where to listen, by `--host` and `--listen`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from twisted.internet.endpoints import AdoptedStreamServerEndpoint, serverFromString

from gateway.web.http.inherited import InheritingReactor, descriptor_family
from gateway.web.http.proxy_protocol import ProxyProtocolReactor
from gateway.web.http.tls import KINDS as TLS_KINDS
from gateway.web.http.tls import Certificate, kind_of, reloading
from gateway.web.security.addresses import parse_address

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.web.http.proxy_protocol import Announce

LOOPBACK = ("127.0.0.1", "::1")
ALL = {"0.0.0.0": "::1", "::": "127.0.0.1"}  # noqa: S104 - compared
"""The address that means all of one family, and the loopback address of the other family."""
PROXY_PROTOCOL = "haproxy"
SYSTEMD = "systemd"
PLAIN_KINDS = frozenset(("tcp", "tcp6", "unix", SYSTEMD))
"""Kinds of endpoints that take plain HTTP; others may speak anything."""
BACKLOG = 1024
"""Connections that may wait to be accepted; further clients try again a second later."""
BACKLOG_AT = {"tcp": 2, "tcp6": 1, "unix": 2, "ssl": 5, "tls": 2}
"""Where an endpoint's description has its backlog if it is not named, counted from 0."""
UNIX_MODE = "660"
"""The mode of a UNIX socket: its owner and its group may open it."""


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

    def make(
        self, reactor: Any, announce: Announce | None = None, inherited: int | None = None
    ) -> tuple[Any, Certificate | None]:
        """The Twisted endpoint, and its certificate if it has one.

        `announce(factory)` wraps the factory that reads the PROXY protocol, which comes before
        TLS; `inherited` is the descriptor by which it listens already.  Raises what Twisted and
        OpenSSL raise for a description that is wrong.
        """
        kind, below = kind_of(self.below), with_backlog(with_unix_mode(self.below))
        if kind == PROXY_PROTOCOL:  # Twisted's own would believe everybody
            raise ValueError(f"{PROXY_PROTOCOL}: is written once")
        if inherited is not None:
            reactor = InheritingReactor(reactor, inherited)
        if self.is_announced and announce is not None:
            reactor = ProxyProtocolReactor(reactor, announce)
        if kind in TLS_KINDS:
            return reloading(reactor, below)
        if inherited is not None and self.is_systemds:  # its own numbers are others' by now
            family = descriptor_family(inherited)
            return AdoptedStreamServerEndpoint(reactor, inherited, family), None
        return serverFromString(reactor, below), None


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


def with_unix_mode(description: str) -> str:
    """`description`, with `UNIX_MODE` added for a UNIX socket that has no mode of its own.

    Whoever can open the socket counts as this machine, so not everybody may.
    """
    return _with(description, "mode", UNIX_MODE, {"unix": 1})


def with_backlog(description: str) -> str:
    """`description`, with `BACKLOG` added where it has none of its own."""
    return _with(description, "backlog", BACKLOG, BACKLOG_AT)


def _with(description: str, name: str, value: object, places: Mapping[str, int]) -> str:
    """`description` with an argument `name`, unless it has one, at its place or named.

    `places`: by kind, how many arguments are before it; other kinds have no such argument.
    """
    kind, *arguments = re.split(r"(?<!\\):", description)
    place = places.get(kind.lower())
    unnamed = [each for each in arguments if "=" not in each]
    if place is None or len(unnamed) > place:
        return description
    if any(each.startswith(f"{name}=") for each in arguments):
        return description
    return f"{description}:{name}={value}"
