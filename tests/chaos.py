"""One worker in a cluster to which everything happens: `python -m tests.chaos --seed 1`.

Three gateways, each behind a proxy of its own to one Redis, and workers of which some ignore every
signal but SIGKILL.  Gateways are killed, stopped, ended and cut off; Redis is killed, emptied, and
comes back with an older state.  Fails when two workers were ever logged in at once, or when one was
too seldom.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import selectors
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from threading import Thread

from benchmarks.successors import ROOT, Gateway, Place
from tests.cluster.servers import RedisServer
from tests.interop.test_adoption import forked

LEASE = 4.0
LOOK = 0.1
FAULTS = (
    *("kill", "stop", "end", "hand-over", "partition", "cut"),
    *("redis dies", "redis hangs", "wipe", "rollback"),
)


class Proxy:
    """Passes on what a gateway and Redis say; `holds`: it waits meanwhile, and comes late."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._other: dict[socket.socket, socket.socket] = {}
        self.holds = self.cuts = self.over = False
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self.over:
            if self.cuts:
                self.cuts = False
                for end in list(self._other):
                    self._drop(end)
            for key, _ in self._selector.select(0.02):
                if key.fileobj is self._listener:
                    self._accept()
                elif not self.holds and key.fileobj in self._other:
                    self._pass(key.fileobj)
            if self.holds:
                time.sleep(0.02)

    def _accept(self) -> None:
        end, _ = self._listener.accept()
        try:
            other = socket.create_connection(("127.0.0.1", self._to), 1)
        except OSError:
            end.close()
            return
        for one, two in ((end, other), (other, end)):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._other[one] = two
            self._selector.register(one, selectors.EVENT_READ)

    def _pass(self, end: socket.socket) -> None:
        try:
            data = end.recv(65536)
            if data:
                self._other[end].sendall(data)
                return
        except OSError:
            pass
        self._drop(end)

    def _drop(self, end: socket.socket) -> None:
        other = self._other.pop(end, None)
        for each in (end, other) if other is not None else ():
            self._other.pop(each, None)
            with suppress(KeyError, ValueError):
                self._selector.unregister(each)
            each.close()

    def close(self) -> None:
        self.over = True
        self._thread.join()


class Machine:
    """A gateway, its place and its way to Redis."""

    def __init__(self, name: str, folder: Path, redis: RedisServer) -> None:
        self.proxy = Proxy(redis.port)
        own = folder / name
        own.mkdir()
        self.place = Place(
            own,
            ROOT / "tests" / "children" / "lonely.py",
            *("--fatal-after=0", "--budget=1000000", "--keep-worker=2"),
            f"--cluster=redis://127.0.0.1:{self.proxy.port}",
            f"--cluster-key-file={folder / 'key'}",
            *(f"--gateway-name={name}", f"--cluster-lease={LEASE:.0f}"),
            environ={"CHAOS": str(folder), "RESTARTS": str(own)},
            launch=forked,
        )
        self.gateway: Gateway = self.place.gateway()


class Chaos:
    """Three machines, one Redis, and what happened."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.folder = Path(tempfile.mkdtemp(prefix="chaos-"))
        (self.folder / "key").write_text("k" * 64)
        self.redis = RedisServer()
        self.saved: Path | None = None
        self.faults: Counter[str] = Counter()
        self.up = self.looks = 0
        self.over = False
        self.began = 0.0
        self.redis.vacate()
        self.machines = [Machine(name, self.folder, self.redis) for name in "abc"]

    def run(self, seconds: float) -> None:
        """Let things happen for so long, from the first login on."""
        while not self.journal("login"):
            time.sleep(LOOK)
        self.began = time.monotonic()
        watcher = Thread(target=self.watch)
        watcher.start()
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end:
                time.sleep(self.random.uniform(0.4, 2.4) * LEASE)
                fault = self.random.choice(FAULTS)
                self.faults[fault] += 1
                self.happen(fault)
                if self.random.random() < 0.3:
                    self.save()
        finally:
            self.over = True
            watcher.join()

    def happen(self, fault: str) -> None:
        """One thing that goes wrong, until it is mended."""
        machine = self.random.choice(self.machines)
        self.tell(f"{fault} {machine.place.folder.name}")
        gateway, lasts = machine.gateway, self.random.uniform(0.3, 2.0) * LEASE
        if fault == "kill":
            gateway.kill()
            time.sleep(self.random.choice([0.0, lasts]))
            machine.gateway = machine.place.gateway()
        elif fault == "end":
            gateway.close()
            machine.gateway = machine.place.gateway()
        elif fault == "stop":
            gateway.process.send_signal(signal.SIGSTOP)
            time.sleep(lasts)
            gateway.process.send_signal(signal.SIGCONT)
        elif fault == "hand-over":
            gateway.hand_over()
        elif fault == "partition":
            machine.proxy.holds = True
            time.sleep(lasts)
            machine.proxy.holds = False
            machine.proxy.cuts = self.random.random() < 0.5
        elif fault == "cut":
            machine.proxy.cuts = True
        elif fault == "redis dies":
            self.redis.kill()
            time.sleep(self.random.choice([0.0, lasts]))
            self.redis.start()
        elif fault == "redis hangs":
            self.redis.signal(signal.SIGSTOP)
            time.sleep(lasts)
            self.redis.signal(signal.SIGCONT)
        elif fault == "wipe":
            self.redis.ask("FLUSHALL")
        else:
            self.roll_back()

    def tell(self, what: str) -> None:
        """For whoever looks into what went wrong: what, when, and how often a worker was there."""
        passed = time.monotonic() - self.began
        print(f"{passed:6.1f} s  {self.up}/{self.looks}  {what}", file=sys.stderr, flush=True)

    def save(self) -> None:
        """Keep what Redis has on the disk now, for a later fault."""
        self.saved = self.folder / "saved"
        shutil.rmtree(self.saved, ignore_errors=True)
        shutil.copytree(self.redis.folder / "appendonlydir", self.saved)

    def roll_back(self) -> None:
        """Redis comes back with what it had some time ago."""
        self.redis.kill()
        if self.saved is not None:
            shutil.rmtree(self.redis.folder / "appendonlydir")
            shutil.copytree(self.saved, self.redis.folder / "appendonlydir")
        self.redis.start()

    def watch(self) -> None:
        """Count how often a worker is logged in."""
        while not self.over:
            logins = self.journal("login")
            self.looks += 1
            if logins:
                with suppress(OSError):
                    words = Path(f"/proc/{logins[-1]['pid']}/stat").read_text().split()
                    self.up += words[2] != "Z"
            time.sleep(LOOK)

    def journal(self, what: str) -> list[dict[str, float]]:
        """What the workers have noted."""
        path = self.folder / "journal"
        lines = path.read_text().splitlines() if path.exists() else []
        return [entry for entry in map(json.loads, lines) if entry["what"] == what]

    def close(self) -> None:
        """Nothing is left."""
        for machine in self.machines:
            with suppress(ProcessLookupError):
                machine.gateway.process.send_signal(signal.SIGCONT)
            machine.gateway.close()
            machine.proxy.close()
            for process in machine.place.family():
                with suppress(Exception):
                    process.kill()
        self.redis.close()
        shutil.rmtree(self.folder)


def main() -> int:
    parser = argparse.ArgumentParser(description="Everything happens to a cluster.")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument(
        "--enough", type=float, default=0.6, help="share of the time with a worker, at least"
    )
    given = parser.parse_args()
    chaos = Chaos(given.seed)
    try:
        chaos.run(given.seconds)
        doubles, logins = chaos.journal("double"), len(chaos.journal("login"))
        share = chaos.up / max(1, chaos.looks)
    finally:
        chaos.close()
    print(
        f"seed {given.seed}: {given.seconds:.0f} s, {chaos.faults.total()} faults"
        f" ({', '.join(f'{number} {what}' for what, number in sorted(chaos.faults.items()))}),"
        f" {logins} logins, a worker for {share:.0%} of the time, two at once {len(doubles)} times"
    )
    return 1 if doubles or not logins or share < given.enough else 0


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main())
