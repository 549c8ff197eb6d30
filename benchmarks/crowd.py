"""Many stock clients, and how a restart of their gateway looks to them."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
import time
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from tests.interop.node import HERE, node_modules, require_node

STREAM = """
import os, sys, time, socketio

client = socketio.Client(handle_sigint=False)
client.connect(os.environ["GATEWAY_URL"], wait_timeout=30)
client.emit("python_status", {"status": "ready"})
rate = float(sys.argv[1])
name = sys.argv[2] if len(sys.argv) > 2 else "tick"
number = int(time.time() * rate)  # no later worker uses a number again
try:
    while True:
        time.sleep(0.004)
        while number < time.time() * rate:
            number += 1
            try:
                client.emit(name, {"code": f"C{number % 100}", "seq": number})
            except socketio.exceptions.BadNamespaceError:
                pass
except KeyboardInterrupt:
    client.disconnect()
"""
"""A worker with the stock client: what it emits without a connection is dropped."""

KINDS = {
    "websocket": ["websocket"],
    "polling": ["polling"],
    "upgraded": ["polling", "websocket"],
}
WAIT = 120.0
"""Seconds after which whatever is waited for will not come."""
SHOWN = 5
"""Clients of which it is told what they tried."""


def plan(number: int, *, recovering: bool = False) -> list[dict[str, Any]]:
    """So many clients: each kind, every other one recovering, or all of them."""
    kinds = [(kind, recover) for kind in KINDS for recover in (True, recovering)]
    return [
        {
            "name": f"{kind}, {'recovering' if recover else 'not recovering'}",
            "transports": KINDS[kind],
            "auth": {"recover": True} if recover else {},
        }
        for (kind, recover), _ in zip(cycle(kinds), range(number), strict=False)
    ]


@dataclass(frozen=True)
class Seen:
    """What one kind of clients saw; seconds."""

    name: str
    clients: int
    silence: float
    """The longest of any of them."""
    median: float
    lost: int
    doubled: int
    recovered: int
    refused: int
    course: str
    """What the one with the longest silence did in it, in seconds after the end of the gateway."""

    def __str__(self) -> str:
        return (
            f"{self.clients:3} x {self.name:<25} silence {self.median:.2f} s (median),"
            f" {self.silence:.2f} s (longest); {self.lost} lost, {self.doubled} doubled,"
            f" {self.recovered} recovered, {self.refused} refused; the slowest: {self.course}"
        )


class _Process:
    """A process of clients of the gateway at `url`, which `runtime` runs."""

    def __init__(self, runtime: str, url: str, clients: list[dict[str, Any]]) -> None:
        self._process = subprocess.Popen(
            [runtime, str(HERE / "agents" / "crowd.mjs"), url, json.dumps(clients)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "NODE_PATH": str(node_modules())},
        )
        self.pid = self._process.pid
        self._said: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._said.put(json.loads(line))

    def hear(self) -> dict[str, Any]:
        """What it says next: first that all of them are connected."""
        return self._said.get(timeout=WAIT)

    def tell(self, command: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([command]) + "\n")
        self._process.stdin.flush()

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(WAIT)
        self._process.stdout.close()


class Crowd:
    """Processes of `number` clients of the gateway at `url`.

    Node.js runs them; a `runtime`, where there is one, those that use WebSockets from the start.
    `recovering`: all of them do, and not only every other one.
    """

    def __init__(
        self, url: str, number: int, runtime: str = "", *, recovering: bool = False
    ) -> None:
        parts: dict[str, list[dict[str, Any]]] = {}
        for client in plan(number, recovering=recovering):
            others = runtime if client["transports"] == KINDS["websocket"] else ""
            parts.setdefault(others or require_node(), []).append(client)
        self._processes = [_Process(each, url, clients) for each, clients in parts.items()]
        for process in self._processes:
            process.hear()

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self._processes]

    def mark(self) -> None:
        """Silence is measured from now on."""
        for process in self._processes:
            process.tell("mark")

    def report(self) -> list[dict[str, Any]]:
        for process in self._processes:
            process.tell("report")
        return [each for process in self._processes for each in process.hear()["report"]]

    def settled(self) -> list[dict[str, Any]]:
        """The reports, once each has heard what any had heard by now.  Raises TimeoutError."""
        past, deadline = max(map(newest, self.report())), time.monotonic() + WAIT
        while late := [each for each in self.report() if newest(each) <= past]:
            if time.monotonic() > deadline:
                some = [f"{each['name']}: {each['course']}" for each in late[:SHOWN]]
                raise TimeoutError("\n".join([f"{len(late)} did not come back:", *some]))
            time.sleep(0.2)
        return self.report()

    def close(self) -> None:
        for process in self._processes:
            process.close()


def newest(report: dict[str, Any]) -> int:
    """The number of the newest event that a client has heard; -1: none."""
    return max((last for _, last in report["ranges"]), default=-1)


def judged(reports: list[dict[str, Any]], end: float) -> list[Seen]:
    """What each kind saw of an end of the gateway at `end`, in seconds since 1970.

    Lost is, for a recovering client, what another one heard.
    """
    heard = [_numbers(each) for each in reports]
    horizon = min(max(each) for each in heard)
    recovering = ["not" not in each["name"] for each in reports]
    there = {n for each, counts in zip(heard, recovering, strict=True) if counts for n in each}
    seen = []
    for name in dict.fromkeys(each["name"] for each in reports):
        mine = [at for at, each in enumerate(reports) if each["name"] == name]
        lost = sum(
            sum(min(heard[at]) <= n <= horizon for n in there - heard[at])
            for at in mine
            if recovering[at]
        )
        silences = sorted(reports[at]["silence"] for at in mine)
        slowest = max((reports[at] for at in mine), key=lambda each: each["silence"])
        seen.append(
            Seen(
                name,
                len(mine),
                silences[-1],
                silences[len(silences) // 2],
                lost,
                sum(reports[at]["doubled"] for at in mine),
                sum(reports[at]["recovered"] for at in mine),
                sum(len(reports[at]["refused"]) for at in mine),
                ", ".join(f"{what} {when - end:.2f}" for what, when in slowest["course"]),
            )
        )
    return seen


def _numbers(report: dict[str, Any]) -> set[int]:
    return {n for first, last in report["ranges"] for n in range(first, last + 1)}
