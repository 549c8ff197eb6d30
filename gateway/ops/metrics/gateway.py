"""Metrics of the gateway itself: connections, refusals, alerts, recording, processes, timers."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from gateway.common.attempt import Periodic
from gateway.ops.metrics.families import PREFIX, counter, gauge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from prometheus_client.metrics_core import Metric

    from gateway.engineio.deadlines import Deadlines
    from gateway.history.recording import RecordingStatus
    from gateway.web.http.counting import Caps


class AlertMetrics:
    """Reads `results()`: how many alerts were delivered, failed (and tried again) and lost."""

    def __init__(self, results: Callable[[], Mapping[str, int]]) -> None:
        self._results = results

    def collect(self) -> Iterator[Metric]:
        yield counter("alerts", "Alerts by what became of them", self._results(), "result")


class RecordingMetrics:
    """Reads `status()`, which says how the recording is."""

    def __init__(self, status: Callable[[], RecordingStatus]) -> None:
        self._status = status

    def collect(self) -> Iterator[Metric]:
        now = self._status()
        yield gauge("recording_up", "1 while events can be recorded", not now.trouble)
        yield gauge("recording_waiting_bytes", "Events that wait to be written", now.waiting)
        yield counter("recorded_events", "Events that are in a file", now.events)
        yield counter("recorded_bytes", "Bytes that were written, compressed", now.bytes)
        yield counter("recording_gaps", "Gaps in the recording", now.gaps)
        yield counter("unrecorded_events", "Events that are in no file", now.lost)


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


# -- The bars that are kept.


class BarMetrics:
    """Reads `status()`: the `BarStatus` of `gateway.history`."""

    def __init__(self, status: Callable[[], Any]) -> None:
        self._status = status

    def collect(self) -> Iterator[Metric]:
        bars = self._status()
        written = {"ticks": bars.kept, "broker": bars.filled}
        yield counter("bars", "Bars of a minute, or parts of them, written", written, "source")
        yield gauge("bar_codes", "Codes that have bars", bars.codes)
        yield counter("bar_late_ticks", "Ticks that came late or twice", bars.late)
        yield counter("bar_refused_events", "Events that can't be in a bar", bars.refused)
        yield counter("bar_lost", "Events and bars without room in memory", bars.lost)
        yield counter("bar_errors", "Failures of the file of bars", bars.errors)
        yield counter("bar_questions", "Questions for bars that were answered", bars.questions)
        yield gauge("bar_file_writable", "1 while bars can be written", float(not bars.problem))


# -- Processor time and memory of the gateway and its worker.

INTERVAL = 5.0
"""Seconds for which a measurement is used again."""


class BuildMetrics:
    """Says which version runs, and which build of it: `pure Python` or `compiled`."""

    def __init__(self, version: str, build: str) -> None:
        self._labels = {"version": version, "build": build}

    def collect(self) -> Iterator[Metric]:
        from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415  # when asked

        what = "1, with the version and the build that run"
        family = GaugeMetricFamily(f"{PREFIX}build_info", what, labels=list(self._labels))
        family.add_metric(list(self._labels.values()), 1)
        yield family


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
        import psutil  # noqa: PLC0415  # by need

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


# -- How late the reactor comes to a timer.

SAMPLE_INTERVAL = 1.0
"""Seconds between two samples."""
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Upper bounds of the buckets, in seconds."""


class ReactorDelay:
    """Sets a timer once a second and sees how late it is called.

    Everything else that became due in the same turn of the reactor had to wait as long.
    """

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        self._counts = [0] * (len(BOUNDS) + 1)
        self._sum = 0.0
        self._due = self._next()
        Periodic(deadlines, SAMPLE_INTERVAL, "The sample of the reactor's delay", self._look)

    def collect(self) -> Iterator[Metric]:
        from prometheus_client.core import HistogramMetricFamily  # noqa: PLC0415  # when asked

        bounds = (*map(str, BOUNDS), "+Inf")
        yield HistogramMetricFamily(
            f"{PREFIX}reactor_delay_seconds",
            "How late the reactor came to a timer, sampled once a second",
            list(zip(bounds, accumulate(self._counts), strict=True)),
            self._sum,
        )

    def _next(self) -> float:
        return self._deadlines.clock() + SAMPLE_INTERVAL

    def _look(self) -> None:
        late = max(0.0, self._deadlines.clock() - self._due)
        self._counts[bisect_left(BOUNDS, late)] += 1
        self._sum += late
        self._due = self._next()
