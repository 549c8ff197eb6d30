"""`python -m benchmarks.page`: what the page costs a browser; needs Chromium and playwright.

300 codes at 1000 events/s for 30 s.  Exit status 1 when a bound is missed.  With `--shots FOLDER
[WORDS...]` it takes screenshots instead: of every state, size, language and theme, or of those
whose names have one of the words in them.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from multiprocessing import Process
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from benchmarks.chromium import find_chromium
from benchmarks.client import Client, frame
from benchmarks.server import running
from benchmarks.shots import take

if TYPE_CHECKING:
    from playwright.sync_api import Browser, CDPSession, Page

CODES, RATE, SECONDS = 300, 1000, 30
WARM_UP, WATCH = 5, 5
"""Seconds before memory is looked at for the first time, and in which writes are watched."""
SCRIPT_MS, GROWTH_MB = 8.0, 1.0
"""Bounds: of our script in the median frame, and of the heap from the first look to the last."""

MEASURE = """
const frames = [];
let spent = 0;
const timed = (work) => function (...args) {
  const start = performance.now();
  try {
    return work.apply(this, args);
  } finally {
    spent += performance.now() - start;
  }
};
const handler = Object.getOwnPropertyDescriptor(WebSocket.prototype, "onmessage");
Object.defineProperty(WebSocket.prototype, "onmessage", {
  set(work) { handler.set.call(this, work && timed(work)); },
});
const request = window.requestAnimationFrame.bind(window);
for (const name of ["requestAnimationFrame", "setTimeout", "setInterval"]) {
  const original = window[name].bind(window);
  window[name] = (work, ...rest) => original(timed(work), ...rest);
}
request(function next() {
  frames.push(spent);
  spent = 0;
  request(next);
});
window.frames_so_far = () => frames.splice(0);
"""
"""Collects the milliseconds of our own script between one frame and the next."""

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
    page.wait_for_function(f"document.querySelectorAll('#quotes-body tr').length === {CODES}")
    time.sleep(WARM_UP)
    before = heap(session)
    page.evaluate("frames_so_far()")
    time.sleep(SECONDS)
    frames = sorted(page.evaluate("frames_so_far()"))
    growth = heap(session) - before
    changed, idle = page.evaluate(WATCH_WRITES, WATCH)
    middle, late = frames[len(frames) // 2], frames[len(frames) * 99 // 100]
    figures = (
        (f"script in a frame: median {middle:.2f} ms, 99 % {late:.2f} ms", middle < SCRIPT_MS),
        (f"frames: {len(frames) / SECONDS:.0f}/s", True),
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
            page.add_init_script(MEASURE)
            page.goto(f"http://localhost:{server.port}/")
            return measure(page)
        finally:
            publisher.terminate()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page")
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
            if given.shots is None:
                return 1 if costs(browser) else 0
            faults = take(browser, given.shots, given.words)
        finally:
            browser.close()
    print("\n".join(faults) or "no faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
