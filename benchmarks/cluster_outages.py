"""`python -m benchmarks.cluster_outages [--away S ...] [--rate R] [--hang]`: Redis is killed.

Two gateways with one log.  The first one has a worker that sends ticks; half of the subscribers are
there (near), the others at the second one, which has no worker (far).  Redis is killed (with
`--hang` it is stopped) and there again so many seconds later.  Printed are, for each time: the
longest silence near and far; after how long far clients were told by `feed_status` and a balancer
by `/readyz`; how long after its return the far ones had all; events lost and heard twice by all;
whether the worker is the same.  `feed_status` tells only of markets that trade now.
"""

from __future__ import annotations

import re
import secrets
import select
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from benchmarks.client import Client
from benchmarks.command import command
from benchmarks.crowd import STREAM
from benchmarks.successors import Place
from tests.cluster.servers import RedisServer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SEQUENCE = re.compile(rb'"seq":(\d+)')
WAIT = 60.0
"""Seconds after which what is waited for will not come."""
UNAVAILABLE = 503


@dataclass
class Ear:
    """A subscriber and what it hears; times are of `time.monotonic`."""

    client: Client
    numbers: list[int] = field(default_factory=list)
    last: float = 0.0
    silence: float = 0.0
    told: float = 0.0
    """When it was told that the feed is stale; 0: it was not."""

    def listen(self) -> None:
        """Take what has come."""
        for message in self.client.read():
            now = time.monotonic()
            found = SEQUENCE.search(message)
            if found:
                self.silence = max(self.silence, now - self.last)
                self.last = now
                self.numbers.append(int(found[1]))
            elif b"feed_status" in message and b"stale" in message:
                self.told = self.told or now

    def forget(self) -> None:
        """Begin to count."""
        self.numbers.clear()
        self.last, self.silence, self.told = time.monotonic(), 0.0, 0.0


class Ears:
    """The subscribers at one gateway, or at several."""

    def __init__(self, ears: Sequence[Ear]) -> None:
        self.all = ears
        self._by_file = {each.client.socket.fileno(): each for each in ears}
        self._epoll = select.epoll()
        for descriptor in self._by_file:
            self._epoll.register(descriptor, select.EPOLLIN)

    def until(self, condition: Callable[[], bool], seconds: float = WAIT) -> None:
        """Listen until then.  Raises TimeoutError."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError("it does not come")
            for descriptor, _ in self._epoll.poll(0.02):
                self._by_file[descriptor].listen()

    def listen(self, seconds: float) -> None:
        """Listen for so long."""
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() >= end)


class Outages:
    """Redis, the two gateways, and their subscribers."""

    def __init__(self, folder: Path, rate: float, subscribers: int, stack: ExitStack) -> None:
        self.redis = RedisServer()
        stack.callback(self.redis.close)
        self.redis.vacate()
        (folder / "key").write_text(secrets.token_hex(32))
        (folder / "main.py").write_text(STREAM)
        self.places = [
            self._place(folder, "near", f"--worker-args={rate} market_tick", "--budget=1000000"),
            self._place(folder, "far", "--no-worker"),
        ]
        for place in self.places:
            stack.callback(place.gateway().close)
        near, far = self.places
        near.until("worker", lambda: near.status().get("ready"))
        far.until("gateway", lambda: far.status().get("cluster", {}).get("worker") == "near")
        ears = [[Ear(Client(place.port)) for _ in range(subscribers)] for place in self.places]
        self.near, self.far = ears
        self.ears = Ears([ear for group in ears for ear in group])
        self.pid = near.status()["pid"]

    def _place(self, folder: Path, name: str, *options: str) -> Place:
        own = folder / name
        own.mkdir()
        return Place(
            own,
            folder / "main.py",
            f"--cluster={self.redis.url}",
            f"--cluster-key-file={folder / 'key'}",
            f"--gateway-name={name}",
            *options,
        )

    def away(self, seconds: float, *, hangs: bool) -> str:
        """Redis is gone for so long; what came of it, as a row."""
        self.ears.listen(2)
        for ear in self.ears.all:
            ear.forget()
        gone = time.monotonic()
        if hangs:
            self.redis.signal(signal.SIGSTOP)
        else:
            self.redis.kill()
        refused = self._refused(gone + seconds)
        self.ears.until(lambda: time.monotonic() >= gone + seconds)
        if hangs:
            self.redis.signal(signal.SIGCONT)
        else:
            self.redis.start()
        back = time.monotonic()
        self.ears.listen(0.1)
        newest = max(ear.numbers[-1] for ear in self.near)
        self.ears.until(lambda: all(ear.numbers and ear.numbers[-1] >= newest for ear in self.far))
        caught_up = time.monotonic() - back
        self.ears.listen(2)
        return self._row(
            f"{'hung' if hangs else 'killed'}, {seconds:.0f} s", gone, refused, caught_up
        )

    def _refused(self, end: float) -> float:
        """When the far gateway first refuses new clients; 0: not before `end`."""
        while time.monotonic() < end:
            if self.places[1].ask("/readyz")[0] == UNAVAILABLE:
                return time.monotonic()
            self.ears.listen(0.05)
        return 0.0

    def _row(self, what: str, gone: float, refused: float, caught_up: float) -> str:
        all_heard = [set(ear.numbers) for ear in self.ears.all]
        first, last = max(map(min, all_heard)), min(map(max, all_heard))
        lost = sum(
            last + 1 - first - len([n for n in heard if first <= n <= last]) for heard in all_heard
        )
        twice = sum(len(ear.numbers) - len(set(ear.numbers)) for ear in self.ears.all)
        silences = [max(ear.silence for ear in group) for group in (self.near, self.far)]
        told = [ear.told for ear in self.far]
        when = f"{max(told) - gone:.2f}" if all(told) else "not told"
        kept = "the same" if self.places[0].status()["pid"] == self.pid else "ANOTHER ONE"
        return (
            f"| {what} | {silences[0]:.2f} | {silences[1]:.2f} | {when}"
            f" | {refused - gone if refused else float('nan'):.2f} | {caught_up:.2f}"
            f" | {lost} | {twice} | {kept} | {last + 1 - first} | {psutil.getloadavg()[0]:.0f} |"
        )


def main(arguments: Sequence[str]) -> int:
    """Run it."""
    parser = command("cluster_outages", __doc__)
    parser.add_argument("--away", type=float, nargs="+", default=[3, 10])
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--subscribers", type=int, default=10, help="at each gateway")
    parser.add_argument("--hang", action="store_true", help="stop Redis instead of killing it")
    given = parser.parse_args(arguments)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        outages = Outages(folder, given.rate, given.subscribers, stack)
        print(
            "| Redis | near silent, s | far silent | far told after | /readyz 503 after"
            " | far had all after its return | lost | twice | worker | events | load |"
        )
        print("|" + "---|" * 11)
        for seconds in given.away:
            print(outages.away(seconds, hangs=given.hang), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
