"""Connections, refusals, alerts, and what gateway and worker take of the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil

from gateway.ops.metrics.families import counter, gauge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from prometheus_client.metrics_core import Metric

    from gateway.web.http.counting import Caps


class AlertMetrics:
    """Reads `results()`: how many alerts were delivered, failed (and tried again) and lost."""

    def __init__(self, results: Callable[[], Mapping[str, int]]) -> None:
        self._results = results

    def collect(self) -> Iterator[Metric]:
        yield counter("alerts", "Alerts by what became of them", self._results(), "result")


# -- Connections, and who was refused.


class WebMetrics:
    """Reads what was refused, and how many connections are open.

    `requests`: requests that the guard refused, by status; `clients()`: how many clients were
    refused at a namespace.
    """

    def __init__(self, caps: Caps, requests: Mapping[int, int], clients: Callable[[], int]) -> None:
        self._caps = caps
        self._requests = requests
        self._clients = clients

    def collect(self) -> Iterator[Metric]:
        requests = {str(status): count for status, count in self._requests.items()}
        yield gauge("connections", "Connections that are open", self._caps.count)
        yield counter("refused_connections", "Connections that were too many", self._caps.refused)
        yield counter("refused_requests", "Requests that the guard refused", requests, "status")
        yield counter("refused_clients", "Clients without the token they need", self._clients())


# -- Processor time and memory of the gateway and its worker.

INTERVAL = 5.0
"""Seconds for which a measurement is used again."""


class ProcessMetrics:
    """Measures when asked; `clock` is monotonic, `pids()` gives a pid by the process's name."""

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
