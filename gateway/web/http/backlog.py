"""Who waits at a socket that stayed open while there was no gateway.

A client that polls may be between two polls when its gateway is killed.  Then it connects to the
socket, and nobody tells it that its session is over until the new program has imported everything,
0.5 s and more; only then it begins to wait before it comes back.  So a start accepts who waits,
once, and answers those for whom there is an answer without a gateway.

Nothing is read of the others: they are looked at (MSG_PEEK), and served once there is a gateway, as
if they had been accepted then.
"""

from __future__ import annotations

import errno
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from gateway.web.http.listen_plan import BACKLOG

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from twisted.internet.tcp import Port

    Accepted = tuple[socket.socket, Any]
    """A connection, and the address of its other end, as `accept` tells both."""

MOST_KEPT = 64
"""Connections that are accepted and not answered.  Each takes a descriptor, which the imports need,
too, and Twisted accepts 100 at a time at first."""
MOST_BYTES = 16384
"""Bytes that are looked at; a request that has more is left for later."""


def answer_waiting(
    listening: socket.socket, answer: Callable[[bytes], bytes]
) -> Sequence[Accepted]:
    """Answer who waits at a listening socket; the connections that are left, in their order.

    `answer(data)`: the last answer on a connection that has sent `data`; empty: none.  Blocks for
    nobody.
    """
    kept: list[Accepted] = []
    with suppress(OSError):  # nobody waits any more, or there are no more descriptors
        listening.setblocking(False)
        for _ in range(BACKLOG):
            client, address = listening.accept()
            client.setblocking(False)
            if not _is_answered(client, answer):
                kept.append((client, address))
                if len(kept) == MOST_KEPT:
                    break
    return kept


def serve(port: Port, waiting: Sequence[Accepted]) -> None:
    """Have `port` serve these connections as if it accepted them now."""
    if waiting:
        own: Any = port.socket
        port.socket = _Waiting(waiting)
        port.doRead()
        port.socket = own


class _Waiting:
    """Stands for a listening socket at which these wait, and nobody else."""

    def __init__(self, waiting: Iterable[Accepted]) -> None:
        self._waiting = iter(waiting)

    def accept(self) -> Accepted:
        for each in self._waiting:
            return each
        raise BlockingIOError(errno.EWOULDBLOCK, "nobody waits")


def _is_answered(client: socket.socket, answer: Callable[[bytes], bytes]) -> bool:
    try:
        data = client.recv(MOST_BYTES, socket.MSG_PEEK)
    except OSError:  # nothing has come yet
        return False
    told = answer(data)
    if told:
        with client, suppress(OSError):
            client.recv(len(data))  # what is not read would reset the connection
            client.send(told)
    return bool(told)
