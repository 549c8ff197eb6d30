"""What the REST routes answer, in the order of `route_table`."""

from __future__ import annotations

from http import HTTPStatus
from time import time
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import orjson
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.python.failure import Failure

from gateway.common.credentials import FIELDS, Credentials, CredentialsError
from gateway.common.fields import FieldError
from gateway.common.times import iso
from gateway.contract import WorkerError, no_alerts, no_hand_over, no_replay
from gateway.replay.wishes import Wish
from gateway.web.http.request import BadRequestError, read_body, read_query
from gateway.web.routes.schemas import (
    MOST_LINES,
    BarsQuery,
    LogsQuery,
    RestartQuery,
    SetCredentialsQuery,
    StatusQuery,
)
from gateway.web.security.addresses import address_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from twisted.web.http_headers import Headers

    from gateway.contract import Control
    from gateway.web.http.request import Request

BARS_LINES = (
    b"Content-Type: application/json; charset=utf-8\r\nCache-Control: no-cache, private\r\n"
)
LOG_BYTES = 262144
"""Bytes of lines in one answer, as JSON."""


class BarsAnswer(Protocol):
    """An answer as JSON."""

    @property
    def status(self) -> int: ...

    @property
    def body(self) -> bytes: ...

    @property
    def tag(self) -> str:
        """Equal tags: the same bars; "" for an error."""
        ...


def no_access(headers: Headers, peer: str | None) -> dict[str, Any]:
    """The `access` of handlers that have no guard: nothing is known of who asks."""
    del headers, peer
    return {"name": "", "role": "view"}


def no_codes() -> dict[str, Any]:
    """The `codes` of handlers that know none."""
    return {"timezone": "UTC", "markets": {}, "codes": {}}


class RestHandlers:
    """The handlers of the REST routes; each returns the answer, or a Deferred of it.

    `now`: seconds since 1970.  `status(codes=...)` makes the answer of `/status`; without it
    the answer is `Control.status`; `access(headers, peer)` says who asks.  `bars(fields, asker)`
    answers questions for bars, `codes()` makes the answer of `/codes`.  `test_alerts()` sends a
    test to each receiver of alerts, `hand_over()` hands the gateway over to newer code, and
    `replay(wish)` has a replay do something; all of them as `Control` changes something.
    `own_lines(lines)`: the number of the gateway's next log line, and its last `lines`.
    `elsewhere()`: why clients had better go to another gateway; "": they need not.
    """

    def __init__(
        self,
        control: Control,
        now: Callable[[], float] = time,
        *,
        status: Callable[..., Mapping[str, Any]] | None = None,
        access: Callable[[Headers, str | None], Mapping[str, Any]] = no_access,
        bars: Callable[[Mapping[str, Any], str], Deferred[Any]] | None = None,
        codes: Callable[[], Mapping[str, Any]] = no_codes,
        test_alerts: Callable[[], Deferred[Any]] = no_alerts,
        hand_over: Callable[[], Deferred[Any]] = no_hand_over,
        replay: Callable[[Wish], Deferred[Any]] = no_replay,
        own_lines: Callable[[int], tuple[int, Sequence[str]]] = lambda _: (0, []),
        elsewhere: Callable[[], str] = str,
    ) -> None:
        self._control = control
        self._now = now
        self._status = status
        self._access = access
        self._bars = bars
        self._codes = codes
        self._test_alerts = test_alerts
        self._hand_over = hand_over
        self._replay = replay
        self._own_lines = own_lines
        self._elsewhere = elsewhere

    def health(self, request: Request) -> bytes:
        """`/health`: the gateway lives, and whether the worker runs."""
        body = orjson.dumps(
            {
                "status": "ok",
                "pythonRunning": self._control.running,
                "timestamp": iso(self._now()),
                **self._control.health(),
            }
        )
        return request.encoded(HTTPStatus.OK, body)

    def alive(self, request: Request) -> bytes:
        """`/healthz` and `/livez`: the gateway lives."""
        return answer(request, HTTPStatus.OK, {"status": "ok"})

    def sj_ready(self, request: Request) -> bytes:
        """`/sj-ready`: 200 while the worker runs, else 503."""
        return _answer_probe(request, yes=self._control.running)

    def ready(self, request: Request) -> bytes:
        """`/readyz`: 200 while the worker is ready, else 503, and why."""
        if why := self._elsewhere():
            return _answer_probe(request, yes=False, reason=why)
        return _answer_probe(request, yes=self._control.ready, **self._control.readiness())

    def status(self, request: Request) -> bytes:
        """`/status`: the state of worker and relay."""
        query = read_query(request, StatusQuery)
        told = self._status(codes=query.codes) if self._status else self._control.status()
        access = self._access(request.requestHeaders, request.peer)
        return answer(request, HTTPStatus.OK, {**told, "time": self._now(), "access": access})

    def logs(self, request: Request) -> bytes:
        """`/logs`: the newest lines of the worker or the gateway, or those from a position on."""
        query = read_query(request, LogsQuery)
        if query.source == "gateway":
            position, kept = self._own_lines(MOST_LINES)
        else:
            position, kept = self._control.log_position, self._control.log_tail(MOST_LINES)
        first = position - len(kept)
        if not query.since:
            lines = _fitting(reversed(kept[-query.lines :]))[::-1]
            end = first + len(kept)
        else:
            start = max(0, query.since - first)
            lines = _fitting(kept[start : start + query.lines])
            end = first + min(start, len(kept)) + len(lines)
        return answer(request, HTTPStatus.OK, {"lines": lines, "next": end})

    def bars(self, request: Request) -> Deferred[bytes]:
        """`/bars`: bars of one code."""
        query = read_query(request, BarsQuery, bare="")
        if self._bars is None:
            return succeed(answer(request, HTTPStatus.NOT_FOUND, {"error": "No bars are kept"}))
        asker = address_key(request.address)
        asked = self._bars(msgspec.to_builtins(query), asker)
        return asked.addCallback(_answer_bars, request)

    def codes(self, request: Request) -> bytes:
        """`/codes`: what is known of each code."""
        return answer(request, HTTPStatus.OK, self._codes())

    def restart(self, request: Request) -> Deferred[bytes]:
        """`/restart-python`: stop the worker and start it."""
        query = read_query(request, RestartQuery)
        return _change(
            request, "Python process restarted", self._control.restart, force=query.force
        )

    def start(self, request: Request) -> Deferred[bytes]:
        """`/start-python`: start the worker."""
        return _change(request, "Python process started", self._control.start_worker)

    def stop(self, request: Request) -> Deferred[bytes]:
        """`/stop-python`: stop the worker."""
        return _change(request, "Python process stopped", self._control.stop_worker)

    def hand_over(self, request: Request) -> Deferred[bytes]:
        """`/hand-over`: let the code on disk take over, without an end of the worker."""
        return _change(request, "The code on disk takes over now", self._hand_over)

    def test_alerts(self, request: Request) -> Deferred[bytes]:
        """`/alerts/test`: send a test to each receiver of alerts."""
        return _change(request, "Every receiver took the test", self._test_alerts)

    def replay(self, request: Request) -> Deferred[bytes]:
        """`/replay`: pause a replay, let it go on, change its speed, or go to a time of it."""
        try:
            wish = Wish.validated(read_body(request, Wish.__struct_fields__))
        except FieldError as error:
            raise BadRequestError(error.message) from None
        return _change(request, "The replay does as asked", self._replay, wish)

    def set_credentials(self, request: Request) -> Deferred[bytes]:
        """`/set-sj-key`: restart the worker with other keys."""
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
    """The first lines, as JSON, that fit in `LOG_BYTES` together."""
    room = LOG_BYTES
    fitting = []
    for line in lines:
        encoded = orjson.dumps(line)
        room -= len(encoded) + 1
        if room < 0:
            break
        fitting.append(orjson.Fragment(encoded))
    return fitting


def answer(request: Request, status: int, value: Any) -> bytes:
    """Set status and headers for `value`; returns it as JSON, as Klein needs it."""
    body = request.json(status, value)
    request.setHeader(b"Content-Length", b"%d" % len(body))
    return body


def _answer_bars(found: BarsAnswer, request: Request) -> bytes:
    """Answer with what was found, or that the client has it already (RFC 9110, section 13.1.2)."""
    request.setResponseCode(found.status)
    tag = f'"{found.tag}"'
    if found.tag:
        # A weak one: the time of the newest tick in the answer may be another.
        request.setHeader(b"ETag", f"W/{tag}".encode())
        if tag in (request.getHeader("if-none-match") or ""):
            request.setResponseCode(HTTPStatus.NOT_MODIFIED)
            return b""
    request.header_lines += BARS_LINES
    request.setHeader(b"Content-Length", b"%d" % len(found.body))
    return found.body


def _answer_probe(request: Request, *, yes: bool, **more: Any) -> bytes:
    status = HTTPStatus.OK if yes else HTTPStatus.SERVICE_UNAVAILABLE
    return answer(request, status, {"ready": yes, **more})


def _change(
    request: Request, message: str, change: Callable[..., Deferred[Any]], *args: Any, **kwargs: Any
) -> Deferred[bytes]:
    """Call `change`; answer with `message` and the facts that its Deferred fires with.

    When the client goes away, Klein cancels what a handler returned; the change goes on.
    """
    shielded: Deferred[Any] = Deferred()
    changed = maybeDeferred(change, *args, **kwargs)
    changed.addBoth(_audited, request, forced=kwargs.get("force", False))
    changed.addBoth(shielded.callback)
    return shielded.addCallback(
        lambda facts: answer(
            request, HTTPStatus.OK, {"success": True, "message": message, **(facts or {})}
        )
    )


def _audited(result: Any, request: Request, *, forced: bool) -> Any:
    """Log what became of a change."""
    if isinstance(result, Failure):
        request.site.audit(request, "failed", _told(result.value), forced=forced)
    else:
        request.site.audit(request, "done", forced=forced)
    return result


def _told(error: BaseException | None) -> str:
    """What a change failed with, for the log; without details."""
    if isinstance(error, WorkerError | CredentialsError):
        return error.message
    return type(error).__name__
