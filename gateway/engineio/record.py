"""Packets that leave together."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.engineio.packet import Packet

OVERHEAD = 400
"""Bytes of memory that a record costs beyond its payload (measured, CPython 3.11)."""


class Record:
    """One event's packets, always sent contiguously, and their memoised forms.

    `memo` keeps what was expensive to encode (base64, deflate), by form key; it is
    gone with the record.
    """

    __slots__ = ("_memo", "packets", "size")

    def __init__(self, *packets: Packet) -> None:
        self.packets: tuple[Packet, ...] = packets
        self.size = size_of(packets)
        """Bytes of payload, as they stand in WebSocket messages."""
        self._memo: dict[str, bytes] | None = None

    def memo(self, key: str, encode: Callable[[tuple[Packet, ...]], bytes]) -> bytes:
        """The form named `key`, made by `encode` the first time it is asked for."""
        if self._memo is None:
            self._memo = {}
        made = self._memo.get(key)
        if made is None:
            made = self._memo[key] = encode(self.packets)
        return made


def size_of(packets: tuple[Packet, ...]) -> int:
    """Bytes of payload in `packets`."""
    return sum([len(packet.data) for packet in packets])
