"""`GET /metrics`: a registry's numbers in the text format of Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import generate_latest

from gateway.web.routes.route_table import Route
from gateway.web.security.trust import Access

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from gateway.web.http.request import Request

LINES = b"Content-Type: text/plain; version=0.0.4; charset=utf-8\r\nCache-Control: no-store\r\n"


def metrics_route(registry: CollectorRegistry) -> Route:
    """The row of `/metrics`, which reads `registry` for every answer."""

    def metrics(request: Request) -> bytes:
        request.header_lines += LINES
        return generate_latest(registry)

    return Route("GET", "/metrics", metrics, Access.VIEW, is_leaf=True)
