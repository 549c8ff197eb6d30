"""What the gateway and its worker take of the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil

from gateway.metrics.families import counter, gauge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from prometheus_client.metrics_core import Metric

INTERVAL = 5.0
"""Seconds for which figures hold."""


class ProcessMetrics:
    """Measures when asked for; `clock` is monotonic, `pids()` by what the process is."""

    def __init__(
        self, pids: Callable[[], Mapping[str, int | None]], clock: Callable[[], float]
    ) -> None:
        self._pids = pids
        self._clock = clock
        self._measured: tuple[Mapping[str, int | None], float] = {}, 0.0
        self._cpu: dict[str, float] = {}
        self._memory: dict[str, float] = {}

    def collect(self) -> Iterator[Metric]:
        pids, now = self._pids(), self._clock()
        known, since = self._measured
        if pids != known or now - since >= INTERVAL:
            self._measured = pids, now
            self._measure(pids)
        yield counter("cpu_seconds", "Processor time, user and system", self._cpu, "process")
        yield gauge("memory_bytes", "Resident memory", self._memory, "process")

    def _measure(self, pids: Mapping[str, int | None]) -> None:
        self._cpu, self._memory = {}, {}
        for name, pid in pids.items():
            if pid is None:
                continue
            try:
                process = psutil.Process(pid)
                times, memory = process.cpu_times(), process.memory_info()
            except (psutil.Error, OSError):  # it has just ended, or no descriptor is left
                continue
            self._cpu[name] = times.user + times.system
            self._memory[name] = memory.rss
