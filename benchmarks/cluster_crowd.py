"""Subscribers of several gateways: those of the publisher's (near), and the others (far)."""

from __future__ import annotations

import select
import time
from typing import TYPE_CHECKING

from benchmarks.client import STAMP, Client, event
from benchmarks.readers import SIZE

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = b"market_bidask"
"""Of each event: no gateway makes bars of them, so that what is measured is the log alone."""
MARK = b'["%b"' % NAME
"""Once in each event."""


def quote(number: int) -> bytes:
    """The event `number`, of one of 300 codes."""
    return event(f"C{number % 300}", SIZE, NAME)


class Group:
    """Subscribers; `late` has the milliseconds that some of their events took."""

    def __init__(self, epoll: select.epoll, clients: Sequence[Client]) -> None:
        self.clients = {client.socket.fileno(): client for client in clients}
        for descriptor in self.clients:
            epoll.register(descriptor, select.EPOLLIN)
        self.late: list[float] = []


class Crowd:
    """`count` subscribers: half of them at the first of `ports`, if there are more of these."""

    def __init__(self, ports: Sequence[int], count: int) -> None:
        self._epoll = select.epoll()
        places = [ports[0]] * count
        for index in range(count // 2 if len(ports) > 1 else 0):
            places[index] = ports[1 + index % (len(ports) - 1)]
        clients = [(port, Client(port)) for port in places]
        self.near = Group(self._epoll, [each for port, each in clients if port == ports[0]])
        self.far = Group(self._epoll, [each for port, each in clients if port != ports[0]])
        self.groups = self.near, self.far
        self._rest: dict[int, bytes] = {}
        self.count = 0

    def read(self, timeout: float) -> None:
        """Read what there is, or comes within `timeout` seconds."""
        for descriptor, _ in self._epoll.poll(timeout):
            group = self.near if descriptor in self.near.clients else self.far
            messages = group.clients[descriptor].read()
            self.count += len(messages)
            if messages:
                at = messages[-1].find(STAMP) + len(STAMP)
                sent = int(messages[-1][at : messages[-1].find(b",", at)])
                group.late.append((time.monotonic_ns() - sent) / 1e6)

    def tally(self, timeout: float) -> None:
        """Only count what comes within `timeout` seconds: messages are not taken apart."""
        for descriptor, _ in self._epoll.poll(timeout):
            group = self.near if descriptor in self.near.clients else self.far
            data = self._rest.get(descriptor, b"") + group.clients[descriptor].socket.recv(1 << 18)
            self.count += data.count(MARK)
            self._rest[descriptor] = data[1 - len(MARK) :]

    def forget(self) -> None:
        """Begin to count."""
        self.count = 0
        for group in self.groups:
            group.late.clear()
