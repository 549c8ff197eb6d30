"""Answers to requests that come again and again in the same bytes: health probes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.web.request import Request

MAX_REPEATS = 64
MAX_SIZE = 1024


class Repeat(NamedTuple):
    """The answer of status 200: header lines, and what makes the body."""

    lines: bytes
    body: Callable[[], bytes]


class Repeats:
    """Which bytes were a whole request, and how it was answered.

    Only for requests whose answer depends on nothing but their own bytes and the state
    that `body` reads: neither on the peer nor on a token.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, Repeat] = {}
        self.get = self._known.get

    def remember(self, segment: bytes, request: Request) -> None:
        """`segment` was `request` and nothing else."""
        if request.repeat is None or request.method != b"GET" or len(segment) > MAX_SIZE:
            return
        if len(self._known) >= MAX_REPEATS:
            self._known.clear()
        self._known[segment] = Repeat(request.header_lines, request.repeat)
