"""`python -m benchmarks.cluster_worker [--rounds N] [--lease S] [fault ...]`: who is next.

Two gateways with one log run main.py with a broker that notes each call.  Each round does one
thing to the gateway that has the worker:

    ends         SIGTERM
    hands over   SIGUSR2: it goes on as a new program
    returns      kill -9, and it is started again at once
    is killed    kill -9, and it comes back when another one has the worker
    is cut off   what it and Redis say is held back, as by a network that is gone

Printed is, for each, when the worker had logged out, when the process of the next one was there,
and when that one logged in; in seconds after what was done, or after the logout.
"""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from benchmarks.account import KEEP, account, journal
from benchmarks.command import command
from gateway.cluster.terms import Terms
from tests.chaos import Proxy
from tests.cluster.servers import RedisServer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.successors import Gateway, Place

FAULTS = ("ends", "hands over", "returns", "is killed", "is cut off")
WAIT = 180.0
"""Seconds after which the next worker will not come."""


class Member:
    """A gateway, its place, and its way to Redis."""

    def __init__(self, name: str, folder: Path, redis: RedisServer, lease: float) -> None:
        own = folder / name
        own.mkdir()
        self.name = name
        self.proxy = Proxy(redis.port)
        self.place: Place = account(
            own,
            f"--cluster=redis://127.0.0.1:{self.proxy.port}",
            f"--cluster-key-file={folder / 'key'}",
            f"--gateway-name={name}",
            f"--cluster-lease={lease:.0f}",
            STAND_IN_ACCOUNT=str(folder / "account"),
            STAND_IN_JOURNAL=str(folder / "journal"),
        )
        self.gateway: Gateway = self.place.gateway()

    def has_worker(self) -> dict[str, Any] | None:
        """What it tells when it has a worker that is ready."""
        told = self.place.status()
        well = told.get("ready") and told["cluster"]["worker"] == self.name
        return told if well else None

    def close(self) -> None:
        self.gateway.close()
        self.proxy.close()
        for process in self.place.family():
            with suppress(psutil.Error):
                process.kill()


class Pair:
    """Two of them, of which one has the worker."""

    def __init__(self, folder: Path, lease: float, stack: ExitStack) -> None:
        self.folder = folder
        self.terms = Terms(lease)
        (folder / "key").write_text(secrets.token_hex(32))
        redis = RedisServer()
        stack.callback(redis.close)
        redis.vacate()
        self.holder, self.other = (self._member(name, redis, stack) for name in "ab")

    def _member(self, name: str, redis: RedisServer, stack: ExitStack) -> Member:
        member = Member(name, self.folder, redis, self.terms.lease)
        stack.callback(member.close)
        if name == "a":
            member.place.until("worker", member.has_worker, WAIT)
        return member

    def round(self, fault: str) -> str:
        """Do it once; what came of it, as a row."""
        holder = self.holder
        before = holder.place.until("worker", holder.has_worker, WAIT)
        self.other.place.until("the other one", lambda: self._sees(2), WAIT)
        logins = len(self.calls("login"))
        done = time.time()
        if fault in ("returns", "hands over"):
            self._renew(holder, fault)
            after = holder.place.until("worker", holder.has_worker, WAIT)
            new = len(self.calls("login")) - logins
            kept = "the same worker" if after["pid"] == before["pid"] else "ANOTHER WORKER"
            return f"| {fault} | {time.time() - done:.2f} | {kept}, {new} logins | | |"
        if fault == "ends":
            holder.gateway.process.terminate()
        elif fault == "is killed":
            holder.gateway.kill()
        else:
            holder.proxy.holds = True
        after = self.other.place.until("worker", self.other.has_worker, WAIT)
        out, login = (self.calls(call)[-1]["time"] for call in ("logged out", "login"))
        start = born(after["pid"])
        holder.proxy.holds = False
        if holder.gateway.process.poll() is None and fault != "is cut off":
            holder.gateway.process.wait(WAIT)
        if holder.gateway.process.poll() is not None:
            holder.gateway = holder.place.gateway()
        self.holder, self.other = self.other, holder
        return (
            f"| {fault} | {out - done:.2f} | {start - out:.2f} | {start - done:.2f}"
            f" | {login - out:.2f} |"
        )

    def _renew(self, holder: Member, fault: str) -> None:
        """Let the gateway go on as another process, or as another program."""
        if fault == "returns":
            holder.gateway.kill()
            holder.gateway = holder.place.gateway()
        else:
            starts = holder.gateway.starts
            holder.gateway.hand_over()
            holder.place.until("hand-over", lambda: holder.gateway.starts > starts, WAIT)

    def _sees(self, number: int) -> bool:
        """Whether the gateway without the worker sees so many members, and has seen the lease."""
        told = self.other.place.status().get("cluster", {})
        return len(told.get("members", ())) == number and told["worker"] == self.holder.name

    def calls(self, call: str) -> list[dict[str, Any]]:
        """What the broker has noted."""
        return journal(self.folder, call)


def born(pid: int) -> float:
    """When a process was made, in seconds since 1970, to a hundredth."""
    text = Path(f"/proc/{pid}/stat").read_text("ascii")
    ticks = int(text.rpartition(")")[2].split()[19])
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    return time.time() - age


def main(arguments: Sequence[str]) -> int:
    """Run it; the exit status is 1 if two workers were ever logged in at once."""
    parser = command("cluster_worker", __doc__)
    parser.add_argument("fault", nargs="*", choices=[*FAULTS, []], metavar="fault")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lease", type=float, default=45)
    given = parser.parse_args(arguments)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        pair = Pair(folder, given.lease, stack)
        print(f"lease {given.lease:.0f} s, a beat {pair.terms.beat:.1f} s, --keep-worker {KEEP}\n")
        print(
            "| the gateway | logged out | next one there, after that | in all | login, after out |"
        )
        print("|---|---|---|---|---|")
        for fault in given.fault or FAULTS:
            for _ in range(given.rounds):
                print(pair.round(fault), f"load {psutil.getloadavg()[0]:.0f}", flush=True)
        doubles = pair.calls("double")
    print(f"\ntwo at once: {len(doubles)} times")
    return int(bool(doubles))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
