"""WebSocket frames from a client's side (RFC 6455, section 5.2), as far as our gateway needs."""

from __future__ import annotations

from typing import Final, NamedTuple

TEXT, BINARY, CLOSE, PING, PONG = 0x81, 0x82, 0x88, 0x89, 0x8A
"""First bytes of frames with FIN and without reserved bits."""
_MASKED: Final = 0x80
_KEY: Final = bytes(4)
"""The masking key: with zeros a payload stays as it is.  A key that nobody can guess keeps scripts
of strangers from writing what a proxy would take for HTTP; here nobody else chooses what is
written, and no proxy is between us and our own gateway."""


def frame(first: int, payload: bytes) -> bytes:
    """A frame as a client sends it."""
    size = len(payload)
    if size < 126:
        return b"%c%c%b%b" % (first, _MASKED | size, _KEY, payload)
    if size < 1 << 16:
        return b"%c%c%b%b%b" % (first, _MASKED | 126, size.to_bytes(2, "big"), _KEY, payload)
    return b"%c%c%b%b%b" % (first, _MASKED | 127, size.to_bytes(8, "big"), _KEY, payload)


class Frame(NamedTuple):
    """A frame as a server sends it."""

    first: int
    payload: bytes


def split(buffer: bytes) -> tuple[list[Frame], bytes]:
    """The whole frames at the beginning of `buffer`, and what is left.

    Raises ValueError for a masked frame, or a part of a message: our gateway sends neither.
    """
    found = []
    at = 0
    while len(buffer) - at >= 2:
        first, size = buffer[at], buffer[at + 1]
        if size & _MASKED or not first & 0x80 or not first & 0x0F:
            raise ValueError("a frame that no gateway of ours sends")
        more = {126: 2, 127: 8}.get(size, 0)
        start = at + 2 + more
        if len(buffer) < start:
            break
        if more:
            size = int.from_bytes(buffer[at + 2 : start], "big")
        if len(buffer) < start + size:
            break
        found.append(Frame(first, buffer[start : start + size]))
        at = start + size
    return found, buffer[at:]
