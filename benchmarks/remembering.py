"""What a start costs that finds a full memory: `python -m benchmarks.remembering`.

A log of ticks of 300 codes is filled to its bounds twice, one or ten events a turn, and left as by
kill -9.  Printed is CPU in ms: to read the file, to know what it says, and to have a new one in its
place, as every start does before anybody can connect; and to make all events, which only clients
ask for that have missed all of them.
"""

from __future__ import annotations

import time
from itertools import islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.taps import NoState, ticks
from gateway.app.memory_files import MemoryFiles
from gateway.app.memory_service import RelayMemory
from gateway.engineio.deadlines import Deadlines
from gateway.relay.log import Log
from gateway.relay.memory import Memory
from gateway.relay.relay import Relay
from gateway.relay.settings import RelaySettings
from tests.relay.world import Watcher, market

ROUNDS = 15
PORT = 0


def leave(folder: Path, settings: RelaySettings, batch: int) -> None:
    """Fill the memory in `folder`, `batch` events a turn, and leave it."""
    log = Log("E", max_bytes=settings.log_bytes, max_records=settings.log_records)
    log.retain = True
    files = MemoryFiles(folder, PORT, "boot")
    files.lock()
    memory = Memory("/", log, NoState(), files, settings.log_bytes)
    memory.open()
    memory.sign(int(time.time() * 1000))
    log.taps.append(memory.collect)
    events = ticks()
    while log.start_of(log.head) < 2 * settings.log_bytes:
        log.extend([*islice(events, batch)])
        log.flush()
        log.trim()
    files.close()


def started(folder: Path, settings: RelaySettings) -> tuple[RelayMemory, Relay]:
    relay = Relay(settings, Deadlines(time.monotonic), _never, Watcher(), wall=time.time)  # type: ignore[no-untyped-call]
    files = MemoryFiles(folder, PORT, "boot")
    memory = RelayMemory(files, relay, settings, marks=("demo",), supervised=True, wall=time.time)
    memory.startService()
    return memory, relay


def _never(seconds: float, callback: Any) -> None:
    """Nothing happens later."""


def main() -> None:
    settings = RelaySettings(**market())
    for batch in (1, 10):
        with TemporaryDirectory() as name:
            folder = Path(name)
            leave(folder, settings, batch)
            starts, recalls, count = [], [], 0
            for _ in range(ROUNDS):
                begin = time.process_time()
                memory, relay = started(folder, settings)
                starts.append(time.process_time() - begin)
                count = memory.status.events
                begin = time.process_time()
                relay.hubs["/"].log.recall()
                recalls.append(time.process_time() - begin)
                memory._files.close()
        told = [
            f"{median(each) * 1000:.1f} ms ({min(each) * 1000:.1f} at best)"
            for each in (starts, recalls)
        ]
        print(f"{batch} an event loop turn, {count} events: start {told[0]}, all events {told[1]}")


if __name__ == "__main__":
    main()
