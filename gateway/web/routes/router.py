"""Klein serves the rows of the route table; errors become JSON."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from twisted.logger import Logger

from gateway.common.credentials import CredentialsError
from gateway.contract import HeldError, WorkerError
from gateway.web.http.audit import INVALID
from gateway.web.http.request import BadRequestError, problem
from gateway.web.http.site import Mount
from gateway.web.routes.rest import answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from twisted.python.failure import Failure

    from gateway.web.http.request import Request
    from gateway.web.routes.route_table import Route

KEYS = "keys"
"""The code of credentials that can't be used."""

_log = Logger(namespace="gateway")


def mounts(routes: Iterable[Route]) -> dict[bytes, Mount]:
    """What answers at each path of `routes`, for `make_site`.

    Klein routes all but the leaves; what it fails with becomes JSON.  Raises ValueError where
    two methods of a path differ in their `Access`, which is asked by the path alone.
    """
    routes = tuple(routes)
    by_klein = _Router([route for route in routes if not route.is_leaf]).render
    made: dict[bytes, Mount] = {}
    for route in routes:
        if route.is_leaf:
            mount = Mount(route.handler, route.access, methods=(b"GET", b"HEAD"))
        else:
            mount = Mount(by_klein, route.access)
        if made.setdefault(route.path.encode(), mount) != mount:
            raise ValueError(f"{route.path}: its methods differ in who may ask")
    return made


class _Router:
    """Answers requests by Klein, which is imported for the first of them: relaying needs none."""

    def __init__(self, routes: list[Route]) -> None:
        self._routes = routes
        self._by_klein: Callable[[Request], Any] | None = None

    def render(self, request: Request) -> Any:
        if self._by_klein is None:
            self._by_klein = _by_klein(self._routes)
        return self._by_klein(request)


def _by_klein(routes: list[Route]) -> Any:
    from klein import Klein  # noqa: PLC0415
    from werkzeug.exceptions import HTTPException  # noqa: PLC0415

    app = Klein()
    app.url_map.merge_slashes = False  # it would redirect, in HTML
    app.handle_errors(BadRequestError)(_answer_bad_request)
    app.handle_errors(HTTPException)(_answer_http_error)
    app.handle_errors(Exception)(_answer_failure)
    for route in routes:
        endpoint = f"{route.method} {route.path}"
        app.route(route.path, methods=[route.method], endpoint=endpoint)(route.handler)
    return app.resource().render


def _answer_bad_request(request: Request, failure: Failure) -> bytes:
    error: Any = failure.value
    if request.who:
        request.site.audit(request, INVALID, error.error)
    return answer(request, error.status, problem(error.error))


def _answer_http_error(request: Request, failure: Failure) -> bytes:
    """An error of Klein's: of the paths that lead here, only the method can be wrong."""
    error: Any = failure.value
    if error.valid_methods:
        request.setHeader(b"Allow", ", ".join(sorted(error.valid_methods)).encode())
    return answer(request, error.code, problem(error.name))


def _answer_failure(request: Request, failure: Failure) -> bytes:
    """Tell the errors of `Control` to the client, and all others to the log."""
    error = failure.value
    if isinstance(error, CredentialsError):
        told = {**problem(error.message), "code": KEYS, "field": error.field}
        return answer(request, HTTPStatus.BAD_REQUEST, told)
    if isinstance(error, WorkerError):
        told = {**problem(error.message, error.details), "code": error.code}
        if isinstance(error, HeldError) and error.next_start:
            told["nextStart"] = error.next_start
        return answer(request, HTTPStatus.INTERNAL_SERVER_ERROR, told)
    _log.failure("A request failed", failure=failure)
    told = problem("Internal error", "The gateway's log has the reason.")
    return answer(request, HTTPStatus.INTERNAL_SERVER_ERROR, told)
