"""Twisted's endpoints of the places at which to listen, with our defaults."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from twisted.internet.endpoints import AdoptedStreamServerEndpoint, serverFromString

from gateway.web.http.inherited import InheritingReactor, descriptor_family
from gateway.web.http.listen_plan import BACKLOG, PROXY_PROTOCOL, kind_of
from gateway.web.http.proxy_protocol import ProxyProtocolReactor
from gateway.web.http.tls import KINDS as TLS_KINDS
from gateway.web.http.tls import Certificate, reloading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.web.http.listen_plan import ListenAddress
    from gateway.web.http.proxy_protocol import Announce

BACKLOG_AT = {"tcp": 2, "tcp6": 1, "unix": 2, "ssl": 5, "tls": 2}
"""Where an endpoint's description has its backlog if it is not named, counted from 0."""
UNIX_MODE = "660"
"""The mode of a UNIX socket: its owner and its group may open it."""


def make_endpoint(
    place: ListenAddress,
    reactor: Any,
    announce: Announce | None = None,
    inherited: int | None = None,
) -> tuple[Any, Certificate | None]:
    """The endpoint of `place`, which has a description, and its certificate if it has one.

    `announce(factory)` wraps the factory that reads the PROXY protocol, which comes before
    TLS; `inherited` is the descriptor by which that listens already.  Raises what Twisted and
    OpenSSL raise for a description that is wrong.
    """
    kind, below = kind_of(place.below), with_backlog(with_unix_mode(place.below))
    if kind == PROXY_PROTOCOL:  # Twisted's own would believe everybody
        raise ValueError(f"{PROXY_PROTOCOL}: is written once")
    if inherited is not None:
        reactor = InheritingReactor(reactor, inherited)
    if place.is_announced and announce is not None:
        reactor = ProxyProtocolReactor(reactor, announce)
    if kind in TLS_KINDS:
        return reloading(reactor, below)
    if inherited is not None and place.is_systemds:  # its own numbers are others' by now
        family = descriptor_family(inherited)
        return AdoptedStreamServerEndpoint(reactor, inherited, family), None
    return serverFromString(reactor, below), None


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
