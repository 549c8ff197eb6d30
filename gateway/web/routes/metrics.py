"""`/metrics`: a registry's numbers in the text format of Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import generate_latest
from twisted.web.resource import Resource

from gateway.web.http.site import Mount
from gateway.web.security.trust import Access

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from gateway.web.http.request import Request

LINES = b"Content-Type: text/plain; version=0.0.4; charset=utf-8\r\nCache-Control: no-store\r\n"


def metrics_mounts(registry: CollectorRegistry) -> dict[bytes, Mount]:
    """A mount for `/metrics`; who may look on may read it."""
    return {b"/metrics": Mount(Metrics(registry), Access.VIEW)}


class Metrics(Resource):
    """Reads the registry for every answer."""

    isLeaf = True

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__()
        self._registry = registry

    def render_GET(self, request: Request) -> bytes:
        request.header_lines += LINES
        return generate_latest(self._registry)
