"""The guard's settings, and what the start log says of them."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING

from attrs import field, frozen

from gateway.web.security.addresses import (
    Origin,
    parse_address,
    parse_app_origin,
    parse_host,
    parse_origin,
)
from gateway.web.security.tokens import Role, Token

if TYPE_CHECKING:
    from collections.abc import Iterable
UNIX = "unix"
"""Stands for the peers of a UNIX socket."""


def _hosts(entries: Iterable[str]) -> frozenset[str]:
    return frozenset(_listed_host(entry) for entry in entries)


def _listed_host(entry: str) -> str:
    address = parse_address(entry)
    if address is not None:  # one of IPv6 needs no brackets here
        return str(address)
    host = parse_host(entry.encode("ascii", "replace"))
    if host is None or host.port is not None:
        raise ValueError(
            f"--allowed-hosts: {entry!r} is not a host name; write gateway.example.com or 192.0.2.1"
        )
    return host.name


def _origins(entries: Iterable[str]) -> frozenset[Origin | str]:
    return frozenset(_listed_origin(entry) for entry in entries)


def _listed_origin(entry: str) -> Origin | str:
    if entry in {"*", "null"}:
        return entry
    value = entry.encode("ascii", "replace")
    origin = parse_origin(value) or parse_app_origin(value)
    if origin is None:
        raise ValueError(
            f"--allowed-origins: {entry!r} is not an origin; write https://app.example.com,"
            " app://name, null or *"
        )
    return origin


def _networks(entries: Iterable[str]) -> tuple[IPv4Network | IPv6Network | str, ...]:
    return tuple(entry if entry == UNIX else _listed_network(entry) for entry in entries)


def _listed_network(entry: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(entry)
    except ValueError as error:
        raise ValueError(
            f"--trusted-proxies: {error}; write 192.0.2.1, 10.0.0.0/8 or unix"
        ) from None


@frozen
class GuardSettings:
    """Who is allowed besides the user's own machine.

    Raises ValueError, with a text for the user, for an entry that makes no sense.
    """

    allowed_hosts: frozenset[str] = field(default=(), converter=_hosts)
    """Host names and addresses under which the gateway is served."""
    allowed_origins: frozenset[Origin | str] = field(default=(), converter=_origins)
    """Origins of pages and apps that are allowed; `null`; `*`: all."""
    control_token: str = field(default="", repr=False)
    view_token: str = field(default="", repr=False)
    tokens: tuple[Token, ...] = ()
    """Tokens with names; the two above are named by their roles."""
    trusted_proxies: tuple[IPv4Network | IPv6Network | str, ...] = field(
        default=(), converter=_networks
    )
    """Peers whose X-Forwarded-For is believed; `UNIX`: those of a UNIX socket."""

    @property
    def all_tokens(self) -> tuple[Token, ...]:
        """All tokens, with the two of the options."""
        own = ((Role.CONTROL, self.control_token), (Role.VIEW, self.view_token))
        return self.tokens + tuple(
            Token(role.name.lower(), secret, role) for role, secret in own if secret
        )

    @property
    def anybody(self) -> str:
        """`*` or `null` if it is listed, else empty: any page can have such an origin.

        A page gets the origin `null` by a frame with the attribute `sandbox`.
        """
        return next((each for each in ("*", "null") if each in self.allowed_origins), "")

    def guards(self, role: Role) -> bool:
        """Whether there is a token of exactly this role; then what the role allows needs one."""
        return any(token.role is role for token in self.all_tokens)


_PROXY = (
    " Whoever puts a proxy in front of it sets a token: what a proxy passes on may look like"
    " this machine's own."
)


def notice(settings: GuardSettings, *, exposed: bool) -> str:
    """One line for the start log: who can reach us, and how to change that."""
    if settings.guards(Role.CONTROL):
        return (
            "Other machines can reach the gateway; control routes need the token."
            if exposed
            else "Only this machine can reach the gateway; --host 0.0.0.0 opens it to others."
        )
    return (
        "Other machines can reach the gateway; control routes answer only this machine "
        "until a token is set with --token-file."
        if exposed
        else "Only this machine can reach the gateway; --host 0.0.0.0 opens it to others."
    ) + _PROXY


def warning(settings: GuardSettings) -> str:
    """One line for the start log if an option allows any page; else empty."""
    anybody = settings.anybody
    if not anybody:
        return ""
    return (
        f"--allowed-origins {anybody} lets any web page that a user opens do all that the user may "
        "do; list the origins instead."
    )
