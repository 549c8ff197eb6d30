"""What the main thread of a page did, by Chromium's tracing.

All is in processor time: of what other programs do meanwhile only the caches notice.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import Counter, defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from playwright.sync_api import Page

CATEGORIES = ("devtools.timeline", "disabled-by-default-devtools.timeline")
TASK, FRAME = "RunTask", "FireAnimationFrame"
KINDS = {
    "FunctionCall": "script",
    "EvaluateScript": "script",
    "v8.evaluateModule": "script",
    "UpdateLayoutTree": "style",
    "Layout": "layout",
    "PrePaint": "pre-paint",
    "Paint": "paint",
    "Layerize": "layerize",
    "Commit": "commit",
    "MajorGC": "garbage",
    "MinorGC": "garbage",
}
"""What the events of a trace are about."""
CHUNK = 1 << 22
"""Bytes of a trace that are read at once."""


class Task(NamedTuple):
    """One task: milliseconds in all, and by kind."""

    spent: float
    kinds: dict[str, float]

    def __str__(self) -> str:
        kinds = sorted(self.kinds.items(), key=lambda each: -each[1])
        told = ", ".join(f"{kind} {spent:.1f}" for kind, spent in kinds if spent >= 0.5)
        return f"{self.spent:.1f} ms ({told})"


class Work(NamedTuple):
    """What was done in a while."""

    tasks: list[Task]
    frames: list[dict[str, float]]
    """Of each frame milliseconds by kind: of it, and of what came since the one before."""

    def script(self, part: float) -> float:
        """Milliseconds of script in the frame that only `1 - part` of all exceed."""
        found = sorted(frame.get("script", 0.0) for frame in self.frames)
        return found[int(len(found) * part)] if found else 0.0

    def all_of(self, part: float) -> float:
        """The same of everything."""
        found = sorted(sum(frame.values()) for frame in self.frames)
        return found[int(len(found) * part)] if found else 0.0

    @property
    def longest(self) -> Task:
        """The longest task."""
        return max(self.tasks, default=Task(0.0, {}))


class Tracer:
    """Traces one page, from time to time."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._session = page.context.new_cdp_session(page)

    @contextmanager
    def watching(self) -> Iterator[Work]:
        """What the page does in the block; the lists are filled at its end."""
        work = Work([], [])
        self._session.send(
            "Tracing.start",
            {
                "transferMode": "ReturnAsStream",
                "traceConfig": {"includedCategories": list(CATEGORIES)},
            },
        )
        try:
            yield work
        finally:
            told = read(self._stop())
            work.tasks.extend(told.tasks)
            work.frames.extend(told.frames)

    def _stop(self) -> list[dict[str, Any]]:
        ended: list[dict[str, Any]] = []
        self._session.once("Tracing.tracingComplete", lambda told: ended.append(told))  # noqa: PLW0108  # playwright marks what it calls
        self._session.send("Tracing.end")
        while not ended:
            self._page.wait_for_timeout(20)
        handle, parts = ended[0]["stream"], []
        while True:
            told = self._session.send("IO.read", {"handle": handle, "size": CHUNK})
            parts.append(told["data"])
            if told.get("eof"):
                break
        self._session.send("IO.close", {"handle": handle})
        events: list[dict[str, Any]] = json.loads("".join(parts))["traceEvents"]
        return events


def read(events: Sequence[dict[str, Any]]) -> Work:
    """What the events of a trace tell of the busiest page."""
    mains = {
        (each["pid"], each["tid"])
        for each in events
        if each["name"] == "thread_name" and each["args"]["name"] == "CrRendererMain"
    }
    known = [each for each in events if each["ph"] == "X" and "tdur" in each]
    counts = Counter((each["pid"], each["tid"]) for each in known)
    main = max(mains, key=lambda thread: counts[thread], default=None)
    own = [each for each in known if (each["pid"], each["tid"]) == main]
    own.sort(key=lambda each: (each["ts"], -each["dur"]))
    ends = [each["ts"] + each["dur"] for each in own if each["name"] == FRAME]
    frames: list[dict[str, float]] = [defaultdict(float) for _ in ends]
    tasks: list[Task] = []
    task_end = -1.0
    for event, kind, spent in _exclusive(own):
        if event["name"] == TASK and event["ts"] >= task_end:
            tasks.append(Task(event["tdur"] / 1000, defaultdict(float)))
            task_end = event["ts"] + event["dur"]
        if not kind:
            continue
        if tasks and event["ts"] < task_end:
            tasks[-1].kinds[kind] += spent
        frame = bisect_left(ends, event["ts"] + event["dur"])
        if frame < len(ends):
            frames[frame][kind] += spent
    return Work(tasks, frames)


def _exclusive(
    events: Sequence[dict[str, Any]],
) -> Iterator[tuple[dict[str, Any], str, float]]:
    """Each event, its kind, and the milliseconds of it that no event of a kind within it took."""
    spent = [each["tdur"] / 1000 for each in events]
    around: list[int] = []
    for number, event in enumerate(events):
        while around and events[around[-1]]["ts"] + events[around[-1]]["dur"] <= event["ts"]:
            around.pop()
        if event["name"] in KINDS:
            if around:
                spent[around[-1]] -= event["tdur"] / 1000
            around.append(number)
    for event, rest in zip(events, spent, strict=True):
        yield event, KINDS.get(event["name"], ""), rest
