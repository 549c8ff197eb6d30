"""Connections, and who was refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.metrics.families import counter, gauge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from prometheus_client.metrics_core import Metric

    from gateway.web.limits import Caps


class WebMetrics:
    """Reads the counters in front of everything.

    `requests`: those that the guard refused, by status; `clients()`: how many were not let
    into a namespace.
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
