"""What is measured, one function each; a scenario returns the cells of its row."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks.client import OFFER, REQUEST, Client, event, random_code, tick
from benchmarks.joining import RECOVER, come_back, connect, join
from benchmarks.readers import CODES, SIZE, Readers, row
from benchmarks.server import gateway, running
from gateway.history.reading import read

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from benchmarks.server import Server, Start


def fan_out(
    subscribers: int,
    seconds: float,
    relay: AbstractContextManager[Server],
    *,
    codes: int = 1,
    request: bytes = REQUEST,
    what: str = "",
) -> list[str]:
    """One publisher as fast as its subscribers read: 64 events under way, of `codes` codes."""
    with relay as server:
        readers = Readers([Client(server.port, request=request) for _ in range(subscribers)])
        publisher = Client(server.port, request=request)
        sent, cpu, start = 0, server.cpu(), time.monotonic()
        while time.monotonic() < start + seconds:
            while sent * subscribers - readers.count < 64 * subscribers:
                publisher.socket.send(event(f"C{sent % codes}", SIZE))
                sent += 1
            readers.read(1)
        return row(f"1 to {subscribers}, saturated{what}", server, readers, cpu, start)


def steady(
    subscribers: int,
    rate: float,
    seconds: float,
    relay: AbstractContextManager[Server],
    *,
    auth: Callable[[int], bytes] = lambda _: b"",
    request: bytes = REQUEST,
    size: int = SIZE,
    what: str = "",
) -> list[str]:
    """One publisher at a given rate, over many codes; `auth` is each subscriber's."""
    with relay as server:
        readers = Readers(
            [Client(server.port, auth(number), request=request) for number in range(subscribers)]
        )
        publisher = Client(server.port)
        sent, cpu, start = 0, server.cpu(), time.monotonic()
        while (now := time.monotonic()) < start + seconds:
            while sent < (now - start) * rate:
                publisher.socket.send(event(f"C{sent % CODES}", size))
                sent += 1
            readers.read(min(0.01, 1 / rate))
        while readers.count < sent * subscribers and time.monotonic() < now + 5:
            readers.read(0.1)
        lost = sent * subscribers - readers.count
        cells = row(f"1 to {subscribers} at {rate:g}/s{what}", server, readers, cpu, start)
        return [*cells[:-1], str(lost)]


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
        cells = row("5 of 105 never read, 2000/s", server, readers, cpu, start)
        del sleepers
        return [*cells[:4], f"+{(max(most, server.memory()) - memory) / 2**20:.1f} MB", cells[-1]]


HEADINGS = ["scenario", "deliveries", "CPU us", "latency p50", "memory", "lost"]

COMPARED: dict[str, Callable[[Start], list[str]]] = {
    "fan10": lambda relay: fan_out(10, 4, relay()),
    "fan100": lambda relay: fan_out(100, 4, relay()),
    "fan1000": lambda relay: fan_out(1000, 6, relay()),
    "steady": lambda relay: steady(100, 200, 5, relay()),
    "steady-low": lambda relay: steady(500, 50, 5, relay()),
    "connect": lambda relay: connect(1000, relay()),
    "quotes": lambda relay: fan_out(10, 4, relay(), codes=200, what=", 200 codes"),
    "engineio3": lambda relay: fan_out(
        100, 4, relay("eio3"), request=REQUEST.replace(b"EIO=4", b"EIO=3"), what=", Engine.IO 3"
    ),
    "deflate": lambda relay: steady(
        100,
        200,
        5,
        relay("deflate"),
        request=REQUEST[:-2] + OFFER,
        size=1024,
        what=", 1 KB compressed",
    ),
    "recovery": lambda relay: steady(
        100, 200, 5, relay("recovery"), auth=lambda _: RECOVER, what=", with offsets"
    ),
    "come-back": lambda relay: come_back(200, 100, relay("recovery")),
}
"""Those that a relay on Node.js can do, too; each is given what starts a relay."""

SCENARIOS: dict[str, Callable[[], list[str]]] = {
    **{name: partial(run, gateway) for name, run in COMPARED.items()},
    "plain1000": lambda: steady(1000, 1000, 5, running()),
    "filters1000": lambda: steady(1000, 1000, 5, running(), auth=filters, what=", 10 filters"),
    "slow": lambda: slow(10),
    "join": lambda: join(1000, b""),
    "join-snapshot": lambda: join(1000, b'{"snapshot":true}'),
    "join-storm": lambda: join(1000, b'{"snapshot":true}', told=True),
    "unrecorded": lambda: recorded(1000, 20, "--keep-bars=0"),
    "recorded": lambda: recorded(1000, 20, "--keep-bars=0", "--record={}"),
    "remembered": lambda: recorded(1000, 20, "--record={}"),
}
