"""What Twisted's HTTP parser accepts and we refuse.

Twisted parses and frames requests, refuses two framings of one body, malformed chunks,
names and control characters, and answers pipelined requests in order.  Added here are
bounds that hold before anything is stored, a strict Host and Transfer-Encoding, sound
trailers; no folded headers, and no bare CR or LF, which are refused as soon as they come.

Sources: RFC 9112 sections 2.2, 3.2, 5.2, 6.1-6.3 and 7.1; RFC 9110 sections 5.5, 6.5, 7.2.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from twisted.web.http import HTTPChannel

from gateway.web.http.known import LONGEST
from gateway.web.http.plain_headers import PlainHeaders
from gateway.web.http.request import BodyTooLargeError, Request

if TYPE_CHECKING:
    from gateway.web.http.site import Site

_LARGEST_SIZE = 2**63 - 1
"""The largest size that all implementations read alike; larger ones could confuse a proxy."""
_LONGEST_LENGTH = 19
"""Digits of a Content-Length; int() raises an error of its own for thousands of them."""
_TRAILER = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\x00-\x08\x0a-\x1f\x7f]*")
_PLAIN = re.compile(
    rb"(GET|HEAD) (/[!-~]*+) HTTP/1\.1\r\n"
    rb"((?:(?![CTEcte](?i:ontent-length|ransfer-encoding|xpect):)"
    rb"[!#$%&'*+.^_`|~0-9A-Za-z-]++:[\t -~\x80-\xff]*+\r\n)*+)\r\n"
)
"""The head of a request without a body, where only Host and the sizes can be wrong."""


class StrictChannel(HTTPChannel):
    """Calls `reject` for a request that is refused; nothing is read after that."""

    site: Site
    requests: list[Request]
    body_limit = 0
    is_over = False
    """Whether nothing is read any more."""
    # Twisted's, and empty until the request line was read; its type is inferred wrongly.
    _path: bytes = b""  # type: ignore[assignment]

    def reject(self, status: int) -> None:
        """Answer with an error and close."""
        raise NotImplementedError

    def _upgrade(self, uri: bytes, headers: PlainHeaders) -> bool:
        """Become a WebSocket at once, where nothing speaks against it; False: nothing was done."""
        raise NotImplementedError

    def _respondToBadRequestAndDisconnect(self) -> None:
        self.reject(HTTPStatus.BAD_REQUEST)

    def dataReceived(self, data: bytes) -> None:
        if self.is_over:
            return
        if self._is_between_requests and (head := _PLAIN.match(data)) and self._take_plain(head):
            if not self._buffer:
                return
            data = b""  # the rest waits in the buffer
        super().dataReceived(data)
        if self.line_mode and not self._busyReceiving and not self.is_over:
            self._part_received()

    def _part_received(self) -> None:
        """All that was received is parsed, and it ends outside of a body."""
        if self._buffer and _has_bare_end(self._buffer):
            self.reject(HTTPStatus.BAD_REQUEST)

    def lineReceived(self, line: bytes) -> bool:
        if b"\r" in line or b"\n" in line or b"\0" in line:
            self.reject(HTTPStatus.BAD_REQUEST)
        elif not self._path:
            if len(line) > self.site.limits.url:
                self.reject(HTTPStatus.REQUEST_URI_TOO_LONG)
        elif line[:1] in (b" ", b"\t"):
            self.reject(HTTPStatus.BAD_REQUEST)
        elif self._receivedHeaderSize + len(line) > self.site.limits.header_bytes:
            self.reject(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        if not self.is_over:
            super().lineReceived(line)
        return self.is_over  # LineReceiver stops at the first true answer

    @property
    def _is_between_requests(self) -> bool:
        """Whether the next byte begins a request."""
        return bool(self.line_mode and not (self._buffer or self._path or self._busyReceiving))

    def _take_plain(self, head: re.Match[bytes]) -> bool:
        """Handle a request whose whole `head` matches `_PLAIN` at once.

        That costs a fraction of parsing it line by line.  False: nothing was done.
        """
        command, path, lines = head.groups()
        limits = self.site.limits
        if head.end() > limits.header_bytes or head.start(3) - 2 > limits.url:
            return False
        each = lines.split(b"\r\n")[:-1]
        if len(each) > limits.headers:
            return False
        headers = PlainHeaders(each)
        if len(headers.getRawHeaders(b"Host", ())) != 1:
            return False
        self._buffer = head.string[head.end() :]
        if headers.hasHeader(b"Upgrade") and command == b"GET" and self._upgrade(path, headers):
            return True
        request = Request(self)
        request.requestHeaders = headers
        self.requests.append(request)
        self.persistent = self.checkPersistence(request, b"HTTP/1.1")
        request.gotLength(0)
        if self.persistent and not self._buffer and head.end() <= LONGEST:
            request.head = head.string
        self._handlingRequest = True  # what comes meanwhile waits
        self.line_mode = 0
        request.requestReceived(command, path, b"HTTP/1.1")
        return True

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
        if line[:15].lower() == b"content-length:" and len(line[15:].strip()) > _LONGEST_LENGTH:
            self.reject(HTTPStatus.BAD_REQUEST)
            return False
        return cast("bool", super().headerReceived(line))

    def checkPersistence(self, request: Any, version: bytes) -> bool:
        """Whether the connection stays; Twisted's own misses a `close` in a list."""
        options = request.requestHeaders.getRawHeaders(b"Connection")
        if version != b"HTTP/1.1":
            return False
        if options is None or b"close" not in _tokens(b",".join(options)):
            return True
        request.responseHeaders.setRawHeaders(b"Connection", [b"close"])
        return False

    def allHeadersReceived(self) -> None:
        if self.is_over:
            return
        if not _is_well_formed(self.requests[-1], self._path, self._version):
            self.reject(HTTPStatus.BAD_REQUEST)
            return
        if self.length != 0:
            self.body_limit = self.site.body_limit(self._path)
            if self.length is not None and self.length > self.body_limit:
                self.reject(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
                return
        super().allHeadersReceived()

    def rawDataReceived(self, data: bytes) -> None:
        if self.is_over:
            return
        try:
            super().rawDataReceived(data)
        except BodyTooLargeError:
            self.reject(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        decoder = self._transferDecoder
        if not self.is_over and decoder is not None and self.length is None:
            self._check_chunk(decoder)

    def _check_chunk(self, decoder: Any) -> None:
        """Refuse a chunk by its size before it arrives, and a bad end of a line at once."""
        if decoder.state != "BODY":
            left = decoder._buffer
            if _has_bare_end(left) or (decoder.state == "CRLF" and left and left != b"\r"):
                self.reject(HTTPStatus.BAD_REQUEST)
        elif decoder.length > _LARGEST_SIZE:
            self.reject(HTTPStatus.BAD_REQUEST)
        elif self.requests[-1].content.tell() + decoder.length > self.body_limit:
            self.reject(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)

    def allContentReceived(self) -> None:
        if self.is_over:
            return
        chunks: Any = self._transferDecoder if self.length is None else None
        if chunks is None or all(map(_TRAILER.fullmatch, chunks._trailerHeaders)):
            super().allContentReceived()
        else:
            self.reject(HTTPStatus.BAD_REQUEST)


def _has_bare_end(data: bytes | bytearray) -> bool:
    """Whether `data`, the rest after all complete lines, has a bare CR or LF."""
    return b"\n" in data or data.find(b"\r", 0, len(data) - 1) >= 0


def _tokens(values: bytes) -> list[bytes]:
    """The elements of a list such as Connection's, in lower case."""
    return [token.strip(b" \t") for token in values.lower().split(b",")]


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
