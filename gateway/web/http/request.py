"""One request and its answer: bounded bodies in memory, and errors as JSON."""

from __future__ import annotations

import re
from functools import lru_cache, partial
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl

import msgspec
import orjson
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web import server
from twisted.web.error import UnsupportedMethod
from twisted.web.http import NO_BODY_CODES
from twisted.web.iweb import INonQueuedRequestFactory
from zope.interface import directlyProvides

from gateway.common.fields import FieldError, convert
from gateway.web.http.answers import JSON_LINES, PHRASES
from gateway.web.http.known import KnownRequest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.common.fields import T
    from gateway.web.http.known import Answerer
    from gateway.web.http.known_channel import KnownChannel
    from gateway.web.http.limits import Timer
    from gateway.web.http.site import Site


_log = Logger(namespace="gateway")


class Leaf(Protocol):
    """What `Request.render` needs of a resource."""

    def render(self, request: Request, /) -> bytes | int:
        """The whole answer, or NOT_DONE_YET."""
        ...


MOST_CHUNKS = 1000
"""Chunks that a body may have besides one for each `CHUNK_SIZE` bytes; more is a flood, since a
chunk costs as much work as hundreds of bytes."""
CHUNK_SIZE = 32


class BodyTooLargeError(Exception):
    """A body without a declared length grew over its bound, or came in too many chunks."""


class Request(server.Request):
    """One request, as the handlers get it."""

    channel: KnownChannel
    site: Site
    transport: Any
    content: BytesIO
    defaultContentType = None
    announced = ""
    """The client's address, if a trusted proxy told it; else empty."""
    who = ""
    """Who asks, for the log; set for control actions only."""
    verdict_lines = b""
    """Header lines from the guard, for any answer."""
    header_lines = b""
    """Header lines from the handler, besides `responseHeaders`; each ends with CRLF."""
    head = b""
    """All its bytes; empty where it can't be remembered."""
    revision: int | None = None
    """The guard's, by which it was let in; None: it is judged each time."""

    _chunks = 0

    @property
    def peer(self) -> str | None:
        """The address at the other end of the connection; None: a UNIX socket."""
        return getattr(self.client, "host", None)

    @property
    def address(self) -> str:
        """The client's address, told by a trusted proxy or the peer's; empty: a UNIX socket."""
        return self.announced or self.peer or ""

    def gotLength(self, length: int | None) -> None:
        self.content = BytesIO()

    def handleContentChunk(self, data: bytes) -> None:
        size = self.content.tell() + len(data)
        if self.channel.length is None:  # each call is a chunk, or a part of one
            self._chunks += 1
        if size > self.channel.body_limit or self._chunks > MOST_CHUNKS + size // CHUNK_SIZE:
            raise BodyTooLargeError
        self.content.write(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """Handle the complete request; Twisted's own would also parse the query."""
        self.content.seek(0)
        self.method, self.uri, self.clientproto = command, path, version
        self.path = path.partition(b"?")[0]
        self.args = {}
        self.process()

    def parseCookies(self) -> None:
        """Nothing: cookies are not used."""

    def process(self) -> None:
        self.site = self.channel.site
        self.prepath = []
        self.postpath = self.path[1:].split(b"/")
        try:
            self.render(self.site.resource)
        except Exception:
            self.processingFailed(Failure())

    def render(self, resrc: Leaf) -> None:
        """Write what `resrc.render` returns: bytes are the whole answer."""
        try:
            body = resrc.render(self)
        except UnsupportedMethod as error:
            self.setHeader(b"Allow", b", ".join(sorted(error.allowedMethods)))
            body = self.problem(HTTPStatus.METHOD_NOT_ALLOWED, "Method Not Allowed")
        if isinstance(body, bytes):  # else NOT_DONE_YET
            self._answer(body)

    def setResponseCode(self, code: int, message: bytes | None = None) -> None:
        self.code = code
        self.code_message = message or PHRASES.get(code, b"Unknown Status")

    def answer_later(self, timer: Timer, delay: float, body: bytes) -> None:
        """Write the answer `body` in `delay` seconds, unless the client goes before."""
        pending = timer.callLater(delay, partial(self._answer, body))
        self.notifyFinish().addErrback(lambda _: pending.cancel())

    def remember(self, answerer: Answerer) -> None:
        """Let `answerer` answer when this request comes again on its connection."""
        if self.head and self.revision is not None:
            self.channel.known = KnownRequest(self.head, self.revision, answerer)

    def json(self, status: int, value: Any) -> bytes:
        """Set status and headers for `value`; returns it as JSON."""
        return self.encoded(status, orjson.dumps(value))

    def encoded(self, status: int, json: bytes) -> bytes:
        """Set status and headers for `json`, and return it."""
        self.setResponseCode(status)
        self.header_lines += JSON_LINES
        return json

    def problem(self, status: int, error: str, details: Any = None) -> bytes:
        """Set status and headers for an error; returns it as JSON."""
        return self.json(status, problem(error, details))

    def processingFailed(self, reason: Failure) -> Failure:
        """Answer with 500 and log the failure; the client does not see what it was."""
        _log.failure("A request failed", failure=reason)
        if self.startedWriting:
            self.loseConnection()
            return reason
        self.header_lines = b""
        self._answer(
            self.problem(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                "Internal error",
                "The gateway's log has the reason.",
            )
        )
        return reason

    def _answer(self, body: bytes) -> None:
        """Write the whole answer and finish, without the checks of Twisted's `write`."""
        length = b"" if self.code in NO_BODY_CODES else b"Content-Length: %d\r\n" % len(body)
        self.startedWriting = 1
        self.channel.writeHeaders(
            self.clientproto, b"%d" % self.code, self.code_message, self.responseHeaders, length
        )
        if self.method != b"HEAD":
            self.channel.write(body)
        if self.notifications:
            self.finish()
        else:  # what is left of it: there is neither a producer nor a log
            self.finished = 1
            self.channel.requestDone(self)
            del self.channel
            del self.content


# Twisted asks this for every request; without it, it passes a queue position besides.
directlyProvides(Request, INonQueuedRequestFactory)


def problem(error: str, details: Any = None) -> dict[str, Any]:
    """The JSON of an error."""
    return {"error": error} if details is None else {"error": error, "details": details}


# -- Reading requests: bytes in, structures or `BadRequestError` out.

MAX_FIELDS = 100
_UTF8 = frozenset(("utf-8", "utf8", "us-ascii"))
_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_CHARSET = re.compile(r';\s*charset[^;=]*=\s*"?([^";\s]*)')
"""A parameter `charset`, in any form (RFC 9110 section 5.6.6, RFC 2231)."""


class BadRequestError(Exception):
    """The request is wrong; the client is answered with `error` and `status`."""

    def __init__(self, error: str, status: int = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(error)
        self.error = error
        self.status = status


def read_query(request: Request, kind: type[T], *, bare: str = "true") -> T:
    """The query as `kind`.  A name without a value has the value `bare`.

    Raises BadRequestError.
    """
    fields = _form_fields(request.uri.partition(b"?")[2], _names(kind))
    try:
        return convert({name: value or bare for name, value in fields.items()}, kind, strict=False)
    except FieldError as error:
        raise BadRequestError(error.message) from None


def read_body(request: Request, names: Sequence[str]) -> Mapping[str, Any]:
    """The fields of the body, JSON or form-urlencoded; of a form only those in `names`.

    Raises BadRequestError.
    """
    body = request.content.read()
    is_json = _media_type(request, body) == _JSON
    return _json_fields(body) if is_json else _form_fields(body, names)


def _media_type(request: Request, body: bytes) -> str:
    """`_JSON` or `_FORM`; an empty body is an empty form."""
    if not body:
        return _FORM
    header = (request.getHeader(b"Content-Type") or b"").decode("latin-1").lower()
    media_type = header.partition(";")[0].strip()
    if (
        media_type not in {_JSON, _FORM}
        or not _UTF8.issuperset(_CHARSET.findall(header))
        or request.requestHeaders.hasHeader(b"Content-Encoding")
    ):
        raise BadRequestError(
            f"Send {_JSON} or {_FORM}, in UTF-8 and not compressed.",
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        )
    return media_type


def _json_fields(body: bytes) -> Mapping[str, Any]:
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadRequestError("The body is not JSON.") from None
    if not isinstance(value, dict):
        raise BadRequestError("The body must be a JSON object.")
    return value


def _form_fields(encoded: bytes, names: Sequence[str]) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            encoded.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS
        )
    except ValueError:
        raise BadRequestError("The fields are not form-urlencoded UTF-8.") from None
    known = [(name, value) for name, value in pairs if name in names]
    fields = dict(known)
    if len(fields) != len(known):
        raise BadRequestError("A field is given twice.")
    return fields


@lru_cache
def _names(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    return tuple(field.encode_name for field in msgspec.structs.fields(kind))
