"""`python -m benchmarks.page`: what the page costs a browser; needs Chromium and playwright.

300 codes at 1000 events/s for 30 s.  Exit status 1 when a bound is missed.  All times are of the
processor.  With `--day MINUTES` a whole day of the exchange instead, in so many minutes: 30 at
most, and not less than 2.  With `--shots FOLDER [WORDS...]` it takes screenshots: of every state,
size, language and theme, or of those whose names have one of the words in them.
"""

from __future__ import annotations

import os
import sys
import time
from multiprocessing import Process
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from benchmarks.chromium import find_chromium
from benchmarks.client import Client, frame
from benchmarks.command import command
from benchmarks.main_thread import Tracer
from benchmarks.page_day import LISTED, SCRIPT_MS, TASK_MS, live_through
from benchmarks.server import running
from benchmarks.shots import take

if TYPE_CHECKING:
    from playwright.sync_api import Browser, CDPSession, Page

CODES, RATE, SECONDS = 300, 1000, 30
WARM_UP, WATCH = 5, 5
"""Seconds before memory is looked at for the first time, and in which writes are watched."""
GROWTH_MB = 1.0
"""What the heap may grow from the first look to the last."""

WATCH_WRITES = """(seconds) => new Promise((resolve) => {
  let changed = 0, idle = 0;
  const observer = new MutationObserver((records) => {
    for (const { target, oldValue } of records) {
      if (target.data === oldValue) idle += 1;
      else changed += 1;
    }
  });
  observer.observe(document.getElementById("quotes-body"), {
    subtree: true, characterData: true, characterDataOldValue: true,
  });
  setTimeout(() => resolve([changed, idle]), seconds * 1000);
})"""


def publish(port: int) -> None:
    """Trades of one code after the other; every other one at the price before."""
    client = Client(port)
    start, sent = time.monotonic(), 0
    while True:
        due = int((time.monotonic() - start) * RATE)
        for number in range(sent, due):
            code, turn = number % CODES, number // CODES
            price = 100 + code + (turn // 2) % 7 * 0.5
            client.socket.sendall(
                frame(
                    b'42["market_tick",{"code":"C%03d","open":%d,"high":900,"low":1,"close":%.2f,'
                    b'"price":%.2f,"volume":1,"total_volume":%d}]'
                    % (code, 100 + code, price, price, turn)
                )
            )
        sent = max(sent, due)
        client.read()
        time.sleep(0.002)


def heap(session: CDPSession) -> float:
    """Megabytes of the page's heap that are in use."""
    session.send("HeapProfiler.collectGarbage")
    usage = session.send("Runtime.getHeapUsage")
    return float(usage["usedSize"]) / 1e6


def measure(page: Page) -> int:
    """Look on, print the figures, and return the number of bounds that were missed."""
    session = page.context.new_cdp_session(page)
    page.wait_for_function(LISTED, arg=CODES)
    page.wait_for_timeout(1000 * WARM_UP)
    before = heap(session)
    with Tracer(page).watching() as work:
        page.wait_for_timeout(1000 * SECONDS)
    growth = heap(session) - before
    changed, idle = page.evaluate(WATCH_WRITES, WATCH)
    figures = (
        (
            f"script in a frame: median {work.script(0.5):.2f} ms, 99 % {work.script(0.99):.2f} ms",
            work.script(0.99) < SCRIPT_MS,
        ),
        (f"all of a frame: median {work.all_of(0.5):.1f} ms", True),
        (f"frames: {len(work.frames) / SECONDS:.0f}/s", True),
        (f"the longest task: {work.longest}", work.longest.spent < TASK_MS),
        (f"texts written: {changed / WATCH:.0f}/s, {idle} without a change", not idle),
        (f"memory: {before:.1f} MB, {growth:+.2f} MB in {SECONDS} s", growth < GROWTH_MB),
    )
    for text, kept in figures:
        print(f"{'ok  ' if kept else 'MISS'} {text}")
    return sum(not kept for _, kept in figures)


def costs(browser: Browser) -> int:
    """Measure; the number of bounds that were missed."""
    print(f"{CODES} codes at {RATE} events/s for {SECONDS} s")
    with running() as server:
        publisher = Process(target=publish, args=(server.port,), daemon=True)
        publisher.start()
        try:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(f"http://localhost:{server.port}/")
            return measure(page)
        finally:
            publisher.terminate()


def main() -> int:
    parser = command("page", __doc__)
    parser.add_argument("--day", type=float, metavar="MINUTES")
    parser.add_argument("--shots", type=Path, metavar="FOLDER")
    parser.add_argument("words", nargs="*")
    given = parser.parse_args()
    chromium = os.environ.get("CHROMIUM") or find_chromium()
    if chromium is None or not Path(chromium).exists():
        print("Chromium is missing; install it, or name its program with CHROMIUM")
        return 1
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            if given.day is not None:
                return 1 if live_through(browser, given.day) else 0
            if given.shots is None:
                return 1 if costs(browser) else 0
            faults = take(browser, given.shots, given.words)
        finally:
            browser.close()
    print("\n".join(faults) or "no faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
