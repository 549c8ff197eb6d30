"""`python -m benchmarks.cluster [--seconds S] [--peer COMMAND] [scenario ...]`: one log for many.

Each scenario starts a Redis (`redis-server`) and gateways of its own, has one publisher at the
first of them, and half of the subscribers there (near), the others spread over the others (far).

- `saturated`: 64 events under way, 100 subscribers, at 1 gateway without a cluster, and at 2 and 4
- `cost`: the same with 10, and what each process uses
- `steady`: 200 events/s to 20, and how long they take
- `order`: 100,000 events by 4 publishers at 4 gateways; how many differ in their place

`--peer`: a command that starts another server with PORT and REDIS in the place of these words
(the ports), which is measured in turns.
"""

from __future__ import annotations

import argparse
import os
import secrets
import select
import shlex
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from itertools import zip_longest
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import psutil

from benchmarks.client import STAMP, Client, event, raise_descriptor_limit
from benchmarks.readers import SIZE
from benchmarks.server import Server, free_port, gateway, process, running

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WINDOW = 64
WARM = 0.5
"""Seconds that do not count."""


class Group:
    """Subscribers; `late` has the milliseconds that some of their events took."""

    def __init__(self, epoll: select.epoll, clients: Sequence[Client]) -> None:
        self.clients = {client.socket.fileno(): client for client in clients}
        for descriptor in self.clients:
            epoll.register(descriptor, select.EPOLLIN)
        self.late: list[float] = []


class Crowd:
    """Subscribers near to the publisher, and far from it."""

    def __init__(self, ports: Sequence[int], count: int) -> None:
        self._epoll = select.epoll()
        places = [ports[0]] * count
        for index in range(count // 2 if len(ports) > 1 else 0):
            places[index] = ports[1 + index % (len(ports) - 1)]
        clients = [(port, Client(port)) for port in places]
        self.near = Group(self._epoll, [each for port, each in clients if port == ports[0]])
        self.far = Group(self._epoll, [each for port, each in clients if port != ports[0]])
        self.groups = self.near, self.far
        self.count = 0

    def read(self, timeout: float) -> None:
        """Read what there is, or comes within `timeout` seconds."""
        for descriptor, _ in self._epoll.poll(timeout):
            group = self.near if descriptor in self.near.clients else self.far
            messages = [each for each in group.clients[descriptor].read() if each.startswith(b"42")]
            self.count += len(messages)
            if messages:
                at = messages[-1].find(STAMP) + len(STAMP)
                sent = int(messages[-1][at : messages[-1].find(b",", at)])
                group.late.append((time.monotonic_ns() - sent) / 1e6)

    def forget(self) -> None:
        """Begin to count."""
        self.count = 0
        for group in self.groups:
            group.late.clear()


@contextmanager
def redis() -> Iterator[Server]:
    """A Redis that writes what it is told to the disk, as docs/cluster.md asks."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        options = f"--port {port} --bind 127.0.0.1 --save '' --appendonly yes --dir {folder}"
        command = ["redis-server", *shlex.split(options)]
        with process(command, port, dict(os.environ)) as pid:
            yield Server(port, pid, "Redis")


def member(number: int, store: int, folder: Path) -> tuple[str, ...]:
    """The options of a gateway of the cluster at the Redis `store`; its key is in `folder`."""
    return (
        f"--cluster=redis://127.0.0.1:{store}",
        f"--cluster-key-file={folder}/key",
        f"--gateway-name=g{number}",
        f"--state-dir={folder}/{number}",
    )


@contextmanager
def cluster(count: int, peer: str = "") -> Iterator[list[Server]]:
    """Redis, and then `count` gateways, or servers by the command `peer`."""
    with ExitStack() as stack:
        store = stack.enter_context(redis())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "key").write_text(secrets.token_hex(32))
        servers = [store]
        for number in range(count):
            if peer:
                port = free_port()
                text = peer.replace("PORT", str(port)).replace("REDIS", str(store.port))
                command = shlex.split(text)
                pid = stack.enter_context(process(command, port, dict(os.environ)))
                servers.append(Server(port, pid, f"peer {number + 1}"))
            else:
                options = member(number + 1, store.port, folder)
                servers.append(stack.enter_context(running(*options)))
        yield servers


@contextmanager
def alone() -> Iterator[list[Server]]:
    """One gateway that is in no cluster; there is no Redis."""
    with gateway() as server:
        yield [server, server]


def saturated(
    servers: Sequence[Server], subscribers: int, seconds: float
) -> tuple[int, list[float], float]:
    """Deliveries, seconds of CPU of each server, and elapsed seconds."""
    ports = [server.port for server in servers[1:]]
    crowd, publisher = Crowd(ports, subscribers), Client(ports[0])
    sent = delivered = 0
    begin = time.monotonic() + WARM
    cpu: list[float] = []
    while (now := time.monotonic()) < begin + seconds:
        if now >= begin and not cpu:
            delivered, cpu = crowd.count, [server.cpu() for server in servers]
            begin = now
        while sent * subscribers - crowd.count < WINDOW * subscribers:
            publisher.socket.send(event(f"C{sent % 300}", SIZE))
            sent += 1
        crowd.read(1)
    used = [server.cpu() - before for server, before in zip(servers, cpu, strict=True)]
    return crowd.count - delivered, used, time.monotonic() - begin


def steady(servers: Sequence[Server], subscribers: int, rate: float, seconds: float) -> Crowd:
    """The crowd after so many seconds."""
    ports = [server.port for server in servers[1:]]
    crowd, publisher = Crowd(ports, subscribers), Client(ports[0])
    sent, start = 0, time.monotonic()
    is_warm = False
    while (now := time.monotonic()) < start + WARM + seconds:
        if not is_warm and now > start + WARM:
            is_warm = True
            crowd.forget()
        while sent < (now - start) * rate:
            publisher.socket.send(event(f"C{sent % 300}", SIZE))
            sent += 1
        crowd.read(max(0.0, sent / rate - (time.monotonic() - start)))
    return crowd


Start = Callable[[], AbstractContextManager[list[Server]]]

# -- scenarios ----------------------------------------------------------------------------------


def run_saturated(seconds: float, peer: str) -> None:
    """Print deliveries and CPU for 100 subscribers."""
    print("| | events/s | deliveries/s | us a delivery, all servers |\n|---|---|---|---|")
    for what, start in _choices((2, 4), peer):
        with start() as servers:
            count, used, elapsed = saturated(servers, 100, seconds)
        total = sum(used) if servers[0] is not servers[1] else used[0]
        print(
            f"| {what} | {count / 100 / elapsed:,.0f} | {count / elapsed:,.0f}"
            f" | {total / count * 1e6:.2f} |",
            flush=True,
        )


def run_cost(seconds: float, peer: str) -> None:
    """Print what each process uses for 10 subscribers."""
    print("| | events/s | us an event: Redis, publisher's, others' |\n|---|---|---|")
    for what, start in _choices((2,), peer):
        with start() as servers:
            count, used, elapsed = saturated(servers, 10, seconds)
        events = count / 10
        parts = used if servers[0] is not servers[1] else used[1:]
        cells = ", ".join(f"{each / events * 1e6:.1f}" for each in parts)
        print(f"| {what} | {events / elapsed:,.0f} | {cells} |", flush=True)


def run_steady(seconds: float, peer: str) -> None:
    """Print how long events take at 200/s."""
    print("| | p50 near, ms | p50 far, ms |\n|---|---|---|")
    for what, start in _choices((2, 4), peer):
        with start() as servers:
            crowd = steady(servers, 20, 200, seconds)
        near, far = [f"{median(each.late):.2f}" if each.late else "" for each in crowd.groups]
        print(f"| {what} | {near} | {far} |", flush=True)


def run_order(events: int, peer: str) -> None:
    """Print how many events stand at another place for a subscriber elsewhere."""
    print("| | events | at another place |\n|---|---|---|")
    for what, start in _choices((4,), peer)[1:]:
        with start() as servers:
            ports = [server.port for server in servers[1:]]
            publishers = [Client(port) for port in ports]
            epoll, clients = select.epoll(), [Client(port) for port in ports]
            heard: dict[int, list[bytes]] = {each.socket.fileno(): [] for each in clients}
            by_file = {each.socket.fileno(): each for each in clients}
            for descriptor in heard:
                epoll.register(descriptor, select.EPOLLIN)
            sent = 0
            while min(map(len, heard.values())) < events:
                while sent < events and sent - min(map(len, heard.values())) < 4 * WINDOW:
                    publishers[sent % 4].socket.send(event(f"C{sent}", SIZE))
                    sent += 1
                for publisher in publishers:
                    publisher.read()
                for descriptor, _ in epoll.poll(1):
                    messages = by_file[descriptor].read()
                    heard[descriptor] += [each for each in messages if each.startswith(b"42")]
        first, *others = heard.values()
        wrong = sum(len(set(each)) > 1 for each in zip_longest(first, *others))
        print(f"| {what} | {events:,} | {wrong:,} |", flush=True)


def _choices(counts: Sequence[int], peer: str) -> list[tuple[str, Start]]:
    """What is measured in turns: names, and what starts each."""
    found: list[tuple[str, Start]] = [("1 gateway, no cluster", alone)]
    for count in counts:
        found.append((f"{count} gateways", partial(cluster, count)))
        if peer:
            found.append((f"{count} peers", partial(cluster, count, peer)))
    return found


SCENARIOS = {"saturated": run_saturated, "cost": run_cost, "steady": run_steady}


def main(arguments: Sequence[str]) -> int:
    """Run what is named, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster")
    parser.add_argument("scenario", nargs="*", choices=[*SCENARIOS, "order", []])
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--peer", default="")
    given = parser.parse_args(arguments)
    raise_descriptor_limit()
    for name in given.scenario or [*SCENARIOS, "order"]:
        print(f"\n{name}, load {psutil.getloadavg()[0]:.1f}\n")
        if name == "order":
            run_order(given.events, given.peer)
        else:
            SCENARIOS[name](given.seconds, given.peer)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
