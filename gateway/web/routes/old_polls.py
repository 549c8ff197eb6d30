"""The answer to a poll of a session that ended with the gateway before this one.

It needs no gateway: a new program knows no session.  What it says is what `engine` says then, byte
for byte but for the date, and that the connection closes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from twisted.web.http_headers import Headers

from gateway.engineio.errors import UNKNOWN_SID, EngineError
from gateway.engineio.handshake import POLLING, parse_query
from gateway.web.http.answers import whole
from gateway.web.security.guard import Access

if TYPE_CHECKING:
    from collections.abc import Collection

    from gateway.web.security.guard import Guard

_FIRST = re.compile(rb"(GET|POST) (/[!-~]*) HTTP/1\.1")
_HEADER = re.compile(rb"([A-Za-z0-9-]+): *([ -~]*)")
_UNCLEAR = (b"Upgrade", b"Transfer-Encoding", b"Expect")
"""Headers of requests that are more than a poll."""
_LINES = b"Cache-Control: no-store\r\nContent-Type: application/json\r\nConnection: close\r\n"


class OldPolls:
    """Answers such polls; sans-IO.

    `guard` judges them as it judges any request; `paths` are those of Engine.IO.
    """

    def __init__(self, guard: Guard, paths: Collection[bytes]) -> None:
        self._guard = guard
        self._paths = paths

    def answer(self, data: bytes) -> bytes:
        """The answer to `data`, if it is one whole poll with a session's id and no more.

        Empty for all else: what is incomplete, unclear or refused is left to the gateway.
        """
        head, end, body = data.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        asked, fields = _FIRST.fullmatch(first), [_HEADER.fullmatch(line) for line in lines]
        if not end or asked is None or None in fields:
            return b""
        headers = Headers()
        for field in filter(None, fields):
            headers.addRawHeader(field[1], field[2].rstrip(b" "))
        if any(map(headers.hasHeader, _UNCLEAR)):
            return b""
        if headers.getRawHeaders(b"Content-Length", [b"0"]) != [b"%d" % len(body)]:
            return b""
        method, target = asked.groups()
        if not self._is_old(*target.split(b"?", 1)):
            return b""
        verdict = self._guard.judge(
            Access.OPEN, method, headers, None, secure=False, credentials=True, acts=True
        )
        if verdict.status:
            return b""
        error = EngineError(UNKNOWN_SID)
        return whole(error.status, b"", verdict.lines + _LINES, error.body)

    def _is_old(self, path: bytes, query: bytes = b"") -> bool:
        """Whether a URL is of a poll that names a session, whichever."""
        if path not in self._paths:
            return False
        try:
            named = parse_query(query)
        except EngineError:
            return False
        return named.get("transport") == POLLING and bool(named.get("sid"))
