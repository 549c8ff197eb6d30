"""Ports that are open before the gateway is there: who connects meanwhile waits.

Most of a start is imports, 0.4 s of CPU and more.  Clients of a gateway that was killed try again
after 0.5 to 1.5 s, and one that is refused then waits for 1 to 3 s more.  So a start begins with
this, which needs nothing that takes long to import.  `Inherited` has the sockets until somebody
accepts.

Sockets that somebody else holds, systemd or the gateway before this one, have been open all the
time: `kept_open` has them, and `backlog` looks who waits there.
"""

from __future__ import annotations

import socket
from contextlib import contextmanager, suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from twisted.python.systemd import ListenFDs

from gateway.web.http.held import Held
from gateway.web.http.listen_plan import BACKLOG

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gateway.web.http.backlog import Accepted
    from gateway.web.http.listen_plan import ListenAddress


class Early(NamedTuple):
    """What there is before the gateway, by the texts of places."""

    sockets: Sequence[tuple[str, int]] = ()
    """Descriptors that listen."""
    waiting: Mapping[str, Sequence[Accepted]] = MappingProxyType({})
    """Connections that were accepted, and are not answered yet."""


NOTHING = Early()


def listen(places: Iterable[ListenAddress], port: int) -> list[tuple[str, int]]:
    """Listen at those of `places` that are addresses, on `port`; nothing is done for port 0.

    Returns the text of each place, and its descriptor.  Where a place can't be had, such as one
    that a hand-over has kept open, who opens it for good says why.
    """
    opened = []
    for place in places if port else ():
        if place.host and not place.for_worker:
            descriptor = _listening(place.host, port)
            if descriptor is not None:
                opened.append((str(place), descriptor))
    return opened


def _listening(host: str, port: int) -> int | None:
    """As Twisted would make it: `::` takes connections to addresses of IPv4, too."""
    made = None
    try:
        made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.setblocking(False)  # the reactor accepts until there is nobody left
        made.listen(BACKLOG)
    except OSError:
        if made is not None:
            made.close()
        return None
    return made.detach()


@contextmanager
def kept_open(
    places: Iterable[ListenAddress], environ: Mapping[str, str]
) -> Iterator[dict[str, socket.socket]]:
    """Those of `places` that take plain HTTP by TCP and that others kept open: their sockets.

    `environ` tells of them, and is not changed.  Within the context they are lent, no more.
    """
    held = Held.told(environ)
    ours = dict(held.sockets) if held.is_ours else {}
    passed = ListenFDs.fromEnvironment(dict(environ))  # it removes what it reads
    found: dict[str, socket.socket] = {}
    try:
        for place in places:
            text = str(place)
            number = ours.get(text, _passed(place, passed))
            if number is not None and place.is_plain and text not in found:
                with suppress(OSError):  # it is no socket at all
                    found[text] = socket.socket(fileno=number)
        yield {text: each for text, each in found.items() if _is_listening(each)}
    finally:
        for each in found.values():
            each.detach()


def _passed(place: ListenAddress, passed: ListenFDs) -> int | None:
    """The descriptor by which systemd passed a place, `systemd:domain=INET:index=0`."""
    if not place.is_systemds:
        return None
    told = dict(each.split("=", 1) for each in place.endpoint.split(":") if "=" in each)
    with suppress(LookupError, ValueError):
        if "name" in told:
            return passed.inheritedNamedDescriptors()[told["name"]]
        return passed.inheritedDescriptors()[int(told["index"])]
    return None


def _is_listening(held: socket.socket) -> bool:
    """Whether it listens, by TCP: who comes by a UNIX socket is not judged here."""
    with suppress(OSError):
        return held.family in (socket.AF_INET, socket.AF_INET6) and bool(
            held.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        )
    return False
