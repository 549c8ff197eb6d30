"""What the worker's processes take of the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable

INTERVAL = 5.0
"""Seconds for which figures hold."""


class Usage:
    """CPU and memory of one process, measured when asked for; `clock` is monotonic."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._process: psutil.Process | None = None
        self._measured = 0.0
        self._figures: dict[str, Any] = {}

    def of(self, pid: int | None) -> dict[str, Any]:
        """`cpuPercent` since the last look (of one core), `memoryBytes` resident."""
        if pid is None:
            return {"cpuPercent": None, "memoryBytes": None}
        try:
            if self._process is None or self._process.pid != pid:
                self._process = psutil.Process(pid)
                self._measured = self._clock() - INTERVAL
            if self._clock() - self._measured >= INTERVAL:
                self._measured = self._clock()
                self._figures = {
                    "cpuPercent": self._process.cpu_percent(),
                    "memoryBytes": self._process.memory_info().rss,
                }
        except (psutil.Error, OSError):  # gone, or no descriptor is left to look
            return {"cpuPercent": None, "memoryBytes": None}
        return self._figures


def tree(root: int | None) -> set[int]:
    """The pids of all processes below `root`."""
    if root is None:
        return set()
    try:
        return {child.pid for child in psutil.Process(root).children(recursive=True)}
    except (psutil.Error, OSError):  # gone, or no descriptor is left to look
        return set()
