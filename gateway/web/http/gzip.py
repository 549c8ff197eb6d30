"""Compression of answers: once for all clients that get the same bytes in a turn.

Source: RFC 9110, sections 8.4.1.3 and 12.5.3.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SMALLEST = 1024
"""Answers of at most this many bytes are not compressed."""
LEVEL = 1
"""Higher levels make quotes little smaller, and take three times as long."""
GZIP = zlib.MAX_WBITS | 16


class Compressor:
    """Compresses; keeps the last answer until the end of the reactor turn.

    A view hands the same bytes to many polls one after the other.  `call_soon(callback)` must
    call `callback` after the turn.
    """

    def __init__(self, call_soon: Callable[[Callable[[], None]], object]) -> None:
        self._call_soon = call_soon
        self._data: bytes | None = None
        self._compressed = b""

    def __call__(self, data: bytes) -> bytes:
        """`data` as gzip; the same result object for the same `data` object."""
        if data is not self._data:
            if self._data is None:
                self._call_soon(self._forget)
            stream = zlib.compressobj(LEVEL, wbits=GZIP)
            self._data, self._compressed = data, stream.compress(data) + stream.flush()
        return self._compressed

    def _forget(self) -> None:
        self._data, self._compressed = None, b""


def accepts(header: str) -> bool:
    """Whether an Accept-Encoding header allows gzip."""
    weights = {}
    for coding in header.lower().split(","):
        name, _, parameter = coding.partition(";")
        weights[name.strip()] = parameter.replace(" ", "")
    weight = weights.get("gzip", weights.get("x-gzip", weights.get("*")))
    return weight is not None and weight.rstrip("0.") != "q="
