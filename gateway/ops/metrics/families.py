"""Makes counters and gauges with at most one label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

PREFIX = "sjgateway_"

Value = float | Mapping[str, float]
"""One number, or the numbers by the label's value."""


def counter(name: str, meaning: str, value: Value, label: str = "") -> Metric:
    """What only grows; `name` is without the prefix and without `_total`."""
    from prometheus_client.core import CounterMetricFamily  # noqa: PLC0415  # when asked

    family = CounterMetricFamily(PREFIX + name, meaning, labels=_labels(label))
    for labels, number in _samples(value):
        family.add_metric(labels, number)
    return family


def gauge(name: str, meaning: str, value: Value | None, label: str = "") -> Metric:
    """What goes up and down; None: there is nothing to measure now."""
    from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415  # when asked

    family = GaugeMetricFamily(PREFIX + name, meaning, labels=_labels(label))
    for labels, number in _samples({} if value is None else value):
        family.add_metric(labels, number)
    return family


def _labels(label: str) -> list[str]:
    return [label] if label else []


def _samples(value: Value) -> list[tuple[list[str], float]]:
    if isinstance(value, Mapping):
        return [([name], number) for name, number in value.items()]
    return [([], value)]
