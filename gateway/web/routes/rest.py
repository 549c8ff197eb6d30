"""The REST routes, served by Klein; `/health`, asked all the time, by a bare resource."""

from __future__ import annotations

from http import HTTPStatus
from time import time
from typing import TYPE_CHECKING, Any

import orjson
from klein import Klein
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.error import UnsupportedMethod
from werkzeug.exceptions import HTTPException

from gateway.common.times import iso
from gateway.contract import FIELDS, Credentials, CredentialsError, HeldError, WorkerError
from gateway.web.http.audit import audit
from gateway.web.http.request import BadRequestError, problem, read_body, read_query
from gateway.web.http.site import Mount
from gateway.web.routes.openapi import document
from gateway.web.routes.route_table import ROUTES
from gateway.web.routes.schemas import (
    MOST_LINES,
    LogsQuery,
    RestartQuery,
    SetCredentialsQuery,
    StatusQuery,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from twisted.web.resource import Resource

    from gateway.contract import Control
    from gateway.web.http.request import Request

LOG_BYTES = 262144
"""The most of the worker's lines in one answer, as JSON."""

_log = Logger(namespace="gateway")


def rest_mounts(
    control: Control,
    now: Callable[[], float] = time,
    *,
    status: Callable[..., Mapping[str, Any]] | None = None,
) -> dict[bytes, Mount]:
    """A mount for each path of `routes.ROUTES`.  `now`: the time, in seconds since 1970.

    `status` makes the answer of `/status`, if that tells of more than the worker.
    """
    rest = Rest(control, status).resource()
    mounts = {route.path.encode(): Mount(rest, route.access) for route in ROUTES}
    mounts[b"/health"] = mounts[b"/health"]._replace(resource=Health(control, now))
    return mounts


class Health:
    """`GET /health`: the gateway lives, and whether the worker does."""

    def __init__(self, control: Control, now: Callable[[], float]) -> None:
        self._control = control
        self._now = now

    def render(self, request: Request) -> bytes:
        """The answer; made anew each time, for it tells of now."""
        if request.method not in (b"GET", b"HEAD"):
            raise UnsupportedMethod([b"GET", b"HEAD"])
        answer = orjson.dumps(
            {
                "status": "ok",
                "pythonRunning": self._control.running,
                "timestamp": iso(self._now()),
                **self._control.health(),
            }
        )
        return request.encoded(HTTPStatus.OK, answer)


class Rest:
    """Handlers of the routes; each returns the answer, or a Deferred of it."""

    def __init__(self, control: Control, status: Callable[..., Mapping[str, Any]] | None) -> None:
        self._control = control
        self._status = status
        self._document = document(ROUTES)

    def resource(self) -> Resource:
        """What serves all the routes but `/health`."""
        app = Klein()
        app.url_map.merge_slashes = False  # it would redirect, in HTML
        for route in ROUTES:
            if route.path != "/health":
                app.route(route.path, methods=[route.method])(getattr(self, route.handler))
        app.handle_errors(BadRequestError)(_answer_bad_request)
        app.handle_errors(HTTPException)(_answer_http_error)
        app.handle_errors(Exception)(_answer_failure)
        return app.resource()

    def alive(self, request: Request) -> bytes:
        return _answer(request, HTTPStatus.OK, {"status": "ok"})

    def sj_ready(self, request: Request) -> bytes:
        return _answer_probe(request, yes=self._control.running)

    def ready(self, request: Request) -> bytes:
        return _answer_probe(request, yes=self._control.ready, **self._control.readiness())

    def status(self, request: Request) -> bytes:
        query = read_query(request, StatusQuery)
        told = self._status(codes=query.codes) if self._status else self._control.status()
        return _answer(request, HTTPStatus.OK, told)

    def logs(self, request: Request) -> bytes:
        query = read_query(request, LogsQuery)
        kept = self._control.log_tail(MOST_LINES)
        first = self._control.log_position - len(kept)
        if not query.since:
            lines = _fitting(reversed(kept[-query.lines :]))[::-1]
            end = first + len(kept)
        else:
            start = max(0, query.since - first)
            lines = _fitting(kept[start : start + query.lines])
            end = first + min(start, len(kept)) + len(lines)
        return _answer(request, HTTPStatus.OK, {"lines": lines, "next": end})

    def openapi(self, request: Request) -> bytes:
        return _answer(request, HTTPStatus.OK, self._document)

    def restart(self, request: Request) -> Deferred[bytes]:
        query = read_query(request, RestartQuery)
        return _change(
            request, "Python process restarted", self._control.restart, force=query.force
        )

    def start(self, request: Request) -> Deferred[bytes]:
        return _change(request, "Python process started", self._control.start_worker)

    def stop(self, request: Request) -> Deferred[bytes]:
        return _change(request, "Python process stopped", self._control.stop_worker)

    def set_credentials(self, request: Request) -> Deferred[bytes]:
        query = read_query(request, SetCredentialsQuery)
        try:
            credentials = Credentials.validated(read_body(request, FIELDS))
        except CredentialsError as error:
            raise BadRequestError(error.message) from None
        return _change(
            request,
            "Credentials updated and Python process restarted",
            self._control.set_credentials,
            credentials,
            wait_ready=query.wait == "ready",
        )


def _fitting(lines: Iterable[str]) -> list[orjson.Fragment]:
    """The first of `lines`, as JSON, that are within `LOG_BYTES` together."""
    room = LOG_BYTES
    fitting = []
    for line in lines:
        encoded = orjson.dumps(line)
        room -= len(encoded) + 1
        if room < 0:
            break
        fitting.append(orjson.Fragment(encoded))
    return fitting


def _answer(request: Request, status: int, value: Any) -> bytes:
    body = request.json(status, value)
    request.setHeader(b"Content-Length", b"%d" % len(body))
    return body


def _answer_probe(request: Request, *, yes: bool, **more: Any) -> bytes:
    status = HTTPStatus.OK if yes else HTTPStatus.SERVICE_UNAVAILABLE
    return _answer(request, status, {"ready": yes, **more})


def _change(
    request: Request, message: str, change: Callable[..., Deferred[Any]], *args: Any, **kwargs: Any
) -> Deferred[bytes]:
    """Make `change` and answer with `message` and the facts it fires with.

    Klein cancels what a handler returned when the client goes away; the change goes on.
    """
    shielded: Deferred[Any] = Deferred()
    changed = maybeDeferred(change, *args, **kwargs)
    changed.addBoth(_audited, request, forced=kwargs.get("force", False))
    changed.addBoth(shielded.callback)
    return shielded.addCallback(
        lambda facts: _answer(
            request, HTTPStatus.OK, {"success": True, "message": message, **(facts or {})}
        )
    )


def _audited(result: Any, request: Request, *, forced: bool) -> Any:
    """Say in the log what became of a change."""
    failed = isinstance(result, Failure)
    outcome = _told(result.value) if failed else "done"
    audit(request, f"{outcome} (forced)" if forced else outcome)
    return result


def _told(error: BaseException) -> str:
    """The outcome of a change that failed with `error`, for the log; without details."""
    if isinstance(error, WorkerError | CredentialsError):
        return f"failed: {error.message}"
    return f"failed: {type(error).__name__}"


# -- errors ---------------------------------------------------------------------------


def _answer_problem(request: Request, status: int, error: str, details: Any = None) -> bytes:
    body = request.problem(status, error, details)
    request.setHeader(b"Content-Length", b"%d" % len(body))
    return body


def _answer_bad_request(request: Request, failure: Failure) -> bytes:
    error: Any = failure.value
    if request.who:
        audit(request, f"refused: {error.error}")
    return _answer_problem(request, error.status, error.error)


def _answer_http_error(request: Request, failure: Failure) -> bytes:
    """Klein's own: of the paths that lead here, only the method can be wrong."""
    error: Any = failure.value
    if error.valid_methods:
        request.setHeader(b"Allow", ", ".join(sorted(error.valid_methods)).encode())
    return _answer_problem(request, error.code, error.name)


def _answer_failure(request: Request, failure: Failure) -> bytes:
    """Tell the errors of `Control` to the client, and all others to the log."""
    error = failure.value
    if isinstance(error, CredentialsError):
        return _answer_problem(request, HTTPStatus.BAD_REQUEST, error.message)
    if isinstance(error, WorkerError):
        answer = problem(error.message, error.details)
        if isinstance(error, HeldError) and error.next_start:
            answer["nextStart"] = error.next_start
        return _answer(request, HTTPStatus.INTERNAL_SERVER_ERROR, answer)
    _log.failure("A request failed", failure=failure)
    return _answer_problem(
        request,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "Internal error",
        "The gateway's log has the reason.",
    )
