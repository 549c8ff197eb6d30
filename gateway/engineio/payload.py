"""Polling payloads: several packets in one HTTP body.

Sources: Engine.IO protocol 4, section "HTTP long-polling" of "Packet encoding";
Engine.IO protocol 3, section "Payload".
"""

from __future__ import annotations

from base64 import b64encode
from binascii import Error as Base64Error
from binascii import a2b_base64
from typing import TYPE_CHECKING

from gateway.engineio.errors import ProtocolError
from gateway.engineio.packet import TYPES, Packet

if TYPE_CHECKING:
    from collections.abc import Iterator

SEPARATOR = b"\x1e"
COLON = ord(":")
ZERO, NINE = ord("0"), ord("9")
TEXT, BINARY, END_OF_LENGTH = 0, 1, 255
"""The bytes around a length in a binary payload of Engine.IO 3."""

LENGTH_DIGITS = 10
"""More digits than any body can have bytes."""


def decode_text(data: bytes) -> Packet:
    """One packet of a text payload; a `b` at its start means base64 in Engine.IO 4 (`bAQID`)."""
    if data[:1] == b"b":
        return Packet(_base64(data[1:]), binary=True)
    return _checked(data)


def decode_text3(data: bytes) -> Packet:
    """The same of Engine.IO 3, where a type digit follows the `b` (`b4AQID`)."""
    if data[:2] == b"b4":
        return Packet(_base64(data[2:]), binary=True)
    return _checked(data)


def decode_binary3(data: bytes) -> Packet:
    """One binary packet of Engine.IO 3: the type is the first byte."""
    if data[:1] != b"\x04":
        raise ProtocolError("a binary packet must be a message")
    return Packet(data[1:], binary=True)


def decode4(body: bytes) -> Iterator[Packet]:
    """The packets of an Engine.IO 4 payload, one by one.

    Raises `ProtocolError` when it comes to a malformed one.
    """
    start = 0
    while (end := body.find(SEPARATOR, start)) >= 0:
        yield decode_text(body[start:end])
        start = end + 1
    yield decode_text(body[start:])


def decode3(body: bytes) -> Iterator[Packet]:
    """The packets of an Engine.IO 3 text payload, whose lengths count UTF-16 units.

    Raises `ProtocolError` when it comes to a malformed one.
    """
    try:
        units = body.decode().encode("utf-16-le")
    except UnicodeDecodeError:
        raise ProtocolError("a text payload must be UTF-8") from None
    start = 0
    while start < len(units) or not body:
        length, start = _length3(units, start)
        end = start + 2 * length
        if end > len(units):
            raise ProtocolError("a packet is shorter than its length")
        yield decode_text3(_from_utf16(units[start:end]))
        start = end


def decode3_binary(body: bytes) -> Iterator[Packet]:
    """The packets of an Engine.IO 3 binary payload, whose lengths count bytes.

    Raises `ProtocolError` when it comes to a malformed one.
    """
    start = 0
    while start < len(body) or not body:
        head = body.find(END_OF_LENGTH, start, start + LENGTH_DIGITS + 2)
        kind, digits = body[start : start + 1], body[start + 1 : max(head, 0)]
        if kind not in (b"\x00", b"\x01") or not digits or max(digits) > 9:
            raise ProtocolError("a packet must begin with its kind and length")
        end = head + 1 + int("".join(map(str, digits)))
        data = body[head + 1 : end]
        if end > len(body):
            raise ProtocolError("a packet is shorter than its length")
        yield decode_binary3(data) if kind[0] == BINARY else decode_text3(data)
        start = end


def encode4(packets: tuple[Packet, ...]) -> bytes:
    """An Engine.IO 4 payload."""
    return SEPARATOR.join(b"b" + b64encode(data) if binary else data for data, binary in packets)


def encode3(packets: tuple[Packet, ...]) -> bytes:
    """An Engine.IO 3 text payload."""
    texts = (b"b4" + b64encode(data) if binary else data for data, binary in packets)
    return b"".join(b"%d:%b" % (_utf16_units(text), text) for text in texts)


def encode3_binary(packets: tuple[Packet, ...]) -> bytes:
    """An Engine.IO 3 binary payload."""
    return b"".join(
        _head3(BINARY, len(data) + 1) + b"\x04" + data if binary else _head3(TEXT, len(data)) + data
        for data, binary in packets
    )


def _checked(data: bytes) -> Packet:
    if data[:1] not in TYPES:
        raise ProtocolError("a packet must begin with its type")
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError:
            raise ProtocolError("a text packet must be UTF-8") from None
    return Packet(data)


def _base64(data: bytes) -> bytes:
    try:
        return a2b_base64(data, strict_mode=True)
    except Base64Error:
        raise ProtocolError("a binary packet must be base64") from None


def _length3(units: bytes, start: int) -> tuple[int, int]:
    """The length at `start` of UTF-16 `units`, and where its packet begins."""
    length, digits = 0, 0
    for i in range(start, len(units), 2):
        unit = units[i] | units[i + 1] << 8
        if unit == COLON and digits:
            return length, i + 2
        if not ZERO <= unit <= NINE or digits == LENGTH_DIGITS:
            break
        length, digits = length * 10 + unit - ZERO, digits + 1
    raise ProtocolError("a packet must begin with its length and a colon")


def _from_utf16(units: bytes) -> bytes:
    try:
        return units.decode("utf-16-le").encode()
    except UnicodeDecodeError:
        raise ProtocolError("a length cuts a character in two") from None


def _utf16_units(text: bytes) -> int:
    return len(text) if text.isascii() else len(text.decode().encode("utf-16-le")) // 2


def _head3(kind: int, length: int) -> bytes:
    return bytes((kind, *map(int, str(length)), END_OF_LENGTH))
