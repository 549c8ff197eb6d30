"""What recording, bars and the memory over a restart cost: `python -m benchmarks.taps`.

Their taps get events of 300 codes, one or ten at once, 1,000 a second, as the end of a turn would
give them; their threads write meanwhile.  Printed is the time of the
calling thread, in us an event, and of the same loop with no tap and with one that does nothing:
between two events the processor does other things, so that even a call of nothing costs.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

import orjson

from gateway.app.memory_files import MemoryFiles
from gateway.engineio.packet import Packet
from gateway.history.bar_service import BarService, BarSettings
from gateway.history.event_thread import LOOK, EventThread
from gateway.history.recording import Recording
from gateway.history.recordings_folder import RecordSettings
from gateway.market.hours import TAIPEI, Calendar
from gateway.relay.event import Event, Subject
from gateway.relay.log import Log
from gateway.relay.memory import Memory

CODES = 300
SECONDS = 1.5
"""Length of one measurement; those of the kinds take turns."""
ROUNDS = 7

Taps = Sequence[Callable[[Sequence[Event]], object]]


class NoState:
    """A relay without values and clients."""

    def snapshot(self) -> Sequence[Event]:
        return ()

    def notes(self) -> dict[str, bytes]:
        return {}


class NoReactor:
    """Nothing has to happen on the reactor here."""

    def callFromThread(self, *_: object) -> None: ...

    def callLater(self, *_: object) -> None: ...


def ticks() -> Iterator[Event]:
    for number in count():
        wall = time.time()
        code = f"C{number % CODES}"
        tick = {
            "code": code,
            "datetime": datetime.fromtimestamp(wall, TAIPEI).isoformat(),
            "price": 100 + number % 7,
            "volume": 1,
            "total_volume": number // CODES + 1,
        }
        text = b"42" + orjson.dumps(["market_tick", tick])
        subject = Subject("market_tick", code, None)
        yield Event((Packet(text),), None, subject, trusted=True, wall=wall)


def measured(
    events: Iterator[Event],
    log: Log,
    taps: Taps,
    listeners: Any,
    threads: list[EventThread],
    *,
    batch: int,
) -> float:
    """Time of this thread in us an event."""
    used, taken, end = 0.0, 0, time.monotonic() + SECONDS
    due = dict.fromkeys(threads, 0.0)
    for thread in threads:
        thread.hand_over()  # what is left of the measurement before
    while time.monotonic() < end:
        time.sleep(0.001 * batch)
        turn = [next(events) for _ in range(batch)]
        for event in turn:
            log.extend([event])  # which gives it its place
        begin = time.thread_time()
        for event in turn:  # as `Hub.enter` does
            for listener in listeners.get(event.name, ()):
                listener(event)
        for tap in taps:  # as `Log.flush` does
            tap(turn)
        used += time.thread_time() - begin
        log.flushed = log.head
        log.trim()
        taken += batch
        for thread, at in due.items():
            if time.monotonic() >= at:
                due[thread] = time.monotonic() + LOOK
                begin = time.thread_time()
                thread.look()
                used += time.thread_time() - begin
    return used / taken * 1e6


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        calendar, reactor, root = Calendar(), NoReactor(), Path(folder)
        settings = RecordSettings(folder=root / "recordings")
        recording = Recording(settings, calendar.trading_part, reactor, version="0")
        bars = BarService(BarSettings(path=root / "bars.db"), calendar, reactor)
        recording.start()
        bars.start()
        log = Log("", max_bytes=8 << 20, max_records=20_000)
        files = MemoryFiles(root, 0, "boot")
        files.lock()
        memory = Memory("/", log, NoState(), files, log.max_bytes)
        memory.open()
        threads = {"recording": [recording.tap], "both": [recording.tap, bars.tap]}
        events = ticks()
        for batch in (1, 10):
            found: dict[str, list[float]] = {}
            for _ in range(ROUNDS):
                for kind in ("no tap", "nothing", "memory", "recording", "both"):
                    used = threads.get(kind, [])
                    taps: Any = [lambda _: None] if kind == "nothing" else []
                    if kind == "memory":
                        taps = [memory.collect]
                    if recording.tap in used:
                        taps = [recording.tap.collect]
                    listeners = {}
                    if bars.tap in used:
                        listeners["market_tick"] = [bars.tap.collect_one]
                    cost = measured(events, log, taps, listeners, used, batch=batch)
                    found.setdefault(kind, []).append(cost)
            told = (f"{kind} {median(costs):.2f}" for kind, costs in found.items())
            print(f"{batch} an event loop turn, us an event: {', '.join(told)}", flush=True)
        memory.close()
        for stop in (recording.tap.stop, bars.tap.stop):
            stop(lambda: None)
        time.sleep(2)  # they write their last


if __name__ == "__main__":
    main()
