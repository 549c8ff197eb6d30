"""The bytes of answers."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twisted.web.http_headers import Headers

EVERY_ANSWER = (
    b"X-Content-Type-Options: nosniff\r\n"  # what is no script is not taken for one
    b"Cross-Origin-Resource-Policy: same-origin\r\n"  # nor shown by a page without CORS
)
"""Header lines of all answers: browsers use them only as the type that they have."""

JSON_LINES = b"Content-Type: application/json; charset=utf-8\r\nCache-Control: no-store\r\n"

PHRASES = {status.value: status.phrase.encode() for status in HTTPStatus}
"""By status; Twisted's own table lacks 426, 429 and 431."""


def head(first: bytes, date: bytes, lines: bytes, headers: Headers) -> bytes:
    """The head of an answer: its first line, and all headers.

    `first` is without CRLF; `date` and `lines` are header lines, each with CRLF.
    """
    others = [
        b"%b: %b\r\n" % (name, value)
        for name, values in headers.getAllRawHeaders()
        for value in values
    ]
    return b"%b\r\n%b%b%b%b\r\n" % (first, date, EVERY_ANSWER, lines, b"".join(others))


def whole(status: int, date: bytes, lines: bytes, body: bytes) -> bytes:
    """A whole answer; `date` and `lines` are header lines, each with CRLF."""
    return b"HTTP/1.1 %d %b\r\n%b%b%bContent-Length: %d\r\n\r\n%b" % (
        status,
        PHRASES[status],
        date,
        EVERY_ANSWER,
        lines,
        len(body),
        body,
    )


def rejection(status: int, lines: bytes, body: bytes) -> bytes:
    """The answer to a request that is no good; the connection closes after it."""
    more = b"%b%bConnection: close\r\n" % (lines, JSON_LINES)
    return whole(status, b"", more, body)
