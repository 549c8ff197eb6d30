"""`python -m benchmarks.curves [folder]`: CPU a delivery and latency as the load grows.

Prints a table, and writes it as pictures for docs/performance.md: docs/curves.svg and
docs/curves.zh-TW.svg, or into `folder`.
"""

from __future__ import annotations

import sys
import time
from multiprocessing import Process, Value
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.client import Client, event, raise_descriptor_limit
from benchmarks.drawing import Curve, Panel, draw
from benchmarks.readers import CODES, SIZE, Readers
from benchmarks.server import running

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SUBSCRIBERS = (100, 1000, 5000)
RATES = (10, 50, 200, 1000, 5000)
SECONDS = 5.0
UNDER_WAY = 64
"""Events that may be on their way at a time; where a rate needs more, the load is what fits."""

DOCS = Path(__file__).parents[1] / "docs"


class Words(NamedTuple):
    """What a picture says in one language."""

    file: str
    cpu: str
    latency: str
    across: str
    subscribers: str


LANGUAGES = (
    Words(
        "curves.svg",
        "CPU a delivery, us",
        "99 % latency, ms",
        "events/s that were reached",
        "{:,} subscribers",
    ),
    Words(
        "curves.zh-TW.svg",
        "每次送達的 CPU（微秒）",
        "第 99 百分位延遲（毫秒）",
        "實際達到的事件數／秒",
        "{:,} 個訂閱者",
    ),
)


class Point(NamedTuple):
    """One run: events/s that were reached, CPU microseconds a delivery, p99 in milliseconds."""

    rate: float
    cpu: float
    latency: float


def measure(subscribers: int, rate: float, seconds: float) -> Point:
    """One publisher at `rate`, or as fast as its subscribers read where that is slower.

    It is a process of its own: one that also read would send in bursts.
    """
    with running() as server:
        readers = Readers([Client(server.port) for _ in range(subscribers)])
        heard, sent = Value("d", 0.0, lock=False), Value("q", 0, lock=False)
        publisher = Process(target=_publish, args=(server.port, rate, seconds, heard, sent))
        cpu, start = server.reactor_cpu(), time.monotonic()
        publisher.start()
        while publisher.is_alive():
            readers.read(0.01)
            heard.value = readers.count / subscribers
        end = time.monotonic()
        while readers.count < sent.value * subscribers and time.monotonic() < end + 30:
            readers.read(0.1)
        if readers.count != sent.value * subscribers:
            raise SystemExit(f"{sent.value * subscribers - readers.count} deliveries are missing")
        used, elapsed = server.reactor_cpu() - cpu, time.monotonic() - start
    return Point(
        sent.value / elapsed, used / readers.count * 1e6, quantiles(readers.latencies, n=100)[98]
    )


def _publish(port: int, rate: float, seconds: float, heard: Any, sent: Any) -> None:
    """Send for `seconds`, and count in `sent`; `heard`: events that every subscriber has got."""
    publisher = Client(port)
    start = time.monotonic()
    while (now := time.monotonic()) < start + seconds:
        if sent.value < (now - start) * rate and sent.value - heard.value < UNDER_WAY:
            publisher.socket.send(event(f"C{sent.value % CODES}", SIZE))
            sent.value += 1
        else:
            time.sleep(min(0.001, 0.2 / rate))
            publisher.read()  # the gateway pings it


def pictures(points: Mapping[int, Sequence[Point]]) -> dict[str, str]:
    """The picture for each file, of the runs by the number of subscribers."""
    made = {}
    for words in LANGUAGES:
        names = {count: words.subscribers.format(count) for count in points}
        cpu = [Curve(names[n], [(p.rate, p.cpu) for p in points[n]]) for n in points]
        late = [Curve(names[n], [(p.rate, p.latency) for p in points[n]]) for n in points]
        made[words.file] = draw(
            (Panel(words.cpu, words.across, cpu), Panel(words.latency, words.across, late))
        )
    return made


def main(folder: Path = DOCS) -> None:
    """Measure, print and draw."""
    raise_descriptor_limit()
    print("| subscribers | events/s asked | reached | CPU us a delivery | 99 % latency |")
    print("|---" * 5 + "|")
    points: dict[int, list[Point]] = {}
    for subscribers in SUBSCRIBERS:
        for rate in RATES:
            point = measure(subscribers, rate, SECONDS)
            points.setdefault(subscribers, []).append(point)
            print(
                f"| {subscribers:,} | {rate:,} | {point.rate:,.0f} | {point.cpu:.2f} |"
                f" {point.latency:.1f} ms |",
                flush=True,
            )
            if point.rate < rate / 2:
                break  # more can't be reached: the next point would be the same
    for name, text in pictures(points).items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
