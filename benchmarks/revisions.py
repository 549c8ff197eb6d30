"""`python -m benchmarks.revisions BEFORE [AFTER] [--rounds N] [--calls]`: two checkouts in turns.

A single gateway of each folder stays up, and gets short loads in turns: 16 events in a write, and
one, to ten subscribers; the next write follows when all of them have all of it.  So a turn of the
reactor has the same events in each, and other load on the machine comes to both alike.  Printed is
the processor time of an event in the reactor's thread, and the ratio to BEFORE: of the minima, and
the median of the rounds.  BEFORE is measured against itself, too: that is what the machine does.

`--calls`: how many functions of Python and of C are called for an event instead, which depends on
no machine, and which ones changed.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.client import Client
from benchmarks.cluster_crowd import Crowd, quote
from benchmarks.command import command
from benchmarks.counting import BEGIN, END
from benchmarks.server import ROOT, Server, free_port, process, wait_healthy

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SUBSCRIBERS = 10
WRITES = {16: 80, 1: 200}
"""By the events in a write, writes of one load."""
WARM = 3
"""Loads that do not count."""
SHOWN = 20
"""Functions that are named, of those that are called more or less often."""


class Revision:
    """The gateway of the checkout `folder`; `counts` is the file where it writes its calls."""

    def __init__(self, folder: Path, server: Server, counts: Path) -> None:
        self.folder = folder
        self._server = server
        self._counts = counts
        self._crowd, self._publisher = Crowd([server.port], SUBSCRIBERS), Client(server.port)
        self._sent = 0

    def load(self, together: int) -> float:
        """Send one load; microseconds of an event."""
        before, crowd = self._server.reactor_cpu(), self._crowd
        for _ in range(WRITES[together]):
            events = [quote(self._sent + each) for each in range(together)]
            self._publisher.socket.send(b"".join(events))
            self._sent += together
            while crowd.count < self._sent * SUBSCRIBERS:
                crowd.tally(1)
        self._publisher.read()
        used = self._server.reactor_cpu() - before
        return used / WRITES[together] / together * 1e6

    def calls(self, together: int) -> dict[str, float]:
        """Calls of an event, by function."""
        self._counts.unlink(missing_ok=True)
        os.kill(self._server.pid, BEGIN)
        self.load(together)
        os.kill(self._server.pid, END)
        while not self._counts.exists():
            time.sleep(0.05)
        events = WRITES[together] * together
        counts: dict[str, int] = json.loads(self._counts.read_text())
        return {name: count / events for name, count in counts.items()}


@contextmanager
def revision(folder: Path, *, counting: bool) -> Iterator[Revision]:
    """The gateway of a checkout."""
    port = free_port()
    with tempfile.TemporaryDirectory() as state:
        counts = Path(state) / "calls.json"
        program = ["-m", "twisted"]
        if counting:
            program = [str(Path(__file__).with_name("counting.py")), str(counts)]
        options = "sjgateway", f"--port={port}", "--no-worker", f"--state-dir={state}"
        line = ["env", "-C", str(folder), sys.executable, *program, *options]
        with process(line, port) as pid:
            wait_healthy(port)
            yield Revision(folder, Server(port, pid), counts)


def compared(revisions: Sequence[Revision], together: int, rounds: int) -> None:
    """Print what an event costs in each."""
    found: list[list[float]] = [[] for _ in revisions]
    for number in range(rounds):
        order = list(zip(revisions, found, strict=True))
        for each, costs in order[:: -1 if number % 2 else 1]:
            costs.append(each.load(together))
    first = found[0]
    for each, costs in zip(revisions, found, strict=True):
        ratio = median(mine / other for mine, other in zip(costs, first, strict=True))
        print(
            f"| {together} | {each.folder} | {min(costs):.1f} | {median(costs):.1f}"
            f" | {min(costs) / min(first):.3f} | {ratio:.3f} |",
            flush=True,
        )


def counted(revisions: Sequence[Revision], together: int) -> None:
    """Print how many calls an event takes in each, and what changed."""
    found = [Counter[str](each.calls(together)) for each in revisions]
    for each, calls in zip(revisions, found, strict=True):
        python = sum(count for name, count in calls.items() if name.startswith("python "))
        print(f"| {together} | {each.folder} | {python:.1f} | {calls.total() - python:.1f} |")
    before, after = found[0], found[-1]
    change = {name: after[name] - before[name] for name in before | after}
    largest = sorted(change, key=lambda name: -abs(change[name]))[:SHOWN]
    for name in largest:
        print(f"    {change[name]:+.2f} {name}", flush=True)


def main(arguments: Sequence[str]) -> int:
    """Print the tables."""
    parser = command("revisions", __doc__)
    parser.add_argument("before", type=Path, metavar="BEFORE")
    parser.add_argument("after", type=Path, nargs="?", default=ROOT, metavar="AFTER")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--calls", action="store_true")
    given = parser.parse_args(arguments)
    folders = [given.before, given.after] if given.calls else [given.before] * 2 + [given.after]
    with ExitStack() as stack:
        revisions = [
            stack.enter_context(revision(folder, counting=given.calls)) for folder in folders
        ]
        columns = (
            "python | C" if given.calls else "us, least | median | ratio of the least | median"
        )
        print(f"| in a write | | {columns} |\n{'|---' * (columns.count('|') + 3)}|")
        for together in WRITES:
            for each in revisions * WARM:
                each.load(together)
            if given.calls:
                counted(revisions, together)
            else:
                compared(revisions, together, given.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
