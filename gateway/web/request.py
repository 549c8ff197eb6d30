"""HTTP/1.1 as we take it: what twisted.web lets pass and we do not.

Twisted parses and frames requests, refuses two framings of one body, malformed chunks,
names and control characters, and answers pipelined requests in order.  Added here are
bounds that hold before anything is stored, deadlines that no byte prolongs, a strict
Host and Transfer-Encoding, no folded headers, no bare line feeds, and errors as JSON.

Sources: RFC 9112 sections 2.2, 3.2, 5.2, 6.1-6.3, 9.6; RFC 9110 sections 5.5 and 7.2.
"""

from __future__ import annotations

from enum import Enum, auto
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, Any, Protocol, cast

import orjson
from twisted.internet.protocol import connectionDone
from twisted.internet.tcp import Connection
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web import server
from twisted.web.error import UnsupportedMethod
from twisted.web.http import NO_BODY_CODES, HTTPChannel
from twisted.web.iweb import INonQueuedRequestFactory
from zope.interface import directlyProvides

if TYPE_CHECKING:
    from gateway.web.site import Site

LONGEST_LENGTH = 19
"""Digits of a Content-Length; int() refuses thousands of them with an error of its own."""

_log = Logger(namespace="gateway")


class Phase(Enum):
    """What a connection owes us, or we it."""

    HEAD = auto()
    """The rest of a request's head; a new connection too."""
    BODY = auto()
    HANDLING = auto()
    """Nothing: the answer is ours to give, or the connection no longer ours."""
    IDLE = auto()
    """The next request."""
    CLOSING = auto()
    """To take what we wrote last; we take nothing more."""
    REJECTED = auto()
    """The same, after an error of its own."""


_OVER = frozenset((Phase.CLOSING, Phase.REJECTED))


class Leaf(Protocol):
    """A resource that answers by itself whatever leads to it."""

    def render(self, request: Request, /) -> bytes | int: ...


class BodyTooLargeError(Exception):
    """A body without a declared length grew over its bound."""


class Request(server.Request):
    """A request whose errors are JSON and whose body lies in memory, within bounds."""

    channel: Channel
    content: BytesIO
    defaultContentType = None

    def gotLength(self, length: int | None) -> None:
        self.content = BytesIO()

    def handleContentChunk(self, data: bytes) -> None:
        if self.content.tell() + len(data) > self.channel.body_limit:
            raise BodyTooLargeError
        self.content.write(data)

    def process(self) -> None:
        self.site = self.channel.site
        self.setHeader(b"Date", self.site.date())
        self.prepath = []
        self.postpath = self.path[1:].split(b"/")
        try:
            self.render(self.site.resource)
        except Exception:
            self.processingFailed(Failure())

    def render(self, resrc: Leaf) -> None:
        """Write what `resrc` renders; bytes are the whole answer."""
        try:
            body = resrc.render(self)
        except UnsupportedMethod as error:
            self.setHeader(b"Allow", b", ".join(error.allowedMethods))
            body = self.problem(HTTPStatus.METHOD_NOT_ALLOWED, "Method not allowed")
        if isinstance(body, int):  # NOT_DONE_YET
            return
        if self.code not in NO_BODY_CODES:
            self.setHeader(b"Content-Length", b"%d" % len(body))
        self.write(body)
        self.finish()

    def json(self, status: int, value: Any) -> bytes:
        """Set status and headers for `value`; returns it as JSON."""
        self.setResponseCode(status)
        self.setHeader(b"Content-Type", b"application/json; charset=utf-8")
        self.setHeader(b"Cache-Control", b"no-store")
        self.setHeader(b"X-Content-Type-Options", b"nosniff")
        return orjson.dumps(value)

    def problem(self, status: int, error: str, details: Any = None) -> bytes:
        """Set status and headers for an error; returns it as JSON."""
        return self.json(status, _problem(error, details))

    def processingFailed(self, reason: Failure) -> Failure:
        """Our fault: told to the log, not to the client."""
        _log.failure("A request failed", failure=reason)
        if self.startedWriting:
            self.loseConnection()
            return reason
        body = self.problem(
            HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error", "See the gateway's log."
        )
        self.setHeader(b"Content-Length", b"%d" % len(body))
        self.write(body)
        self.finish()
        return reason


# Twisted asks this for every request; without it, it passes a queue position besides.
directlyProvides(Request, INonQueuedRequestFactory)


class Channel(HTTPChannel):
    """One connection."""

    site: Site
    transport: Any
    requests: list[Request]
    requestFactory = Request
    timeOut = None  # ours are absolute
    body_limit = 0
    _phase = Phase.HANDLING
    # Twisted's, and empty until the request line was read; its type is inferred wrongly.
    _path: bytes = b""  # type: ignore[assignment]

    # -- phases -----------------------------------------------------------------------

    def connectionMade(self) -> None:
        super().connectionMade()
        self._enter(Phase.HEAD)

    def _enter(self, phase: Phase) -> None:
        self._phase = phase
        seconds = self.site.seconds[phase]
        if seconds:
            self.site.expiry.watch(self, seconds)
        else:
            self.site.expiry.forget(self)

    def overdue(self) -> None:
        """The peer did not do in time what it owes."""
        if self._phase in _OVER:
            self.transport.abortConnection()
        elif self._phase is Phase.IDLE or not self.requests:
            self.loseConnection()
        else:
            self.reject(HTTPStatus.REQUEST_TIMEOUT)

    def allContentReceived(self) -> None:
        if self._phase not in _OVER:
            self._enter(Phase.HANDLING)
            super().allContentReceived()

    def requestDone(self, request: Request) -> None:
        self._enter(Phase.IDLE)
        super().requestDone(request)

    def loseConnection(self) -> None:
        self._enter(Phase.CLOSING)
        super().loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.site.expiry.forget(self)
        super().connectionLost(reason)

    # -- what we do not take ----------------------------------------------------------

    def reject(self, status: int) -> None:
        """Answer with an error, and close: what follows could be anything.

        The peer may still be sending; were the socket closed at once, it would see a
        reset instead of the answer.
        """
        if self._phase in _OVER:
            return
        self._enter(Phase.REJECTED)
        self.transport.write(_rejection(status, self._cors()))
        if isinstance(self.transport, Connection) and not self.transport.TLS:
            self.transport.loseWriteConnection()
        else:
            super().loseConnection()

    def _cors(self) -> tuple[tuple[bytes, bytes], ...]:
        """What lets a page read the answer; nothing where the head was not read."""
        if not self.requests or not self._path:
            return ()
        return self.site.cors(self.requests[-1])

    def _respondToBadRequestAndDisconnect(self) -> None:
        self.reject(HTTPStatus.BAD_REQUEST)

    def dataReceived(self, data: bytes) -> None:
        if self._phase in _OVER:
            return
        super().dataReceived(data)
        if not self.line_mode or self._busyReceiving or self._phase in _OVER:
            return
        if b"\n" in self._buffer:
            self.reject(HTTPStatus.BAD_REQUEST)
        elif self._phase is Phase.IDLE and (self._buffer or self.requests):
            self._enter(Phase.HEAD)

    def lineReceived(self, line: bytes) -> bool:
        if not self._path:
            if len(line) > self.site.limits.url:
                self.reject(HTTPStatus.REQUEST_URI_TOO_LONG)
        elif line[:1] in (b" ", b"\t"):
            self.reject(HTTPStatus.BAD_REQUEST)
        elif self._receivedHeaderSize + len(line) > self.site.limits.header_bytes:
            self.reject(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        if self._phase not in _OVER:
            super().lineReceived(line)
        return self._phase in _OVER  # LineReceiver stops at the first true answer

    def lineLengthExceeded(self, line: bytes) -> None:
        self.reject(
            HTTPStatus.REQUEST_URI_TOO_LONG
            if not self._path
            else HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        )

    def headerReceived(self, line: bytes) -> bool:
        if self._receivedHeaderCount >= self.site.limits.headers:
            self.reject(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            return False
        if line[:15].lower() == b"content-length:" and len(line[15:].strip()) > LONGEST_LENGTH:
            self.reject(HTTPStatus.BAD_REQUEST)
            return False
        return cast("bool", super().headerReceived(line))

    def allHeadersReceived(self) -> None:
        if self._phase in _OVER:
            return
        request = self.requests[-1]
        if not _is_well_formed(request, self._path, self._version):
            self.reject(HTTPStatus.BAD_REQUEST)
            return
        if self.length != 0:
            self.body_limit = self.site.body_limit(self._path)
            if self.length is not None and self.length > self.body_limit:
                self.reject(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
                return
            self._enter(Phase.BODY)
        super().allHeadersReceived()

    def rawDataReceived(self, data: bytes) -> None:
        if self._phase in _OVER:
            return
        try:
            super().rawDataReceived(data)
        except BodyTooLargeError:
            self.reject(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def _is_well_formed(request: Request, path: bytes, version: bytes) -> bool:
    header = request.requestHeaders.getRawHeaders
    hosts = len(header(b"Host", ()))
    if hosts > 1 or (hosts == 0 and version == b"HTTP/1.1"):
        return False
    codings = header(b"Transfer-Encoding")
    if codings is not None and (
        version != b"HTTP/1.1" or [coding.lower() for coding in codings] != [b"chunked"]
    ):
        return False
    return path.startswith(b"/") and path.isascii() and b"\x7f" not in path


def _problem(error: str, details: Any = None) -> dict[str, Any]:
    return {"error": error} if details is None else {"error": error, "details": details}


def _rejection(status: int, headers: tuple[tuple[bytes, bytes], ...]) -> bytes:
    phrase = HTTPStatus(status).phrase
    body = orjson.dumps(_problem(phrase))
    lines = [
        b"HTTP/1.1 %d %s" % (status, phrase.encode()),
        b"Content-Type: application/json; charset=utf-8",
        b"Content-Length: %d" % len(body),
        b"Connection: close",
        *(b"%s: %s" % header for header in headers),
    ]
    return b"\r\n".join([*lines, b"", body])
