"""Clients that read everything, what they found, and the row that tells it."""

from __future__ import annotations

import select
import time
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.client import STAMP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.client import Client
    from benchmarks.server import Server

SIZE = 250
CODES = 300


class Readers:
    """Clients that read everything, and what they found."""

    def __init__(self, clients: Sequence[Client]) -> None:
        self._clients = {client.socket.fileno(): client for client in clients}
        self._epoll = select.epoll()
        for descriptor in self._clients:
            self._epoll.register(descriptor, select.EPOLLIN)
        self.count = 0
        self.latencies: list[float] = []

    def read(self, timeout: float) -> None:
        """Read what comes within `timeout` seconds of silence."""
        for descriptor, _ in self._epoll.poll(timeout):
            messages = self._clients[descriptor].read()
            self.count += len(messages)
            if messages:
                at = messages[-1].find(STAMP) + len(STAMP)
                sent = int(messages[-1][at : messages[-1].find(b",", at)])
                self.latencies.append((time.monotonic_ns() - sent) / 1e6)


def row(name: str, server: Server, readers: Readers, cpu: float, start: float) -> list[str]:
    """The cells of what was measured since `start`, when the server had used `cpu` seconds."""
    used, elapsed = server.cpu() - cpu, time.monotonic() - start
    count = max(1, readers.count)
    return [
        server.name + name,
        f"{readers.count / elapsed:,.0f}/s",
        f"{used / count * 1e6:.2f}",
        f"{median(readers.latencies):.1f} ms",
        f"{server.memory() / 2**20:.0f} MB",
        "",
    ]
