"""The OpenAPI document, made of the table of routes and the types it names.

Source: OpenAPI Specification 3.1.0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from gateway import __version__
from gateway.web.routes.schemas import Problem
from gateway.web.security.guard import Access

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.web.routes.route_table import Route

_BODIES = ("application/json", "application/x-www-form-urlencoded")
_TEMPLATE = "#/components/schemas/{name}"


def document(routes: Sequence[Route]) -> dict[str, Any]:
    """The document that describes `routes`, as what becomes JSON."""
    types = {kind for route in routes for kind in (*route.answers.values(), route.body) if kind}
    _, components = msgspec.json.schema_components(
        sorted(types | {Problem}, key=lambda kind: str(kind.__name__)), ref_template=_TEMPLATE
    )
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "sjgateway",
            "version": __version__,
            "description": "Control of the worker. Events go by Socket.IO, at /socket.io/.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    answers = {str(status): _answer(kind) for status, kind in route.answers.items()}
    operation: dict[str, Any] = {
        "operationId": f"{route.method.lower()}{route.path.title().replace('-', '')[1:]}",
        "summary": route.summary,
        "tags": [route.access.value],
        "responses": {**answers, "default": _answer(Problem)},
    }
    if route.access is not Access.OPEN:
        operation["security"] = [{}, {"token": []}]  # needed only where one is set
    if route.query is not None:
        operation["parameters"] = _parameters(route.query)
    if route.body is not None:
        schema = {"$ref": _TEMPLATE.format(name=route.body.__name__)}
        operation["requestBody"] = {
            "required": True,
            "content": {media_type: {"schema": schema} for media_type in _BODIES},
        }
    return operation


def _parameters(query: type[msgspec.Struct]) -> list[dict[str, Any]]:
    properties = msgspec.json.schema(query)["$defs"][query.__name__]["properties"]
    return [
        {
            "name": name,
            "in": "query",
            "description": schema.pop("description"),
            "schema": schema,
        }
        for name, schema in properties.items()
    ]


def _answer(kind: Any) -> dict[str, Any]:
    (schema,), _ = msgspec.json.schema_components([kind], ref_template=_TEMPLATE)
    description = (getattr(kind, "__doc__", None) or "").partition("\n")[0]
    return {"description": description, "content": {"application/json": {"schema": schema}}}
