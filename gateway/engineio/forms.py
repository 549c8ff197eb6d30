"""Forms: pure functions from records to the bytes of one write.

All sessions whose writes look alike share one object, so that bytes can be shared by `key`.
Sources: Engine.IO protocol 4 and 3, section "Packet encoding"; RFC 6455 section 5.2.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Final

from gateway.engineio.outbox import WRITE_BYTES
from gateway.engineio.payload import BINARY, SEPARATOR, encode3, encode3_binary, encode4

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.engineio.outbox import Form
    from gateway.engineio.packet import Packet, Record

POLLING_PACKETS = 16
"""python-engineio's client disconnects on a payload of more packets."""
POLLING_BYTES = 1 << 18
"""Bytes of an answer: at 10 answers a second, 2.6 MB."""

BUNDLE = 11
"""Most packets of one event; a record of more is shared, so its bytes are kept."""

TEXT_PLAIN = "text/plain; charset=UTF-8"
OCTET_STREAM = "application/octet-stream"


def frame_header(size: int, *, binary: bool) -> bytes:
    """The header of one unmasked, unfragmented WebSocket message of `size` bytes."""
    opcode = 0x82 if binary else 0x81
    if size < 126:
        return bytes((opcode, size))
    if size < 65536:
        return bytes((opcode, 126)) + size.to_bytes(2, "big")
    return bytes((opcode, 127)) + size.to_bytes(8, "big")


SHORT: Final = 1024
SHORT_HEADERS: Final = [frame_header(size, binary=False) for size in range(SHORT)]
"""The headers of short texts, which most events are."""


class Bounds:
    """What one write holds, as `Form` has it: by default what a WebSocket is given."""

    max_packets = 0
    max_bytes = WRITE_BYTES
    polled = False


class WebSocket(Bounds):
    """WebSocket messages; `eio=3` puts the type byte before binary ones."""

    def __init__(self, eio: int = 4) -> None:
        self.key = f"websocket-{eio}"
        self._prefix = b"\x04" if eio == 3 else b""

    def encode(self, records: Sequence[Record]) -> bytes:
        pieces: list[bytes] = []
        for record in records:
            packets = record.packets
            data, binary = packets[0]
            if len(packets) == 1 and not binary and len(data) < SHORT:
                pieces += SHORT_HEADERS[len(data)], data
            elif len(packets) > BUNDLE:
                pieces.append(record.memo(self.key, self._bundle))
            else:
                self._frame(record.packets, pieces)
        return b"".join(pieces)

    def _frame(self, packets: tuple[Packet, ...], pieces: list[bytes]) -> None:
        for data, binary in packets:
            prefix = self._prefix if binary else b""
            pieces.append(frame_header(len(prefix) + len(data), binary=binary))
            pieces.append(prefix)
            pieces.append(data)

    def _bundle(self, packets: tuple[Packet, ...]) -> bytes:
        pieces: list[bytes] = []
        self._frame(packets, pieces)
        return b"".join(pieces)


class WebSocketBase64(Bounds):
    """WebSocket text messages only, for clients that asked with `b64`."""

    def __init__(self, eio: int = 4) -> None:
        self.key = f"websocket-{eio}-base64"
        self._prefix = b"b4" if eio == 3 else b"b"

    def encode(self, records: Sequence[Record]) -> bytes:
        return b"".join(record.memo(self.key, self._encode) for record in records)

    def _encode(self, packets: tuple[Packet, ...]) -> bytes:
        pieces = []
        for data, binary in packets:
            text = self._prefix + b64encode(data) if binary else data
            pieces.append(frame_header(len(text), binary=False))
            pieces.append(text)
        return b"".join(pieces)


class Polling(Bounds):
    """Polling payloads that are text; `separator` stands between two records.

    `max_packets`: what the client takes in one answer; 0 for any number.
    """

    max_bytes = POLLING_BYTES
    polled = True

    def __init__(
        self,
        key: str,
        encode: Callable[[tuple[Packet, ...]], bytes],
        separator: bytes = b"",
        *,
        max_packets: int = POLLING_PACKETS,
    ) -> None:
        self.key = f"{key}-{max_packets}"
        self.max_packets = max_packets
        self._memo = key
        self._encode = encode
        self._separator = separator

    def encode(self, records: Sequence[Record]) -> bytes:
        return self._separator.join([self._one(record) for record in records])

    def _one(self, record: Record) -> bytes:
        return record.memo(self._memo, self._encode)

    def content_type(self, payload: bytes) -> str:
        """The Content-Type of `payload`, which this form made."""
        return TEXT_PLAIN


class Polling4(Polling):
    """Engine.IO 4: one text packet stands as it is."""

    def __init__(self, *, max_packets: int = POLLING_PACKETS) -> None:
        super().__init__("polling-4", encode4, SEPARATOR, max_packets=max_packets)

    def _one(self, record: Record) -> bytes:
        data, binary = record.packets[0]
        return super()._one(record) if binary or len(record.packets) > 1 else data


class PollingBinary(Polling):
    """Polling payloads that are binary if one of their packets is (Engine.IO 3, XHR2)."""

    def encode(self, records: Sequence[Record]) -> bytes:
        if any(packet.binary for record in records for packet in record.packets):
            return super().encode(records)
        return POLLING3.encode(records)

    def content_type(self, payload: bytes) -> str:
        # A text payload begins with a digit, a binary one with the byte 0 or 1.
        return OCTET_STREAM if payload[0] <= BINARY else TEXT_PLAIN


POLLING4, POLLING4_MANY = Polling4(), Polling4(max_packets=0)
POLLING3, POLLING3_MANY = (
    Polling("polling-3", encode3, max_packets=n) for n in (POLLING_PACKETS, 0)
)
POLLING3_BINARY, POLLING3_BINARY_MANY = (
    PollingBinary("polling-3-binary", encode3_binary, max_packets=n) for n in (POLLING_PACKETS, 0)
)

WEBSOCKETS: dict[tuple[int, bool], Form] = {
    (4, False): WebSocket(4),
    (4, True): WebSocketBase64(4),
    (3, False): WebSocket(3),
    (3, True): WebSocketBase64(3),
}
"""By Engine.IO version, and whether the client asked for base64."""


def polling(eio: int, *, base64: bool, many: bool = False) -> Polling:
    """The polling form for a client of version `eio`.

    `base64`: it asked for text only; `many`: it takes any number of packets at once.
    """
    if eio == 4:
        return POLLING4_MANY if many else POLLING4
    if base64:
        return POLLING3_MANY if many else POLLING3
    return POLLING3_BINARY_MANY if many else POLLING3_BINARY
