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

    first: int
    """First byte of the frames of `messages`, which are all of one kind."""
    messages: list[bytes]
    """Their payloads, unmasked."""
    consumed: int
    """Bytes of the buffer that `messages` used up."""
    needed: int
    """Length that the rest must have before another call can find more; 0: call again now."""
    odd: bool
    """Whether the rest begins with a frame for Autobahn."""


def split(  # noqa: PLR0912 - one loop over the headers: a call for each message costs
    buffer: bytes, limit: int, most: int = BATCH
) -> Split:
    """Cut complete messages of at most `limit` bytes off `buffer`: a run of one kind.

    At most `most` of them; one of more than `LONG` bytes is alone.  All of a run are unmasked as
    one number, since most messages are short, and what is done for each of them costs most.
    """
    end = len(buffer)
    first = buffer[0] if end else TEXT
    if first != TEXT and first != BINARY and first != CLOSE:  # noqa: PLR1714
        return Split(first, [], 0, 0, odd=True)  # (a tuple test costs twice as much)
    if first == CLOSE:
        limit = min(limit, 125)
    pos = needed = 0
    odd = False
    masks: list[bytes] = []
    bounds: list[tuple[int, int]] = []
    for _ in range(most):
        if end - pos < 2:
            needed = 2
            break
        if buffer[pos] != first:
            break
        size, start = buffer[pos + 1] - 128, pos + 6
        if size > 125 and first != CLOSE:
            smallest = 126 if size == 126 else 65536
            start += 2 if size == 126 else 8
            if end < start - 4:
                needed = start - 4 - pos
                break
            size = int.from_bytes(buffer[pos + 2 : start - 4], "big")
            if size < smallest:
                size = -1
        if size < 0 or size > limit:
            odd = True
            break
        stop = start + size
        if stop > end:
            needed = stop - pos
            break
        key = buffer[start - 4 : start]
        if size > LONG:
            if bounds:  # the next call's
                break
            return _alone(first, unmask(key, buffer[start:stop]), stop)
        # A header is its own mask, so that zeros are left of it.
        masks += buffer[pos:start], (key * (size // 4 + 1))[:size]
        bounds.append((start, stop))
        pos = stop
    if not bounds:
        return Split(first, [], 0, needed, odd)
    plain = _xor(buffer[:pos], b"".join(masks))
    messages = [plain[start:stop] for start, stop in bounds]
    if first == CLOSE or not plain.isascii():
        wrong = [not _is_valid(first, each) for each in messages]
        if True in wrong:
            count = wrong.index(True)
            return Split(first, messages[:count], bounds[count - 1][1] if count else 0, 0, odd=True)
    return Split(first, messages, pos, needed, odd)


def _alone(first: int, message: bytes, stop: int) -> Split:
    """A message of its own, which ends at `stop`."""
    if _is_valid(first, message):
        return Split(first, [message], stop, 0, odd=False)
    return Split(first, [], 0, 0, odd=True)


def _is_valid(first: int, message: bytes) -> bool:
    """Whether nothing is wrong with the payload of such a frame."""
    if first == TEXT:
        return is_utf8(message)
    return first == BINARY or message in PLAIN_CLOSES


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
    return _xor(data, (key * (size // 4 + 1))[:size])


def _xor(data: bytes, mask: bytes) -> bytes:
    """Each byte of `data` XORed with its byte of `mask`."""
    number = int.from_bytes(data, "little") ^ int.from_bytes(mask, "little")
    return number.to_bytes(len(data), "little")


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
