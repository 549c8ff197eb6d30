"""Whether the ports are free, and who could reach them."""

from __future__ import annotations

import errno
import os
import re
import socket
from typing import TYPE_CHECKING

import psutil

from gateway.ops.doctor.finding import Finding, fail, ok, warn
from gateway.web.http.endpoints import make_endpoint
from gateway.web.http.listen_plan import ALL, ListenAddress, ListenError, kind_of, plan
from gateway.web.security.addresses import parse_address
from gateway.web.security.guard_settings import GuardSettings, notice
from gateway.web.security.tokens import Role

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterator

    from gateway.options import Settings

_TCP = re.compile(r"(?:tcp|tcp4|tcp6|ssl|tls:(?:\\.|[^:\\])+):(?:port=)?(\d+)", re.IGNORECASE)
_SIX = frozenset(("tcp6", "tls"))
_INTERFACE = re.compile(r":interface=((?:\\.|[^:])+)")


def check_ports(
    settings: Settings, guard: GuardSettings, held: Collection[str] = ()
) -> Iterator[Finding]:
    """Binds each port and closes it at once; nothing listens.

    `held`: the texts of places that stay open over a hand-over.
    """
    exposed = yield from check_places(settings, held)
    if exposed is not None:
        yield _reach(guard, settings.port, exposed=exposed)
        yield _origins(guard)


def check_places(
    settings: Settings, held: Collection[str] = ()
) -> Generator[Finding, None, bool | None]:
    """Whether ports are free; returns whether other machines could reach them, None: unknown."""
    try:
        places = plan(settings.host, settings.listen, supervised=not settings.no_worker)
    except ListenError as error:
        yield fail("port", str(error), "correct --host")
        return None
    exposed = False
    taken: dict[tuple[str, int | None], ListenAddress] = {}
    """Earlier places, which may also serve the worker."""
    is_moved = False
    for place in places:
        host, port = _address(place, settings.port)
        address = parse_address(host or "::")
        exposed |= port is not None and not (address is not None and address.is_loopback)
        holders = [taken[each, port] for each in (host, *ALL) if (each, port) in taken]
        if place.for_worker and not is_moved and not all(each.is_plain for each in holders):
            is_moved = True
            yield _moved(holders[0], settings.port)
        elif not (place.for_worker and (holders or is_moved)):
            yield _place(place, host, port, is_held=str(place) in held)
            if port:
                taken[host, port] = place
    return exposed


def _moved(holder: ListenAddress, port: int) -> Finding:
    return warn(
        "port",
        f"--listen {holder} holds port {port}, so the worker gets another one (GATEWAY_URL)",
        f"if its URL is fixed to http://localhost:{port}: choose another port with --port",
    )


def _address(place: ListenAddress, port: int) -> tuple[str, int | None]:
    """Host ("" for all) and port of a place; no port: it is no TCP endpoint of its own."""
    if place.host:
        return place.host, port
    number = _TCP.match(place.below)
    if number is None:
        return "", None
    interface = _INTERFACE.search(place.below)
    host = re.sub(r"\\(.)", r"\1", interface[1]) if interface else ""
    everywhere = "::" if kind_of(place.below) in _SIX else "0.0.0.0"  # noqa: S104 - what Twisted does
    return host or everywhere, int(number[1])


def _place(place: ListenAddress, host: str, port: int | None, *, is_held: bool) -> Finding:
    if place.endpoint and not (is_held and place.is_systemds):
        try:
            make_endpoint(place, None)
        except Exception as error:  # whatever a parser or OpenSSL raises
            reason = " ".join(str(error).split()) or type(error).__name__
            cure = "correct --listen, or the files that it names; systemd: only under its socket"
            return fail("port", f"--listen {place.endpoint}: {reason}", cure)
    if is_held:
        return ok("port", f"{place} stays open over the hand-over")
    if port is None:
        return ok("port", f"{place.endpoint} can only be tried by a start")
    where = f"port {port} on {host}"
    try:
        _bind(host, port)
    except OSError as error:
        if place.optional and error.errno != errno.EADDRINUSE:
            return ok("port", f"this machine has no {host}; {where} is left out")
        return _refused(where, port, error)
    return ok("port", f"{where} is free")


def _bind(host: str, port: int) -> None:
    """Raises OSError when nobody could listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Twisted does
        if family == socket.AF_INET6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        probe.bind((host, port))


def _refused(where: str, port: int, error: OSError) -> Finding:
    if error.errno == errno.EADDRINUSE:
        holder = _holder(port)
        by, stop = (f" by {holder}", "stop it") if holder else ("", "see who: ss -ltnp")
        return fail("port", f"{where} is in use{by}", f"{stop}, or choose another with --port")
    if error.errno == errno.EACCES:
        return fail("port", f"{where} is reserved for root", "choose one over 1023 with --port")
    if error.errno == errno.EADDRNOTAVAIL:
        return fail(
            "port", f"{where}: no such address here", "see `ip address`, and correct --host"
        )
    return fail("port", f"{where}: {os.strerror(error.errno or 0)}", "choose another with --port")


def _holder(port: int) -> str:
    """The program that listens on `port`, as far as this user may know; else ""."""
    try:
        for each in psutil.net_connections("tcp"):
            here = getattr(each.laddr, "port", 0)
            if each.status == psutil.CONN_LISTEN and here == port and each.pid:
                return f"{psutil.Process(each.pid).name()} (process {each.pid})"
    except (OSError, psutil.Error):
        pass
    return ""


def _reach(guard: GuardSettings, port: int, *, exposed: bool) -> Finding:
    what = notice(guard, exposed=exposed)
    if not exposed:
        return ok("reach", what)
    firewall = f"let TCP port {port} through the firewall (sudo ufw allow {port}/tcp)"
    if not guard.allowed_hosts:
        firewall += "; to be reached by a name, list it with --allowed-hosts"
    if guard.guards(Role.CONTROL):
        return ok("reach", what, firewall)
    return warn("reach", what, f"set a token with --token-file; {firewall}")


def _origins(guard: GuardSettings) -> Finding:
    if guard.anybody:
        return warn(
            "origins",
            f"by {guard.anybody} any web page that somebody opens may read the feed",
            "list the pages instead: --allowed-origins https://app.example.com",
        )
    others = len(guard.allowed_origins)
    if others:
        return ok("origins", f"pages from this machine and {others} listed origins may connect")
    return ok(
        "origins",
        "pages from this machine may connect, any localhost port",
        "a CORS error elsewhere: --allowed-origins https://app.example.com",
    )
