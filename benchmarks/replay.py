"""How exact a replay is: `python -m benchmarks.replay [--events N] [--seconds S]`.

With `max`: N events through a gateway to `tail --json`, whose lines are compared with those of the
recording, one by one.  At speed 1: S seconds of 200 events a second in bursts; printed is how much
later or earlier than the first events, by the recording's times, the others were heard.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from benchmarks.command import command
from benchmarks.server import Server, replaying
from gateway.history.reading import raw_lines
from gateway.history.recorded_lines import head_line, line
from gateway.history.zstd_file import compress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BEGINS = 1796002200.0
"""2026-11-30 09:30 in Taipei."""
CODES = 300
FRAME = 5000
"""Events of a frame."""
PATIENCE = 600.0


def record(path: Path, events: int, pause: Callable[[], float]) -> None:
    """Write a recording of so many ticks; `pause()` is the time from one to the next."""
    lines, t = [head_line(BEGINS, "benchmark")], BEGINS
    with path.open("wb") as file:
        for number in range(events):
            tick = {"code": f"C{number % CODES}", "close": 23000 + number % 50, "n": number}
            more = {"datetime": "2026-11-30T09:30:00.000000+08:00", "text": "x" * 120}
            payload = json.dumps(["market_tick", {**tick, **more}], separators=(",", ":"))
            lines.append(line(t, payload.encode()))
            t += pause()
            if len(lines) == FRAME:
                file.write(compress(b"".join(lines)))
                lines.clear()
        file.write(compress(b"".join(lines)))


def events(lines: Iterator[bytes]) -> Iterator[tuple[float, bytes]]:
    """The time and the field `e` of each event that is not the gateway's own word on the replay."""
    for text in lines:
        time_text, found, event = text.partition(b',"e":')
        if found and not event.startswith(b'["python_status"'):
            yield float(time_text[5:]), event.rstrip()


@contextmanager
def tailing(server: Server, out: Path) -> Iterator[psutil.Process]:
    """`tail --json` to a file, once it is joined."""
    command = [sys.executable, "-m", "gateway", "tail", "--json", "--url", url(server)]
    with out.open("wb") as file, subprocess.Popen(command, stdout=file) as process:
        try:
            until(lambda: status(server)["relay"]["clients"]["websocket"] == 2)
            yield psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait()


def url(server: Server) -> str:
    return f"http://127.0.0.1:{server.port}"


def status(server: Server) -> dict[str, Any]:
    with urllib.request.urlopen(f"{url(server)}/status") as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit("it does not come")
        time.sleep(0.2)


def settle(path: Path) -> None:
    """Wait until nothing more is written."""
    size = -1
    while size != (size := path.stat().st_size):
        time.sleep(1)


def play(server: Server, speed: str) -> None:
    """Play all of it."""
    body = f"speed={speed}".encode()
    urllib.request.urlopen(f"{url(server)}/replay", body).close()
    until(lambda: status(server)["replaying"]["ended"])


def at_max(folder: Path, number: int) -> bool:
    """Whether each event came, once and in its place."""
    recording, out = folder / "max.jsonl.zst", folder / "max.jsonl"
    record(recording, number, lambda: 0.001)
    with replaying(recording) as server, tailing(server, out) as tail:
        player = psutil.Process(status(server)["pid"])
        before, began = server.cpu(), time.monotonic()
        play(server, "max")
        took, used = time.monotonic() - began, server.cpu() - before
        cpu = {
            name: sum(each.cpu_times()[:2]) for name, each in (("player", player), ("tail", tail))
        }
        skipped = status(server)["relay"]["skipped"]
        settle(out)
    wrong = heard = 0
    for wanted, found in zip_longest(events(raw_lines(recording)), events(lines_of(out))):
        heard += found is not None
        wrong += wanted is None or found is None or wanted[1] != found[1]
    print(f"max: {number} events, {heard} heard, {wrong} wrong, {skipped} skipped by the relay")
    print(
        f"     {number / took:,.0f} events/s; CPU us an event: gateway {used / number * 1e6:.1f},"
        f" player {cpu['player'] / number * 1e6:.1f}, tail {cpu['tail'] / number * 1e6:.1f}"
    )
    return not wrong


def lines_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from file


def at_speed_1(folder: Path, seconds: float) -> None:
    """How far from their times events are heard."""
    recording, out = folder / "one.jsonl.zst", folder / "one.jsonl"
    choose = random.Random(1)
    record(
        recording, round(200 * seconds), lambda: choose.choice((0.0, 0.0, choose.expovariate(70)))
    )
    with replaying(recording) as server, tailing(server, out):
        play(server, "1")
        settle(out)
    pairs = zip(events(raw_lines(recording)), events(lines_of(out)), strict=True)
    late = sorted(found[0] - wanted[0] for wanted, found in pairs)
    middle = late[len(late) // 2]
    apart = sorted(abs(each - middle) for each in late)
    p99 = apart[len(apart) * 99 // 100]
    print(
        f"1:   {len(late)} events; from their times: p50 {apart[len(apart) // 2] * 1e3:.2f} ms,",
        end="",
    )
    print(f" p99 {p99 * 1e3:.2f} ms, most {apart[-1] * 1e3:.2f} ms")


def main() -> int:
    parser = command("replay", __doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        is_well = at_max(Path(name), options.events) if options.events else True
        if options.seconds:
            at_speed_1(Path(name), options.seconds)
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
