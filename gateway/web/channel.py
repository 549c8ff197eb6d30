"""HTTP/1.1 connections as we take them: what twisted.web lets pass and we do not.

Twisted parses and frames requests, refuses two framings of one body, malformed chunks,
names and control characters, and answers pipelined requests in order.  Added here are
bounds that hold before anything is stored, deadlines that no byte prolongs, a strict
Host and Transfer-Encoding, no folded headers, no bare line feeds, and errors as JSON.

Sources: RFC 9112 sections 2.2, 3.2, 5.2, 6.1-6.3, 9.6; RFC 9110 sections 5.5 and 7.2.
"""

from __future__ import annotations

from enum import IntEnum, auto
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

import orjson
from twisted.internet.interfaces import IAddress, ISSLTransport
from twisted.internet.protocol import connectionDone
from twisted.internet.tcp import Connection
from twisted.web.http import HTTPChannel

from gateway.web.request import JSON_LINES, BodyTooLargeError, Request, problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from twisted.python.failure import Failure
    from twisted.web.http_headers import Headers

    from gateway.web.site import Site

LONGEST_LENGTH = 19
"""Digits of a Content-Length; int() refuses thousands of them with an error of its own."""


class Phase(IntEnum):
    """What a connection owes us, or we it; from CLOSING on nothing is read any more."""

    HEAD = auto()
    """The rest of a request's head; a new connection too."""
    BODY = auto()
    HANDLING = auto()
    """Nothing: the answer is ours to give, or the connection no longer ours."""
    IDLE = auto()
    """The next request."""
    CLOSING = auto()
    """To take what we wrote last."""
    REJECTED = auto()
    """The same, after an error of its own."""


class Channel(HTTPChannel):
    """One connection."""

    site: Site
    transport: Any
    requests: list[Request]
    requestFactory = Request
    timeOut = None  # ours are absolute
    body_limit = 0
    # Twisted's, and empty until the request line was read; its type is inferred wrongly.
    _path: bytes = b""  # type: ignore[assignment]
    _phase = Phase.HANDLING
    _is_bare = False
    _head = b""
    _segment = b""
    """What is being read, where it began with a request."""

    # -- phases -----------------------------------------------------------------------

    def connectionMade(self) -> None:
        super().connectionMade()
        self._is_bare = isinstance(self.transport, Connection) and not self.transport.TLS
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
        if self._phase >= Phase.CLOSING:
            self.transport.abortConnection()
        elif self._phase is Phase.IDLE or not self.requests:
            self.loseConnection()
        else:
            self.reject(HTTPStatus.REQUEST_TIMEOUT)

    def allContentReceived(self) -> None:
        if self._phase < Phase.CLOSING:
            self._enter(Phase.HANDLING)
            super().allContentReceived()

    def requestDone(self, request: Request) -> None:
        self.write(b"")  # a head without a body
        if request.repeat is not None and self._segment and not self._buffer and self.persistent:
            self.site.repeats.remember(self._segment, request)
        self._enter(Phase.IDLE)
        super().requestDone(request)

    def loseConnection(self) -> None:
        self._enter(Phase.CLOSING)
        super().loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.site.expiry.forget(self)
        super().connectionLost(reason)

    # -- the other end ----------------------------------------------------------------

    @cached_property
    def is_secure(self) -> bool:
        """Whether the connection is encrypted."""
        return bool(ISSLTransport.providedBy(self.transport))

    @cached_property
    def _host(self) -> IAddress:
        return cast("IAddress", self.transport.getHost())

    @cached_property
    def _peer(self) -> IAddress:
        return cast("IAddress", self.transport.getPeer())

    def getHost(self) -> IAddress:
        """Our own address: asked for with every request, and a system call each time."""
        return self._host

    def getPeer(self) -> IAddress:
        """The other end's address; behind HAProxy known from the first request on."""
        return self._peer

    # -- writing ----------------------------------------------------------------------

    def writeHeaders(
        self, version: bytes, code: bytes, reason: bytes, headers: Headers, lines: bytes = b""
    ) -> None:
        """Keep the head until the body comes: one write, one segment."""
        pieces = [
            b"%s %s %s\r\n" % (version, code, reason),
            self.site.date_line(),
            self.requests[0].header_lines,
            lines,
        ]
        for name, values in headers.getAllRawHeaders():
            pieces.extend([b"%s: %s\r\n" % (name, value) for value in values])
        self._head = b"".join((*pieces, b"\r\n"))

    def write(self, data: bytes) -> None:
        """Send now what the socket takes, where nothing waits for it already.

        `transport.write` alone waits for the reactor to find the socket writable, which
        costs more than all the rest of a small answer.
        """
        data, self._head = self._head + data, b""
        if not data:
            return
        transport = self.transport
        if self._is_bare and not transport.dataBuffer and not transport._tempDataBuffer:
            sent = transport.writeSomeData(data)
            if sent == len(data):
                return
            if isinstance(sent, int):
                data = data[sent:]
        transport.write(data)  # also where sending failed: the reactor finds out why

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        self.write(b"".join(iovec))

    def _answer_repeat(self, segment: bytes) -> bool:
        """Answer a request that came before in the very same bytes, as probes do."""
        if self.requests or self._buffer or not self._is_bare:
            return False
        known = self.site.repeats.get(segment)
        if known is None:
            self._segment = segment
            return False
        self._enter(Phase.IDLE)
        lines, body = known.lines, known.body()
        self.write(
            b"HTTP/1.1 200 OK\r\n%s%sContent-Length: %d\r\n\r\n%s"
            % (self.site.date_line(), lines, len(body), body)
        )
        return True

    # -- what we do not take ----------------------------------------------------------

    def reject(self, status: int) -> None:
        """Answer with an error, and close: what follows could be anything.

        The peer may still be sending; were the socket closed at once, it would see a
        reset instead of the answer.
        """
        if self._phase >= Phase.CLOSING:
            return
        self._enter(Phase.REJECTED)
        self.transport.write(_rejection(status, self._cors()))
        if self._is_bare:
            self.transport.loseWriteConnection()
        else:
            super().loseConnection()

    def _cors(self) -> bytes:
        """Header lines that let a page read the answer; none where no head was read."""
        return self.site.cors(self.requests[-1]) if self.requests and self._path else b""

    def _respondToBadRequestAndDisconnect(self) -> None:
        self.reject(HTTPStatus.BAD_REQUEST)

    def dataReceived(self, data: bytes) -> None:
        if self._phase >= Phase.CLOSING or self._answer_repeat(data):
            return
        super().dataReceived(data)
        self._segment = b""
        if not self.line_mode or self._busyReceiving or self._phase >= Phase.CLOSING:
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
        if self._phase < Phase.CLOSING:
            super().lineReceived(line)
        return self._phase >= Phase.CLOSING  # LineReceiver stops at the first true answer

    def lineLengthExceeded(self, line: bytes) -> None:
        self.reject(
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            if self._path
            else HTTPStatus.REQUEST_URI_TOO_LONG
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
        if self._phase >= Phase.CLOSING:
            return
        if not _is_well_formed(self.requests[-1], self._path, self._version):
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
        if self._phase >= Phase.CLOSING:
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


def _rejection(status: int, lines: bytes) -> bytes:
    phrase = HTTPStatus(status).phrase
    body = orjson.dumps(problem(phrase))
    return b"HTTP/1.1 %d %s\r\n%s%sContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (
        status,
        phrase.encode(),
        lines,
        JSON_LINES,
        len(body),
        body,
    )
