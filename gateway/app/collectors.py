"""Registers all collectors of `GET /metrics`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Protocol

from gateway import __version__
from gateway.app.build import build
from gateway.common.attempt import Reading
from gateway.ops.metrics.clients import RelayMetrics
from gateway.ops.metrics.cluster import ClusterMetrics
from gateway.ops.metrics.gateway import (
    AlertMetrics,
    BarMetrics,
    BuildMetrics,
    ProcessMetrics,
    ReactorDelay,
    RecordingMetrics,
    WebMetrics,
)
from gateway.ops.metrics.worker import WorkerMetrics

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from prometheus_client.metrics_core import Metric

    from gateway.app.admission import Admission
    from gateway.app.neighbours import Neighbours
    from gateway.app.worker_events import WorkerEvents
    from gateway.engineio.deadlines import Deadlines
    from gateway.engineio.session import Session
    from gateway.history.bar_service import BarService
    from gateway.history.recording import Recording
    from gateway.ops.alerts.alerts import Alerts
    from gateway.ops.logs import EventCounts
    from gateway.web.http.counting import Caps
    from gateway.web.http.site import Site
    from gateway.worker.supervisor import Supervisor


class Collector(Protocol):
    """What a registry of prometheus_client takes."""

    def collect(self) -> Iterable[Metric]: ...


class Registry:
    """All collectors, as `generate_latest` reads them.

    Not prometheus_client's own, which is imported only when somebody asks for metrics.
    """

    def __init__(self) -> None:
        self._collectors: list[Collector] = []

    def register(self, collector: Collector) -> None:
        self._collectors.append(collector)

    def collect(self) -> Iterator[Metric]:
        """The metrics of all of them."""
        for collector in self._collectors:
            yield from collector.collect()


def register_collectors(
    registry: Registry,
    *,
    events: WorkerEvents,
    sessions: Mapping[str, Session],
    counts: EventCounts,
    caps: Caps,
    site: Site,
    admission: Admission,
    alerts: Alerts,
    supervisor: Supervisor | None,
    recording: Recording | None,
    deadlines: Deadlines,
    bars: BarService | None,
    neighbours: Neighbours | None,
) -> None:
    """Register a collector for each area; `supervisor` is None without a worker.

    `recording` and `bars` are None where nothing is recorded or kept, `neighbours` where the
    gateway is alone.
    """

    def pids() -> dict[str, int | None]:
        return {"gateway": os.getpid(), "worker": supervisor.pid if supervisor else None}

    for collector in (
        RelayMetrics(events.relay, events.freshness, sessions, counts.totals),
        WebMetrics(caps, site.resource.refused, lambda: admission.refused),
        AlertMetrics(alerts.results),
        ProcessMetrics(pids, deadlines.clock),
        ReactorDelay(deadlines),
        BuildMetrics(__version__, build()),
    ):
        registry.register(TolerantCollector(collector))
    if recording is not None:
        registry.register(TolerantCollector(RecordingMetrics(lambda: recording.status)))
    if bars is not None:
        registry.register(TolerantCollector(BarMetrics(bars.status)))
    if neighbours is not None:
        registry.register(TolerantCollector(ClusterMetrics(neighbours.status)))
    if supervisor is not None:
        control = supervisor if neighbours is None else neighbours.control
        worker = WorkerMetrics(control.status)
        events.listeners.append(worker.published)
        registry.register(TolerantCollector(worker))


class TolerantCollector:
    """Wraps a collector: what raises is logged and left out, so that `/metrics` always answers."""

    def __init__(self, collector: Any) -> None:
        what = f"Measuring for /metrics ({type(collector).__name__})"
        self._reading: Reading[Metric] = Reading(what, collector.collect)

    def collect(self) -> list[Metric]:
        """The metrics that could be read."""
        return self._reading()
