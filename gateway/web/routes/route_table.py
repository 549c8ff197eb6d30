"""The table of REST routes: `rest` serves it, the guard and OpenAPI read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from gateway.contract import Credentials
from gateway.web.routes import schemas
from gateway.web.security.trust import Access

if TYPE_CHECKING:
    from collections.abc import Mapping

    from msgspec import Struct


@frozen
class Route:
    """One method at one path."""

    method: str
    path: str
    handler: str
    """The name of its method in `rest.Rest`."""
    access: Access
    summary: str
    answers: Mapping[int, Any]
    """Types of the JSON answers by status, besides those that every route has."""
    query: type[Struct] | None = None
    body: type[Struct] | None = None
    """JSON or form-urlencoded."""


_PROBE = {200: schemas.Readiness, 503: schemas.Readiness}
_CHANGE = {200: schemas.Done, 500: schemas.Problem}

ROUTES = (
    Route(
        "GET",
        "/health",
        "health",
        Access.OPEN,
        "The gateway lives; does the worker?",
        {200: schemas.Health},
    ),
    Route("GET", "/healthz", "alive", Access.OPEN, "The gateway lives.", {200: schemas.Alive}),
    Route("GET", "/livez", "alive", Access.OPEN, "The gateway lives.", {200: schemas.Alive}),
    Route("GET", "/sj-ready", "sj_ready", Access.OPEN, "The worker runs.", _PROBE),
    Route("GET", "/readyz", "ready", Access.OPEN, "The worker is ready.", _PROBE),
    Route(
        "GET",
        "/status",
        "status",
        Access.VIEW,
        "All about the worker.",
        {200: schemas.Status, 400: schemas.Problem},
        query=schemas.StatusQuery,
    ),
    Route(
        "GET",
        "/logs",
        "logs",
        Access.VIEW,
        "The worker's last lines.",
        {200: schemas.Logs, 400: schemas.Problem},
        query=schemas.LogsQuery,
    ),
    Route(
        "POST",
        "/set-sj-key",
        "set_credentials",
        Access.CONTROL,
        "Give the worker other credentials and restart it.",
        {**_CHANGE, 400: schemas.Problem, 415: schemas.Problem},
        query=schemas.SetCredentialsQuery,
        body=Credentials,
    ),
    Route(
        "POST",
        "/restart-python",
        "restart",
        Access.CONTROL,
        "Stop the worker and start it.",
        {**_CHANGE, 400: schemas.Problem},
        query=schemas.RestartQuery,
    ),
    Route("POST", "/start-python", "start", Access.CONTROL, "Start the worker.", _CHANGE),
    Route("POST", "/stop-python", "stop", Access.CONTROL, "Stop the worker.", _CHANGE),
    Route(
        "GET",
        "/openapi.json",
        "openapi",
        Access.OPEN,
        "This document.",
        {200: schemas.OpenApi},
    ),
)
