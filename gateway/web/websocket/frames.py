"""The common WebSocket frames, cut straight from the receive buffer.

These are complete, unfragmented, masked text and binary messages, and the plain closes of
browsers.  Anything else is *odd*: Autobahn reads from that byte on, so the rules of RFC 6455
stand in one place.
"""

from __future__ import annotations

from typing import NamedTuple

TEXT, BINARY, CLOSE = 0x81, 0x82, 0x88
"""First bytes of frames with FIN and without reserved bits (RFC 6455, section 5.2)."""

PLAIN_CLOSES = frozenset((b"", b"\x03\xe8", b"\x03\xe9"))
"""No code, 1000 (normal) and 1001 (going away), without a reason."""

BATCH = 100
"""Messages that are cut off at a time, since one of them may cost more than an event."""

LONG = 4096
"""Bytes above which Autobahn's masker is faster than one big integer."""


class Split(NamedTuple):
    """What `split` found."""

    messages: list[tuple[int, bytes]]
    """First byte of the frame, and the unmasked payload."""
    consumed: int
    """Bytes of the buffer that `messages` used up."""
    needed: int
    """Length that the rest must have before another call can find more; 0: call again now."""
    odd: bool
    """Whether the rest begins with a frame for Autobahn."""


def split(buffer: bytes, limit: int, most: int = BATCH) -> Split:
    """Cut complete messages of at most `limit` bytes, at most `most` of them, off `buffer`."""
    messages: list[tuple[int, bytes]] = []
    pos, end = 0, len(buffer)
    for _ in range(most):
        if end - pos < 2:
            return Split(messages, pos, 2, odd=False)
        first = buffer[pos]
        size = buffer[pos + 1] - 128
        if size < 0 or (first != TEXT and first != BINARY and first != CLOSE):  # noqa: PLR1714
            return Split(messages, pos, 0, odd=True)  # (a tuple test costs twice as much)
        mask = pos + 2
        if size > 125:
            if first == CLOSE:
                return Split(messages, pos, 0, odd=True)
            mask += 2 if size == 126 else 8
            if end < mask:
                return Split(messages, pos, mask - pos, odd=False)
            smallest = 126 if size == 126 else 65536
            size = int.from_bytes(buffer[pos + 2 : mask], "big")
            if size < smallest:
                return Split(messages, pos, 0, odd=True)
        if size > limit:
            return Split(messages, pos, 0, odd=True)
        stop = mask + 4 + size
        if stop > end:
            return Split(messages, pos, stop - pos, odd=False)
        data = unmask(buffer[mask : mask + 4], buffer[mask + 4 : stop])
        if (first == TEXT and not is_utf8(data)) or (first == CLOSE and data not in PLAIN_CLOSES):
            return Split(messages, pos, 0, odd=True)
        messages.append((first, data))
        pos = stop
    return Split(messages, pos, 0, odd=False)


def declared(buffer: bytes) -> int:
    """The payload size in the header that `buffer` begins with; 0 for an odd header."""
    if len(buffer) < 2 or buffer[0] not in (TEXT, BINARY) or buffer[1] < 128:
        return 0
    size = buffer[1] - 128
    length = {126: 2, 127: 8}.get(size, 0)
    return int.from_bytes(buffer[2 : 2 + length], "big") if length else size


def unmask(key: bytes, data: bytes) -> bytes:
    """`data` XORed with the four bytes of `key`, repeated (RFC 6455, section 5.3)."""
    size = len(data)
    if size > LONG:
        from autobahn.websocket.xormasker import (  # type: ignore[attr-defined]  # noqa: PLC0415
            create_xor_masker,
        )

        return bytes(create_xor_masker(key, size).process(data))
    cover = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "little") ^ int.from_bytes(cover, "little")).to_bytes(
        size, "little"
    )


def is_utf8(data: bytes) -> bool:
    """Whether `data` is valid UTF-8."""
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


class TextCheck:
    """Finds an incomplete text frame that cannot become valid UTF-8 any more.

    So that it fails as soon as it does with Autobahn, not only when it is complete.
    """

    __slots__ = ("_seen", "_validator")

    def __init__(self) -> None:
        from autobahn.websocket.utf8validator import Utf8Validator  # noqa: PLC0415

        # Python's own decoder waits for the third byte of a surrogate.
        self._validator = Utf8Validator()
        self._seen = 0

    def holds(self, buffer: bytes | bytearray) -> bool:
        """Whether the frame at the beginning of `buffer` is valid so far; `buffer` only grows."""
        if len(buffer) < 2:
            return True
        size = buffer[1] & 0x7F
        payload = 6 if size < 126 else 8 if size == 126 else 14
        data = bytes(buffer[payload + self._seen :])
        if not data:
            return True
        key, turn = bytes(buffer[payload - 4 : payload]), self._seen % 4
        self._seen += len(data)
        return bool(self._validator.validate(unmask(key[turn:] + key[:turn], data))[0])
