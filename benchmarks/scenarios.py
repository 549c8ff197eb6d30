"""What is measured, one function each; a scenario returns the cells of its row."""

from __future__ import annotations

import select
import socket
import sqlite3
import time
from contextlib import closing
from multiprocessing import Process
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks.client import STAMP, Client, event, frame, random_code, tick
from benchmarks.server import running
from gateway.history.reading import read

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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


def fan_out(subscribers: int, seconds: float) -> list[str]:
    """One publisher as fast as its subscribers read: 64 events under way."""
    with running() as server:
        readers = Readers([Client(server.port) for _ in range(subscribers)])
        publisher = Client(server.port)
        sent, cpu, start = 0, server.cpu(), time.monotonic()
        while time.monotonic() < start + seconds:
            while sent * subscribers - readers.count < 64 * subscribers:
                publisher.socket.send(event("TXFR1", SIZE))
                sent += 1
            readers.read(1)
        return _row(f"1 to {subscribers}, saturated", server, readers, cpu, start)


def steady(
    subscribers: int, rate: float, seconds: float, auth: Callable[[int], bytes] | None = None
) -> list[str]:
    """One publisher at a given rate, over many codes; `auth` is each subscriber's."""
    with running() as server:
        readers = Readers(
            [Client(server.port, auth(number) if auth else b"") for number in range(subscribers)]
        )
        publisher = Client(server.port)
        sent, cpu, start = 0, server.cpu(), time.monotonic()
        while (now := time.monotonic()) < start + seconds:
            while sent < (now - start) * rate:
                publisher.socket.send(event(f"C{sent % CODES}", SIZE))
                sent += 1
            readers.read(min(0.01, 1 / rate))
        while readers.count < sent * subscribers and time.monotonic() < now + 5:
            readers.read(0.1)
        lost = sent * subscribers - readers.count
        name = f"1 to {subscribers} at {rate:g}/s" + (", 10 filters" if auth else "")
        row = _row(name, server, readers, cpu, start)
        return [*row[:-1], str(lost)]


def recorded(rate: float, seconds: float, *options: str) -> list[str]:
    """What a recording, or bars, cost the reactor: its thread's CPU for each event.

    `lost`: events that no reader got, that are not in the recording, and that are in no bar.
    """
    with TemporaryDirectory() as place:
        given = [each.format(place) for each in options]
        with running(f"--state-dir={place}/state", *given) as server:
            readers = Readers([Client(server.port) for _ in range(10)])
            publisher = Client(server.port)
            sent, cpu, start = 0, server.reactor_cpu(), time.monotonic()
            while (now := time.monotonic()) < start + seconds:
                while sent < (now - start) * rate:
                    publisher.socket.send(tick(f"C{sent % CODES}", sent // CODES + 1, SIZE))
                    sent += 1
                readers.read(min(0.01, 1 / rate))
                publisher.read()  # the gateway pings it
            while readers.count < 10 * sent and time.monotonic() < now + 5:
                readers.read(0.1)
            used = server.reactor_cpu() - cpu
            memory = server.memory()
        found = [each for path in Path(place).glob("*.zst") for each in read(path) if each.payload]
        ticks = sum(b'"market_tick"' in (each.payload or b"") for each in found)
        in_bars = [_volume(path) for path in Path(place).glob("state/bars-*.db")]
        lost = [10 * sent - readers.count, sent - ticks if found else "-"]
        lost.append(sent - sum(in_bars) if in_bars else "-")
        return [
            f"1 to 10 at {rate:g}/s, {' '.join(options) or 'nothing kept'}",
            f"{10 * sent / seconds:,.0f}/s",
            f"{used / sent * 1e6:.2f} of the reactor an event",
            f"{median(readers.latencies):.1f} ms, "
            f"99 %: {quantiles(readers.latencies, n=100)[98]:.1f} ms",
            f"{memory / 2**20:.0f} MB",
            ", ".join(map(str, lost)),
        ]


def _volume(bars: Path) -> int:
    """What was traded in all by the file of bars."""
    both = "SELECT volume FROM bars UNION ALL SELECT volume FROM running"
    with closing(sqlite3.connect(bars)) as connection:
        return int(connection.execute(f"SELECT sum(volume) FROM ({both})").fetchone()[0] or 0)


def filters(number: int) -> bytes:
    """The auth of a subscriber: one of 10 filters that match everything there is."""
    codes = [f'"C{code}"' for code in range(CODES)] + [f'"F{number % 10}"']
    return b'{"codes":[%s]}' % ",".join(codes).encode()


def slow(seconds: float) -> list[str]:
    """5 of 105 subscribers never read, at 2000 events/s."""
    with running() as server:
        readers = Readers([Client(server.port) for _ in range(100)])
        sleepers = [Client(server.port, receive_buffer=4096) for _ in range(5)]
        publisher = Client(server.port)
        sent, cpu, start, memory = 0, server.cpu(), time.monotonic(), server.memory()
        most = memory
        while (now := time.monotonic()) < start + seconds:
            while sent < (now - start) * 2000:
                publisher.socket.send(event(random_code(), SIZE))
                sent += 1
            readers.read(0.001)
            most = max(most, server.memory()) if sent % 500 == 0 else most
        row = _row("5 of 105 never read, 2000/s", server, readers, cpu, start)
        del sleepers
        return [*row[:4], f"+{(max(most, server.memory()) - memory) / 2**20:.1f} MB", row[-1]]


def connect(count: int) -> list[str]:
    """Connections one after the other, and what an idle one holds."""
    with running() as server:
        warm = [Client(server.port) for _ in range(count // 10)]
        cpu, memory, start = server.cpu(), server.memory(), time.monotonic()
        clients = [Client(server.port) for _ in range(count)]
        elapsed, used = time.monotonic() - start, server.cpu() - cpu
        time.sleep(0.5)
        held = (server.memory() - memory) / count / 1024
        clients[0].socket.send(frame(b"41"))
        del warm
        return [
            f"{count} connections",
            f"{count / elapsed:,.0f}/s",
            f"{used / count * 1e6:,.0f} each",
            "",
            f"{held:.1f} KiB each",
            "",
        ]


def join(count: int, auth: bytes) -> list[str]:
    """Late joiners, as fast as they can; what a bystander notices."""
    with running() as server:
        publisher, readers = Client(server.port), Readers([Client(server.port)])
        for number in range(CODES):
            publisher.socket.sendall(event(f"C{number}", SIZE))
        while readers.count < CODES:
            readers.read(0.1)
        bystander = socket.create_connection(("127.0.0.1", server.port))
        waits = []
        joiner = Process(target=_join, args=(server.port, count, auth))
        cpu, start = server.cpu(), time.monotonic()
        joiner.start()
        while joiner.is_alive():
            asked = time.monotonic()
            bystander.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            bystander.recv(4096)
            waits.append((time.monotonic() - asked) * 1e3)
            time.sleep(0.002)
        used, elapsed = server.cpu() - cpu, time.monotonic() - start
        kind = f"a snapshot of {CODES}" if auth else "nothing"
        return [
            f"{count} join and get {kind}",
            f"{count / elapsed:,.0f} joins/s",
            f"{used / count * 1e6:,.0f} each",
            f"max {max(waits):.1f} ms",
            f"{server.memory() / 2**20:.0f} MB",
            "",
        ]


def _join(port: int, count: int, auth: bytes) -> None:
    clients = [Client(port, auth) for _ in range(count)]
    for client in clients:
        client.read()


def _row(name: str, server: Server, readers: Readers, cpu: float, start: float) -> list[str]:
    used, elapsed = server.cpu() - cpu, time.monotonic() - start
    count = max(1, readers.count)
    return [
        name,
        f"{readers.count / elapsed:,.0f}/s",
        f"{used / count * 1e6:.2f}",
        f"{median(readers.latencies):.1f} ms",
        f"{server.memory() / 2**20:.0f} MB",
        "",
    ]


HEADINGS = ["scenario", "deliveries", "CPU us", "latency p50", "memory", "lost"]

SCENARIOS: dict[str, Callable[[], list[str]]] = {
    "fan10": lambda: fan_out(10, 4),
    "fan100": lambda: fan_out(100, 4),
    "fan1000": lambda: fan_out(1000, 6),
    "steady": lambda: steady(100, 200, 5),
    "steady-low": lambda: steady(500, 50, 5),
    "plain1000": lambda: steady(1000, 1000, 5),
    "filters1000": lambda: steady(1000, 1000, 5, filters),
    "slow": lambda: slow(10),
    "join": lambda: join(1000, b""),
    "join-snapshot": lambda: join(1000, b'{"snapshot":true}'),
    "connect": lambda: connect(1000),
    "unrecorded": lambda: recorded(1000, 20, "--keep-bars=0"),
    "recorded": lambda: recorded(1000, 20, "--keep-bars=0", "--record={}"),
    "remembered": lambda: recorded(1000, 20, "--record={}"),
}
