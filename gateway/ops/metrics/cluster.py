"""Metrics of a gateway's part in its cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.ops.metrics.families import counter, gauge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from prometheus_client.metrics_core import Metric


class ClusterMetrics:
    """Reads the part `cluster` of `GET /status`."""

    def __init__(self, status: Callable[[], Mapping[str, Any]]) -> None:
        self._status = status

    def collect(self) -> Iterator[Metric]:
        told = self._status()
        leads = told["worker"] == told["gateway"]
        yield gauge("cluster_has_worker", "Whether this gateway has the worker", float(leads))
        yield gauge("cluster_members", "Gateways that are there", float(len(told["members"])))
        lease = told["lease"] or {}
        if lease.get("renewed") is not None:
            yield gauge(
                "cluster_lease_age_seconds",
                "Seconds since the right to the worker was renewed",
                lease["renewed"],
            )
        yield gauge(
            "cluster_namesake",
            "Whether another gateway has the name of this one",
            float(told["namesake"]),
        )
        differing = {option for each in told["members"] for option in each["differs"]}
        yield gauge(
            "cluster_differing_options",
            "Options that have to be the same on all gateways, and are not",
            float(len(differing)),
        )
        yield gauge(
            "cluster_cut_off", "Whether the log does not answer", float(told["cutOff"] is not None)
        )
        yield gauge(
            "cluster_island",
            "Whether events go to own clients without a place in the log",
            float(told["island"]),
        )
        yield gauge("cluster_waiting_bytes", "Events that wait for the log", told["waiting"])
        yield counter("cluster_dropped", "Events that had no room to wait", told["dropped"])
        yield counter(
            "cluster_passed_over", "Entries of the log of another version", told["passedOver"]
        )
