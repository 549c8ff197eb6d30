"""`python -m benchmarks.cluster [--rounds N] [--peer COMMAND] [scenario ...]`: one log for many.

Each scenario starts a Redis (`redis-server`) and gateways of its own, has one publisher at the
first of them, and half of the subscribers there (near), the others spread over the others (far).

- `saturated`: 64 events under way, 100 subscribers, at 1 gateway without a cluster, and at 2 and 4
- `cost`: the same with 10, 16 in each write, and what each process uses
- `steady`: 200 events/s to 20, and how long they take
- `acks`: how long the answer of a client takes to who asked, at the same gateway and at another
- `memory`: what Redis takes for 20,000 events of 250 bytes
- `order`: 100,000 events by 4 publishers at 4 gateways; how many differ in their place

All are measured in turns, `--rounds` times; printed are medians.  `--peer`: a command that starts
another server with PORT and REDIS in the place of these words (the ports), which is measured
beside them in the first three.
"""

from __future__ import annotations

import select
import sys
import time
from functools import partial
from itertools import zip_longest
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import psutil

from benchmarks.client import Client, frame, raise_descriptor_limit
from benchmarks.cluster_crowd import Crowd, quote
from benchmarks.cluster_site import alone, cluster, peers
from benchmarks.command import command
from gateway.cluster.address import Address
from gateway.cluster.blocking import connected, info

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.cluster_site import Site, Start

WINDOW = 64
TOGETHER = 16
"""Events in a write of `cost`, so that it is less about writes and more about events."""
WARM = 0.5
"""Seconds that do not count."""
QUESTIONS = 300
REMEMBERED = 20_000
"""Events that Redis holds by default."""


def pour(
    site: Site, subscribers: int, seconds: float, together: int = 1
) -> tuple[int, list[float], float]:
    """Deliveries of `WINDOW` events under way, seconds of CPU of all servers, and elapsed ones.

    `together`: so many are in each write.
    """
    crowd, publisher = Crowd(site.ports, subscribers), Client(site.ports[0])
    sent = delivered = 0
    begin = time.monotonic() + WARM
    cpu: list[float] = []
    while (now := time.monotonic()) < begin + seconds:
        if now >= begin and not cpu:
            delivered, cpu = crowd.count, [server.cpu() for server in site.all]
            begin = now
        while (sent + together) * subscribers - crowd.count <= WINDOW * subscribers:
            publisher.socket.send(b"".join([quote(sent + each) for each in range(together)]))
            sent += together
        crowd.tally(1)
    used = [server.cpu() - before for server, before in zip(site.all, cpu, strict=True)]
    return crowd.count - delivered, used, time.monotonic() - begin


def saturated(site: Site, seconds: float) -> list[float]:
    """Events and deliveries a second to 100, and microseconds of all servers a delivery."""
    count, used, elapsed = pour(site, 100, seconds)
    return [count / 100 / elapsed, count / elapsed, sum(used) / count * 1e6]


def cost(site: Site, seconds: float) -> list[float]:
    """Events a second to 10, and microseconds an event of the first server, the others, Redis."""
    count, (first, *others), elapsed = pour(site, 10, seconds, TOGETHER)
    store = others.pop() if site.store is not None else 0.0
    events = count / 10
    return [events / elapsed, *[each / events * 1e6 for each in (first, sum(others), store)]]


def steady(site: Site, seconds: float, rate: float = 200) -> list[float]:
    """Median of the milliseconds that events take to 20, near and far."""
    crowd, publisher = Crowd(site.ports, 20), Client(site.ports[0])
    sent, start = 0, time.monotonic()
    is_warm = False
    while (now := time.monotonic()) < start + WARM + seconds:
        if not is_warm and now > start + WARM:
            is_warm = True
            crowd.forget()
        while sent < (now - start) * rate:
            publisher.socket.send(quote(sent))
            sent += 1
        crowd.read(max(0.0, sent / rate - (time.monotonic() - start)))
    return [median(group.late) if group.late else 0.0 for group in crowd.groups]


def acks(site: Site, _: float) -> list[float]:
    """Median of the milliseconds until an answer of a client is there, near and far."""
    found = []
    for place, port in enumerate((site.ports[0], site.ports[-1]), 1):
        asker, answerer = Client(site.ports[0]), Client(port)
        late = []
        for number in range(place * 1000, place * 1000 + QUESTIONS):
            begin = time.monotonic()
            asker.socket.send(frame(b'42%d["question",%d]' % (number, number)))
            question = _next(answerer, b"42", b"%d]" % number)
            id = question[2 : question.index(b"[")]
            answerer.socket.send(frame(b"43%b[1]" % id))
            _next(asker, b"43%d" % number)
            late.append((time.monotonic() - begin) * 1e3)
        found.append(median(late))
        answerer.socket.close()
    return found


def _next(client: Client, start: bytes, end: bytes = b"]") -> bytes:
    """The next message that begins with `start` and ends with `end`."""
    while select.select([client.socket], [], [], 10)[0]:
        for message in client.read((b"42", b"43")):
            if message.startswith(start) and message.endswith(end):
                return message
    raise SystemExit(f"{start!r} did not come")


def memory(site: Site, _: float) -> list[float]:
    """Megabytes that Redis takes for `REMEMBERED` events."""
    assert site.store is not None
    with connected(Address(host="127.0.0.1", port=site.store.port)) as stream:
        before = int(info(stream, "memory")["used_memory"])
        crowd, publisher = Crowd(site.ports, 2), Client(site.ports[0])
        sent = 0
        while crowd.count < 2 * REMEMBERED:
            while sent < REMEMBERED and sent * 2 - crowd.count < WINDOW * 2:
                publisher.socket.send(quote(sent))
                sent += 1
            crowd.read(1)
        return [(int(info(stream, "memory")["used_memory"]) - before) / 1e6]


def order(site: Site, _: float, events: int = 100_000) -> list[float]:
    """Events, and how many stand at another place for a subscriber elsewhere."""
    publishers = [Client(port) for port in site.ports]
    epoll, clients = select.epoll(), [Client(port) for port in site.ports]
    heard: dict[int, list[bytes]] = {each.socket.fileno(): [] for each in clients}
    by_file = {each.socket.fileno(): each for each in clients}
    for descriptor in heard:
        epoll.register(descriptor, select.EPOLLIN)
    sent = 0
    while min(map(len, heard.values())) < events:
        while sent < events and sent - min(map(len, heard.values())) < 4 * WINDOW:
            publishers[sent % len(publishers)].socket.send(quote(sent))
            sent += 1
        for publisher in publishers:
            publisher.read()
        for descriptor, _ in epoll.poll(1):
            heard[descriptor] += by_file[descriptor].read()
    first, *others = heard.values()
    return [events, sum(len(set(each)) > 1 for each in zip_longest(first, *others))]


class Scenario(NamedTuple):
    """What is measured, at how many gateways, and whether a peer can do it, too."""

    measure: Callable[[Site, float], list[float]]
    columns: str
    counts: tuple[int, ...]
    """0: a gateway without a cluster."""
    has_peer: bool = True


SCENARIOS = {
    "saturated": Scenario(saturated, "events/s | deliveries/s | us a delivery, all", (0, 2, 4)),
    "cost": Scenario(cost, "events/s | us an event: publisher's | others' | Redis", (0, 2)),
    "steady": Scenario(steady, "p50 near, ms | p50 far, ms", (0, 2, 4)),
    "acks": Scenario(acks, "p50 near, ms | p50 far, ms", (0, 2), has_peer=False),
    "memory": Scenario(memory, "MB", (2,), has_peer=False),
    "order": Scenario(order, "events | at another place", (4,)),
}


def choices(scenario: Scenario, peer: str) -> dict[str, Start]:
    """What is measured in turns: names, and what starts each."""
    found: dict[str, Start] = {}
    for count in scenario.counts:
        if not count:
            found["1 gateway, no cluster"] = alone
            continue
        found[f"{count} gateways"] = partial(cluster, count)
        if peer and scenario.has_peer:
            found[f"{count} peers"] = partial(peers, count, peer)
    return found


def run(scenario: Scenario, peer: str, seconds: float, rounds: int) -> None:
    """Print the medians of all rounds, with the smallest and the largest value."""
    starts = choices(scenario, peer)
    found: dict[str, list[list[float]]] = {what: [] for what in starts}
    for _ in range(rounds):
        for what, start in starts.items():
            with start() as site:
                found[what].append(scenario.measure(site, seconds))
    print(f"| | {scenario.columns} |\n{'|---' * (scenario.columns.count('|') + 2)}|")
    for what, rows in found.items():
        print(f"| {what} | {' | '.join(map(_cell, zip(*rows, strict=True)))} |", flush=True)


def _cell(values: Sequence[float]) -> str:
    def told(value: float) -> str:
        return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"

    spread = f" ({told(min(values))} to {told(max(values))})" if len(values) > 1 else ""
    return told(median(values)) + spread


def main(arguments: Sequence[str]) -> int:
    """Run what is named, or all."""
    parser = command("cluster", __doc__)
    parser.add_argument("scenario", nargs="*", choices=[*SCENARIOS, []], metavar="scenario")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--peer", default="")
    given = parser.parse_args(arguments)
    raise_descriptor_limit()
    for name in given.scenario or SCENARIOS:
        print(f"\n{name}, load {psutil.getloadavg()[0]:.1f}\n", flush=True)
        run(SCENARIOS[name], given.peer, given.seconds, given.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
