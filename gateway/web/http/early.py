"""Ports that are open before the gateway is there: who connects meanwhile waits.

Most of a start is imports, 0.4 s of CPU and more.  Clients of a gateway that was killed try again
after 0.5 to 1.5 s, and one that is refused then waits for 1 to 3 s more.  So a start begins with
this, which needs nothing that takes long to import.  `Inherited` has the sockets until somebody
accepts.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from gateway.web.http.listen_plan import BACKLOG

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.web.http.listen_plan import ListenAddress


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
