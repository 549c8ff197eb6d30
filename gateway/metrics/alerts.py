"""Alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.metrics.families import counter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from prometheus_client.metrics_core import Metric


class AlertMetrics:
    """Reads `results()`: how many alerts were delivered, failed (and tried again) and lost."""

    def __init__(self, results: Callable[[], Mapping[str, int]]) -> None:
        self._results = results

    def collect(self) -> Iterator[Metric]:
        yield counter("alerts", "Alerts by what became of them", self._results(), "result")
