"""How late the reactor comes to a timer."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING

from prometheus_client.core import HistogramMetricFamily

from gateway.common.guard import Periodic
from gateway.ops.metrics.families import PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.metrics_core import Metric

    from gateway.engineio.deadlines import Deadlines

INTERVAL = 1.0
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
        Periodic(deadlines, INTERVAL, "The sample of the reactor's delay", self._look)

    def collect(self) -> Iterator[Metric]:
        bounds = (*map(str, BOUNDS), "+Inf")
        yield HistogramMetricFamily(
            f"{PREFIX}reactor_delay_seconds",
            "How late the reactor came to a timer, sampled once a second",
            list(zip(bounds, accumulate(self._counts), strict=True)),
            self._sum,
        )

    def _next(self) -> float:
        return self._deadlines.clock() + INTERVAL

    def _look(self) -> None:
        late = max(0.0, self._deadlines.clock() - self._due)
        self._counts[bisect_left(BOUNDS, late)] += 1
        self._sum += late
        self._due = self._next()
