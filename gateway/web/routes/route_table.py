"""The one table of routes: Klein serves it, the guard and OpenAPI read it.

The rows of `/` and `/static/` are made in `page`.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from gateway.common.credentials import Credentials
from gateway.replay.wishes import Wish
from gateway.web.routes import schemas
from gateway.web.routes.openapi import document
from gateway.web.routes.rest import answer
from gateway.web.security.guard import Access

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from msgspec import Struct
    from prometheus_client.registry import Collector

    from gateway.web.http.request import Request
    from gateway.web.routes.rest import RestHandlers


@frozen
class Route:
    """One method at one path."""

    method: str
    path: str
    handler: Callable[[Request], Any]
    """Returns the body, or a Deferred of it where the route is no leaf."""
    access: Access
    summary: str = ""
    answers: Mapping[int, Any] = field(factory=dict)
    """Types of the JSON answers by status, besides those that every route has."""
    query: type[Struct] | None = None
    body: type[Struct] | None = None
    """JSON or form-urlencoded."""
    is_leaf: bool = False
    """Answers GET and HEAD without Klein, for half the CPU: it is asked often."""


_ALIVE = {200: schemas.Alive}
_PROBE = {200: schemas.Readiness, 503: schemas.Readiness}
_CHANGE = {200: schemas.Done, 500: schemas.Problem}


def rest_routes(rest: RestHandlers) -> tuple[Route, ...]:
    """The rows of the REST routes, in the order of the OpenAPI document."""

    def openapi(request: Request) -> bytes:
        return answer(request, HTTPStatus.OK, described)

    routes = (
        Route(
            "GET",
            "/health",
            rest.health,
            Access.OPEN,
            "The gateway lives; does the worker?",
            {200: schemas.Health},
            is_leaf=True,  # asked all the time
        ),
        Route("GET", "/healthz", rest.alive, Access.OPEN, "The gateway lives.", _ALIVE),
        Route("GET", "/livez", rest.alive, Access.OPEN, "The gateway lives.", _ALIVE),
        Route("GET", "/sj-ready", rest.sj_ready, Access.OPEN, "The worker runs.", _PROBE),
        Route("GET", "/readyz", rest.ready, Access.OPEN, "The worker is ready.", _PROBE),
        Route(
            "GET",
            "/status",
            rest.status,
            Access.VIEW,
            "All about the worker.",
            {200: schemas.Status, 400: schemas.Problem},
            query=schemas.StatusQuery,
        ),
        Route(
            "GET",
            "/logs",
            rest.logs,
            Access.VIEW,
            "The last lines of the worker, or of the gateway's own log.",
            {200: schemas.Logs, 400: schemas.Problem},
            query=schemas.LogsQuery,
        ),
        Route(
            "GET",
            "/bars",
            rest.bars,
            Access.VIEW,
            "Bars of one code; 304 where `If-None-Match` has the answer's `ETag`.",
            {200: schemas.Bars, **dict.fromkeys((400, 404, 503), schemas.Problem)},
            query=schemas.BarsQuery,
        ),
        Route(
            "GET",
            "/codes",
            rest.codes,
            Access.VIEW,
            "What is known of each code: its contract, its steps of prices, its newest tick.",
            {200: schemas.Codes},
        ),
        Route(
            "POST",
            "/set-sj-key",
            rest.set_credentials,
            Access.CONTROL,
            "Give the worker other credentials and restart it.",
            {**_CHANGE, 400: schemas.Problem, 415: schemas.Problem},
            query=schemas.SetCredentialsQuery,
            body=Credentials,
        ),
        Route(
            "POST",
            "/restart-python",
            rest.restart,
            Access.CONTROL,
            "Stop the worker and start it.",
            {**_CHANGE, 400: schemas.Problem},
            query=schemas.RestartQuery,
        ),
        Route("POST", "/start-python", rest.start, Access.CONTROL, "Start the worker.", _CHANGE),
        Route("POST", "/stop-python", rest.stop, Access.CONTROL, "Stop the worker.", _CHANGE),
        Route(
            "POST",
            "/hand-over",
            rest.hand_over,
            Access.CONTROL,
            "Check the gateway's code on disk, and let it take over; the worker stays.",
            _CHANGE,
        ),
        Route(
            "POST",
            "/alerts/test",
            rest.test_alerts,
            Access.CONTROL,
            "Send a test to every receiver of alerts, and say whether each took it.",
            _CHANGE,
        ),
        Route(
            "POST",
            "/replay",
            rest.replay,
            Access.CONTROL,
            "Pause a replay, let it go on, change its speed, or go to a time of it.",
            {**_CHANGE, 400: schemas.Problem, 415: schemas.Problem},
            body=Wish,
        ),
        Route(
            "GET",
            "/openapi.json",
            openapi,
            Access.OPEN,
            "This document.",
            {200: schemas.OpenApi},
        ),
    )
    described = document(routes)
    return routes


# -- `GET /metrics`: a registry's numbers in the text format of Prometheus.

_METRICS_LINES = (
    b"Content-Type: text/plain; version=0.0.4; charset=utf-8\r\nCache-Control: no-store\r\n"
)


def metrics_route(registry: Collector) -> Route:
    """The row of `/metrics`, which reads `registry` for every answer."""

    def metrics(request: Request) -> bytes:
        from prometheus_client import generate_latest  # noqa: PLC0415  # when asked

        request.header_lines += _METRICS_LINES
        return generate_latest(registry)

    return Route("GET", "/metrics", metrics, Access.VIEW, is_leaf=True)
