"""`python -m benchmarks.restarts`: what ends of the gateway cost its worker and its clients.

    hand-overs   so many hand-overs of a gateway with a broker's account, at random moments
    kills        so many kill -9, with one or two successors, or one that is killed, too
    crowd        many stock clients at many events a second, over a hand-over, and over kill -9
                 with an immediate restart, without and with a socket that is held meanwhile

It needs Linux, psutil, `python-socketio[client]`, Node.js and npm.
"""

from __future__ import annotations

import compileall
import random
import sys
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from benchmarks.account import Account, account
from benchmarks.command import command
from benchmarks.crowd import STREAM, Crowd, Seen, judged
from benchmarks.successors import ROOT, Place

AFTERWARDS = 6.0
"""Seconds in which clients come back."""


def ends(end: str, rounds: int, seed: int) -> list[str]:
    """So many ends of a gateway; what was wrong."""
    with TemporaryDirectory() as folder:
        trial = Account(account(Path(folder)), seed)
        try:
            for number in range(rounds):
                trial.round(number, end)
            seconds = trial.end()
        finally:
            trial.close()
    print(
        f"{rounds} x {end}: the worker was kept {trial.kept} times, {trial.replaced} logins in"
        f" place of others, {trial.forgot} times without the posted keys, {len(trial.wrong)} things"
        f" wrong; after the last end all was gone in {seconds:.1f} s"
    )
    return trial.wrong


def crowd(
    end: str, clients: int, rate: float, *, held: bool = False, runtime: str = ""
) -> tuple[list[Seen], bool]:
    """What `clients` see of one end of a gateway at `rate` events/s; was the worker kept?"""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "main.py").write_text(STREAM)
        place = Place(folder, folder / "main.py", f"--worker-args={rate}", held=held)
        gateway = place.gateway()
        try:
            place.until("worker", lambda: place.status().get("state") == "running")
            there = Crowd(place.url, clients, runtime)
            time.sleep(2)
            pid = place.status()["pid"]
            there.mark()
            ended, used = time.time(), _used(gateway.process.pid)
            if end == "hand-over":
                before = gateway.starts
                gateway.hand_over()
                place.until("hand-over", lambda: gateway.starts > before)
            else:
                gateway.kill()
                ended, used = time.time(), 0.0
                gateway = place.gateway()
            others, own = sum(map(_used, there.pids)), _used(pid)
            time.sleep(AFTERWARDS)
            print(
                f"CPU in {AFTERWARDS} s: the gateway {_used(gateway.process.pid) - used:.2f} s with"
                f" its start, the clients {sum(map(_used, there.pids)) - others:.2f} s, the"
                f" worker {_used(pid) - own:.2f} s"
            )
            seen = judged(there.settled(), ended)
            kept = place.status()["pid"] == pid
            there.close()
        finally:
            gateway.close()
    return seen, kept


def _used(pid: int) -> float:
    """Seconds of CPU that a process has had; 0 for one that is gone."""
    with suppress(psutil.NoSuchProcess):
        times = psutil.Process(pid).cpu_times()
        return float(times.user + times.system)
    return 0.0


def main(arguments: list[str]) -> int:
    """Run the parts that are named, or all; 1 when something was not as promised."""
    parser = command("restarts", __doc__)
    parser.add_argument(
        "part", nargs="*", choices=["hand-overs", "kills", "crowd", []], metavar="part"
    )
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--rate", type=float, default=500)
    parser.add_argument(
        "--runtime",
        default="",
        help="runs the clients that use WebSockets from the start, such as bun, which takes three"
        " fifths of the CPU; without it: Node.js",
    )
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    chosen = parser.parse_args(arguments)
    print(f"seed {chosen.seed}")
    compileall.compile_dir(ROOT / "gateway", quiet=1)  # as an installation has it
    wrong: list[str] = []
    for part, end in (("hand-overs", "hand-over"), ("kills", "kill")):
        if not chosen.part or part in chosen.part:
            wrong += ends(end, chosen.rounds, chosen.seed)
    if not chosen.part or "crowd" in chosen.part:
        for end, held in (("hand-over", False), ("kill", False), ("kill", True)):
            seen, kept = crowd(end, chosen.clients, chosen.rate, held=held, runtime=chosen.runtime)
            print(f"{end}{', held socket' if held else ''}; the worker was kept: {kept}")
            for kind in seen:
                print(f"  {kind}", flush=True)
    print(*wrong, sep="\n", end="")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
