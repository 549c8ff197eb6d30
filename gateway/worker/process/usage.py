"""What the worker's processes use: CPU and memory, the pids of its tree; when it has settled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.common.attempt import Countdown

if TYPE_CHECKING:
    from collections.abc import Callable

    import psutil

MEASURE_INTERVAL = 5.0
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
        import psutil  # noqa: PLC0415  # by need

        try:
            if self._process is None or self._process.pid != pid:
                self._process = psutil.Process(pid)
                self._measured = self._clock() - MEASURE_INTERVAL
            if self._clock() - self._measured >= MEASURE_INTERVAL:
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
    import psutil  # noqa: PLC0415  # by need

    try:
        return {child.pid for child in psutil.Process(root).children(recursive=True)}
    except (psutil.Error, OSError):  # gone, or no descriptor is left to look
        return set()


# -- Whether a process that starts has come to rest: then it has imported what it needs, and did not
# fail doing so.

LOOK_INTERVAL = 0.05
LOOKS = 6
"""So many looks in a row must find a process that waits and used no CPU since the last."""


class SettleCheck:
    """Calls `then` when the process rests, is gone, or `seconds` have passed."""

    def __init__(self, reactor: Any, pid: int, seconds: float, then: Callable[[], None]) -> None:
        self._reactor = reactor
        self._pid = pid
        self._until = reactor.seconds() + seconds
        self._then = then
        self._used: float | None = None
        self._quiet = 0
        self._timer = Countdown(reactor, "Looking whether the worker has settled", self._look)
        self._timer.begin(LOOK_INTERVAL)

    def cancel(self) -> None:
        """Never call, if that was not done."""
        self._timer.cancel()

    def _look(self) -> None:
        used = self._cpu()
        self._quiet = self._quiet + 1 if used is not None and used == self._used else 0
        self._used = used
        if self._quiet >= LOOKS or self._reactor.seconds() >= self._until:
            self._then()
        else:
            self._timer.begin(LOOK_INTERVAL)

    def _cpu(self) -> float | None:
        """Seconds of CPU that were used; None: busy, or that can't be told."""
        import psutil  # noqa: PLC0415  # by need

        try:
            process = psutil.Process(self._pid)
            if process.status() in (psutil.STATUS_RUNNING, psutil.STATUS_DISK_SLEEP):
                return None
            times = process.cpu_times()
        except psutil.Error:
            return 0.0
        except OSError:  # out of descriptors
            return None
        return float(times.user + times.system)
