"""The open ports of the site, among them the one that the worker uses."""

from __future__ import annotations

import errno
import os
from functools import partial
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import ensureDeferred, gatherResults, maybeDeferred
from twisted.internet.endpoints import (
    TCP4ServerEndpoint,
    TCP6ServerEndpoint,
)
from twisted.internet.error import CannotListenError
from twisted.logger import Logger

from gateway.common.rate import Throttle
from gateway.web.http.backlog import serve
from gateway.web.http.counting import count_connections
from gateway.web.http.endpoints import make_endpoint
from gateway.web.http.inherited import Inherited, InheritingReactor
from gateway.web.http.listen_plan import BACKLOG, ListenError
from gateway.web.http.proxy_protocol import ProxyProtocolFactory
from gateway.web.http.tls_connection import read_whole
from gateway.web.security.addresses import is_loopback, parse_address

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from twisted.internet.protocol import Factory
    from twisted.internet.tcp import Port

    from gateway.web.http.counting import Caps
    from gateway.web.http.listen_plan import ListenAddress
    from gateway.web.http.tls import Certificate

ATTEMPTS = 5
"""Attempts to find a port that is free in IPv4 and IPv6."""
HIGHEST_PORT = 65535
CERTIFICATE_SECONDS = 5.0
"""Seconds between two checks whether certificates have changed."""

_log = Logger(namespace="gateway")


class KeptPort:
    """The number of a port, kept in the file `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> int:
        """The number in the file; 0: there is no valid one."""
        try:
            text = self._path.read_bytes()[:8].strip()
        except OSError:
            return 0
        number = int(text) if text.isdigit() else 0
        return number if number <= HIGHEST_PORT else 0

    def keep(self, number: int) -> None:
        """Write `number`; a failure is only logged."""
        if self.read() == number:
            return
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path.write_text(f"{number}\n", encoding="ascii")
        except OSError as error:
            _log.warn(
                "{path} can't be written ({why}): the worker gets another port at each start",
                path=self._path,
                why=error.strerror,
            )


class Listeners:
    """The open ports of one site.

    `believes(host)`: whether the PROXY lines of that peer count on `haproxy:` endpoints.
    `inherited`: sockets that listen already.
    """

    def __init__(
        self,
        reactor: Any,
        site: Factory,
        caps: Caps,
        believes: Callable[[str], bool] = is_loopback,
        inherited: Inherited | None = None,
    ) -> None:
        self._inherited = inherited or Inherited()
        self._reactor = reactor
        self._site = site
        self._caps = caps
        self._announce = partial(
            ProxyProtocolFactory, believes=believes, seldom=Throttle(reactor.seconds)
        )
        self._open: list[tuple[ListenAddress, Port]] = []
        self.worker_port = 0
        """The port where the worker finds plain HTTP on this machine; 0 before `open`."""
        self._certificates: list[Certificate] = []

    @property
    def addresses(self) -> list[str]:
        """The open listeners, for the log: `127.0.0.1:3001`, or a socket's path."""
        return [_text(port.getHost()) for _, port in self._open]

    @property
    def sockets(self) -> list[tuple[str, int]]:
        """The text of each place that is open, and its descriptor."""
        return [(str(place), port.fileno()) for place, port in self._open]

    def pause(self) -> None:
        """Accept no connection for now; who connects waits in the kernel's queue."""
        for _, port in self._open:
            port.stopReading()

    def resume(self) -> None:
        """Accept connections again."""
        for _, port in self._open:
            port.startReading()

    @property
    def exposed(self) -> bool:
        """Whether other machines can reach us: some TCP listener is not on loopback."""
        hosts = [getattr(port.getHost(), "host", None) for _, port in self._open]
        addresses = [parse_address(host) for host in hosts if host]
        return any(address is None or not address.is_loopback for address in addresses)

    @property
    def port(self) -> int:
        """The port of the first place that has one; 0 when none has."""
        numbers = [getattr(port.getHost(), "port", 0) for _, port in self._open]
        return next((number for number in numbers if number), 0)

    async def open(
        self, places: Sequence[ListenAddress], port: int, kept: KeptPort | None = None
    ) -> None:
        """Listen at all `places`; those without an endpoint on `port` (0: one free port for all).

        Where an endpoint holds `port` and does not take plain HTTP, the worker's places get
        another port: the one in `kept`, else a free one, which is then kept.
        Raises ListenError, and closes what was opened, when a place that is not optional cannot
        be opened.  That is known at once, before the reactor runs.
        """
        ways_in = [place for place in places if place.for_worker]
        self._inherited.close_others({str(place) for place in places})
        try:
            for place in places:
                if not place.for_worker:
                    await self._open_one(place, port or self.port)
            wanted = self.worker_port = port or self.port
            holder = self._holder(ways_in, wanted)
            if holder is not None:
                await self._open_elsewhere(ways_in, kept)
                _log.warn(
                    "--listen {holder} holds port {port}, so the worker has"
                    " http://localhost:{instead}; one whose URL is fixed to port {port} can't"
                    " connect: choose another with --port",
                    holder=str(holder),
                    port=wanted,
                    instead=self.worker_port,
                )
            else:
                for place in ways_in:
                    await self._open_one(place, port or self.port)
                self.worker_port = port or self.port
        except ListenError:
            ensureDeferred(self.close())
            raise

    def reload_certificates(self) -> None:
        """Read all certificates again."""
        for certificate in self._certificates:
            certificate.reload()

    async def close(self) -> None:
        """Accept no more connections; open ones stay open."""
        self._certificates.clear()
        closed = [maybeDeferred(port.stopListening) for _, port in self._open]
        self._open.clear()
        await gatherResults(closed)

    def _holder(self, ways_in: Sequence[ListenAddress], port: int) -> ListenAddress | None:
        """The place of ours that holds `port` and does not take plain HTTP; None: there is none."""
        for way_in in ways_in:
            for place, listening in self._open:
                if not place.is_plain and _serves(listening.getHost(), way_in.host, port):
                    return place
        return None

    async def _open_elsewhere(
        self, ways_in: Sequence[ListenAddress], kept: KeptPort | None
    ) -> None:
        """Open the worker's places on one port that is free on all of them."""
        already = len(self._open)
        for candidate in (kept.read() if kept else 0, *(ATTEMPTS * (0,))):
            number = candidate
            try:
                for place in ways_in:
                    await self._open_one(place, number)
                    number = self._open[-1][1].getHost().port
            except ListenError:
                for _, port in self._open[already:]:
                    port.stopListening()
                del self._open[already:]
                continue
            self.worker_port = number
            if kept is not None:
                kept.keep(number)
            return
        raise ListenError("no port is free for the worker; choose one with --port")

    async def _open_one(self, place: ListenAddress, port: int) -> None:
        try:
            listening = await self._endpoint(place, port).listen(self._site)
        except CannotListenError as error:
            reason = self._reason(place, port, error)
            if reason is None:
                return
            # Clients of localhost would reach whoever has taken ::1.
            if not place.optional or error.socketError.errno == errno.EADDRINUSE:
                raise ListenError(reason) from None
            _log.info("Not listening on {place}: {reason}", place=str(place), reason=reason)
            return
        except OSError as error:  # of the lock beside a UNIX socket
            raise ListenError(f"can't listen on {place}: {error.strerror}") from None
        count_connections(listening, self._caps, self._reactor)
        read_whole(listening)
        self._open.append((place, listening))
        serve(listening, self._inherited.take_waiting(str(place)))

    def _endpoint(self, place: ListenAddress, port: int) -> Any:
        held = self._inherited.take(str(place))
        if place.host:
            kind = TCP6ServerEndpoint if ":" in place.host else TCP4ServerEndpoint
            reactor = self._reactor if held is None else InheritingReactor(self._reactor, held)
            return kind(reactor, port, BACKLOG, place.host)
        try:
            endpoint, certificate = make_endpoint(place, self._reactor, self._announce, held)
        except Exception as error:
            raise ListenError(f"--listen {place.endpoint}: {_fault(place, error)}") from None
        if certificate is not None:
            self._certificates.append(certificate)
        return endpoint

    def _reason(self, place: ListenAddress, port: int, error: CannotListenError) -> str | None:
        """Why `place` cannot be opened; None: another place of ours serves its address."""
        if error.socketError.errno == errno.EADDRINUSE and place.host:
            ours = [
                each
                for each, listening in self._open
                if _serves(listening.getHost(), place.host, port)
            ]
            if ours:
                return None
            return f"port {port} on {place.host} is in use; choose another with --port"
        return f"can't listen on {place}: {error.socketError}"

    def look_at_certificates(self) -> None:
        """Read certificates again that have changed on disk; call every `CERTIFICATE_SECONDS`."""
        for certificate in self._certificates:
            certificate.reload_if_changed()


def _fault(place: ListenAddress, error: Exception) -> str:
    """Why Twisted could not make an endpoint of `place`."""
    if place.below.startswith("systemd:") and isinstance(error, LookupError):
        return (
            "systemd has handed over no such socket; start the .socket unit, or give"
            " systemd-socket-activate a --fdname"
        )
    return str(error) or type(error).__name__


def _serves(address: Any, host: str, port: int) -> bool:
    """Whether a listener on `address` is also reached by `host` and `port`."""
    ours = parse_address(getattr(address, "host", None) or "")
    if ours is None or address.port != port:
        return False
    return ours.is_unspecified or ours == parse_address(host)


def _text(address: Any) -> str:
    host = getattr(address, "host", None)
    if host is None:
        name = getattr(address, "name", None)
        return os.fsdecode(name) if name else str(address)
    return f"[{host}]:{address.port}" if ":" in host else f"{host}:{address.port}"
