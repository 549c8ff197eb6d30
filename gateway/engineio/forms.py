"""Forms: pure functions from records to the bytes of one write.

Sources: Engine.IO protocol 4 and 3, section "Packet encoding"; RFC 6455 section 5.2.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.engineio.packet import Packet
    from gateway.engineio.record import Record

POLLING_PACKETS = 16
"""python-engineio's client disconnects on a payload of more packets."""


def frame_header(size: int, *, binary: bool) -> bytes:
    """The header of one unmasked, unfragmented WebSocket message of `size` bytes."""
    opcode = 0x82 if binary else 0x81
    if size < 126:
        return bytes((opcode, size))
    if size < 65536:
        return bytes((opcode, 126)) + size.to_bytes(2, "big")
    return bytes((opcode, 127)) + size.to_bytes(8, "big")


class WebSocket:
    """WebSocket messages; `eio=3` puts the type byte before binary ones."""

    max_packets = 0

    def __init__(self, eio: int = 4) -> None:
        self.key = f"websocket-{eio}"
        self._prefix = b"\x04" if eio == 3 else b""

    def encode(self, records: Sequence[Record]) -> bytes:
        pieces = []
        for record in records:
            for data, binary in record.packets:
                prefix = self._prefix if binary else b""
                pieces.append(frame_header(len(prefix) + len(data), binary=binary))
                pieces.append(prefix)
                pieces.append(data)
        return b"".join(pieces)


class Polling:
    """An Engine.IO 4 polling payload: packets parted by a record separator."""

    key = "polling-4"
    max_packets = POLLING_PACKETS

    def encode(self, records: Sequence[Record]) -> bytes:
        return b"\x1e".join(record.memo(self.key, _polling4) for record in records)


def _polling4(packets: tuple[Packet, ...]) -> bytes:
    return b"\x1e".join(b"b" + b64encode(data) if binary else data for data, binary in packets)
