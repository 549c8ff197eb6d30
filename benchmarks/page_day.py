"""What a day of the exchange costs the page: `python -m benchmarks.page --day MINUTES`.

A gateway runs a worker that tells of day, night and the next day (`market_day`).  Somebody looks
at it in Chromium, with a chart of 30 days, alarms and all that can be pressed; at half time the
worker is started again.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from http.client import HTTPConnection
from typing import TYPE_CHECKING

from benchmarks.main_thread import Tracer, Work
from benchmarks.market_day import CODES, FUTURE, price, spans
from benchmarks.server import supervising

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page

    from benchmarks.main_thread import Task
    from benchmarks.server import Server

RATE = 500
"""Events a second."""
LOADED, AFTER, UNTOUCHED = 6.0, 0.5, 3.0
"""Seconds that are traced after a load, after something was pressed, and when nothing is."""
SETTLED = 0.3
"""The part of the day after which memory shall no longer grow: all has been looked at once."""
TASK_MS, SCRIPT_MS, GROWTH_MB, GROWTH_NODES = 50.0, 8.0, 1.0, 0.02
"""Bounds: of a task, of the script of a frame, of the heap, and of nodes as a part of all."""
ALARMS, TOLD = 20, 3
"""Rules of alarms; of each action so many of its tasks are shown, the longest first."""

BEFORE = """(([back, kept]) => {
  const clock = Date.now;
  Date.now = () => clock() - back; // so that trades of that day are news to its alarms
  localStorage.setItem("sjgateway.alarms", kept);
  window.blocked = [];
  new PerformanceObserver((list) => blocked.push(...list.getEntries().map((each) => each.duration)))
    .observe({ type: "longtask", buffered: true });
})(%s)"""
LISTED = "(count) => document.querySelectorAll('#quotes-body tr').length >= count"
COUNT = """() => Object.fromEntries([...document.querySelectorAll(".panel[id]")].map((panel) => {
  const walker = document.createTreeWalker(panel);
  let count = 0;
  while (walker.nextNode()) count += 1;
  return [panel.id, count];
}))"""
"""How many nodes each panel has."""
EARLIEST = "() => document.getElementById('chart-described').textContent"


class Day:
    """The page of one day, and what it has cost so far."""

    def __init__(self, page: Page, server: Server, ends: float) -> None:
        """`ends`: when the day does, in seconds since 1970."""
        self.ends = ends
        self._page = page
        self._server = server
        self._session = page.context.new_cdp_session(page)
        self._tracer = Tracer(page)
        self._tasks: list[tuple[str, Task]] = []
        self._frames = Work([], [])
        self._heaps: list[tuple[float, int]] = []
        """Megabytes in use, and nodes, at each look."""
        self._panels: list[dict[str, int]] = []
        """How many nodes each panel had then."""

    def watch(self, what: str, act: Callable[[], object], seconds: float = AFTER) -> Work:
        """Trace what `act` makes the page do, and so many seconds more."""
        with self._tracer.watching() as work:
            act()
            self._page.wait_for_timeout(1000 * seconds)
        self._tasks += [(what, task) for task in work.tasks]
        return work

    def round(self) -> None:
        """Press all that can be pressed, look on for a while, and look at the memory."""
        for what, act in self._acts():
            self.watch(what, act)
        self._frames.frames.extend(self.watch("nothing is done", int, UNTOUCHED).frames)
        self._session.send("HeapProfiler.collectGarbage")
        usage = self._session.send("Runtime.getHeapUsage")
        counts = self._session.send("Memory.getDOMCounters")
        self._heaps.append((usage["usedSize"] / 1e6, counts["nodes"]))
        self._panels.append(self._page.evaluate(COUNT))

    def load_all_bars(self) -> None:
        """Go back in the chart until there is nothing more."""
        page = self._page
        page.locator("#chart").focus()
        for _ in range(20):
            page.keyboard.press("-")
        still, before = 0, ""
        while still < 5:
            for _ in range(8):
                page.keyboard.press("Alt+ArrowLeft")
            page.wait_for_timeout(200)
            told = page.evaluate(EARLIEST)
            still = still + 1 if told == before else 0
            before = told
        print(f"     {before}")
        page.locator("#chart").blur()
        page.keyboard.press("0")

    def restart(self) -> None:
        """Have the worker started again."""
        connection = HTTPConnection("127.0.0.1", self._server.port, timeout=60)
        connection.request("POST", "/restart-python", "{}", {"Content-Type": "application/json"})
        print(f"     the worker is started again: {connection.getresponse().status}")
        connection.close()

    def _acts(self) -> tuple[tuple[str, Callable[[], object]], ...]:
        """What somebody does; at the end all is as it was."""
        page = self._page
        press, wheel = page.keyboard.press, page.mouse.wheel

        def click(name: str) -> Callable[[], object]:
            return page.locator(name).first.click

        def scroll(pixels: int) -> Callable[[], object]:
            def act() -> None:
                page.mouse.move(200, 500)
                wheel(0, pixels)

            return act

        def size(width: int, height: int) -> Callable[[], object]:
            return lambda: page.set_viewport_size({"width": width, "height": height})

        def at(place: str) -> Callable[[], object]:
            return lambda: page.evaluate("(place) => { location.hash = place; }", place)

        return (
            ("another code", at(f"#/{CODES[-1]}")),
            ("the code again", at(f"#/{FUTURE}")),
            ("Operations", lambda: press("o")),
            ("Market", lambda: press("m")),
            ("sorted by change", click("[data-sort=change]")),
            ("sorted the other way", click("[data-sort=change]")),
            ("not sorted", click("[data-sort=change]")),
            ("list scrolled down", scroll(6000)),
            ("list scrolled up", scroll(-20000)),
            ("options", click("#groups button:nth-child(4)")),
            ("all codes", click("#groups button:nth-child(2)")),
            ("bars of 15 minutes", lambda: press("5")),
            ("bars of a day", lambda: press("7")),
            ("bars of a minute", lambda: press("3")),
            ("averages", lambda: press("a")),
            ("no averages", lambda: press("a")),
            ("other colors", click("#theme")),
            ("and others", click("#theme")),
            ("and the first ones", click("#theme")),
            ("a smaller window", size(820, 1180)),
            ("a larger window", size(1440, 900)),
            ("another language", click("[data-language]:not([hidden])")),
            ("the first language", click("[data-language]:not([hidden])")),
        )

    def judge(self) -> int:
        """Print the figures; the number of bounds that were missed."""
        settled = int(len(self._heaps) * SETTLED)
        after = self._heaps[settled:]
        (first, nodes), (last, last_nodes) = after[0], after[-1]
        longest = sorted(self._tasks, key=lambda each: -each[1].spent)
        late = sum(task.spent > TASK_MS for _, task in longest)
        blocked: list[float] = self._page.evaluate("blocked")
        frames = self._frames
        figures = (
            (
                f"script in a frame: median {frames.script(0.5):.1f} ms, 99 %"
                f" {frames.script(0.99):.1f} ms, of {len(frames.frames)} frames",
                frames.script(0.99) < SCRIPT_MS,
            ),
            (
                f"all of a frame: median {frames.all_of(0.5):.1f} ms, 99 %"
                f" {frames.all_of(0.99):.1f} ms",
                True,
            ),
            (f"{len(longest):,} tasks, {late} took more than {TASK_MS:g} ms", not late),
            (f"{len(blocked)} took more than 50 ms by the clock", True),
            (
                f"memory: {first:.1f} MB, in the end {last:.1f}, at most {max(after)[0]:.1f}",
                last - first < GROWTH_MB,
            ),
            (
                f"nodes: {nodes:,}, in the end {last_nodes:,}",
                last_nodes < nodes * (1 + GROWTH_NODES),
            ),
        )
        for text, is_kept in figures:
            print(f"{'ok  ' if is_kept else 'MISS'} {text}")
        before = self._panels[settled]
        for panel, now in self._panels[-1].items():
            if now != before.get(panel):
                print(f"     nodes of {panel}: {before.get(panel)}, in the end {now}")
        self._print_longest()
        return sum(not is_kept for _, is_kept in figures)

    def _print_longest(self) -> None:
        """The longest tasks of each action, what took longest first, and how many took too long."""
        by_action: dict[str, list[Task]] = defaultdict(list)
        for what, task in sorted(self._tasks, key=lambda each: -each[1].spent):
            by_action[what].append(task)
        for what, tasks in by_action.items():
            late = sum(task.spent > TASK_MS for task in tasks)
            print(f"     {what}: {late} of {len(tasks):,} tasks")
            for task in tasks[:TOLD]:
                print(f"          {task}")


def rules(now: float) -> str:
    """The alarms that the browser has from before, around the price, as it keeps them."""
    first = price(FUTURE, now)
    return json.dumps(
        [
            {
                "kind": "above" if number % 2 else "below",
                "code": FUTURE,
                "value": first + 20 * (number - ALARMS // 2),
                "each": True,
            }
            for number in range(ALARMS)
        ]
    )


def live_through(browser: Browser, minutes: float) -> int:
    """Look on for a day, print the figures, and return the number of bounds that were missed."""
    print(f"{len(CODES)} codes at {RATE} events/s, a day in {minutes:g} minutes")
    began = time.time()
    first = spans(began)[0].begin
    told = f"--worker-args={began} {minutes} {RATE}"
    with supervising("benchmarks.market_day", told, "--keep-bars=60") as server:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.add_init_script(BEFORE % json.dumps([1000 * (began - first), rules(first)]))
        day = Day(page, server, began + 60 * minutes)
        address = f"http://localhost:{server.port}/#/{FUTURE}"
        day.watch("load", lambda: page.goto(address), LOADED)
        page.wait_for_function(LISTED, arg=len(CODES))
        day.watch("all bars", day.load_all_bars)
        half = (time.time() + day.ends) / 2
        while time.time() < half:
            day.round()
        day.watch("the worker starts again", day.restart, LOADED)
        while time.time() < day.ends:
            day.round()
        return day.judge()
