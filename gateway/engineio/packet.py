"""Engine.IO packets as they stand on a WebSocket.

Every other form (polling payloads, Engine.IO 3 binary) is made from this one by
`gateway.engineio.forms`.  Source: Engine.IO protocol 4, section "Packet encoding".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


OPEN, CLOSE, PING, PONG, MESSAGE, UPGRADE, NOOP = b"0", b"1", b"2", b"3", b"4", b"5", b"6"
TYPES = frozenset((OPEN, CLOSE, PING, PONG, MESSAGE, UPGRADE, NOOP))
HEARTBEATS = frozenset((PING, PONG))


class Packet(NamedTuple):
    """One packet.

    A text packet's `data` is UTF-8 and begins with the type digit.  A binary packet
    is always a message and its `data` is the message itself.
    """

    data: bytes
    binary: bool = False

    @property
    def type(self) -> bytes:
        """The type digit; `MESSAGE` for a binary packet."""
        return MESSAGE if self.binary else self.data[:1]

    @property
    def payload(self) -> bytes:
        """What follows the type digit; a binary packet's whole data."""
        return self.data if self.binary else self.data[1:]


# -- Packets that are sent together.

OVERHEAD = 400
"""Bytes of memory that a record costs beyond its payload (measured, CPython 3.11)."""


class Record:
    """The packets of one event, which are sent one after the other, and their encodings.

    `memo` keeps encodings that cost much (base64, deflate), by the key of the form.
    """

    __slots__ = ("_memo", "packets", "size")

    def __init__(self, *packets: Packet) -> None:
        self.packets: tuple[Packet, ...] = packets
        self.size = len(packets[0].data) if len(packets) == 1 else size_of(packets)
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
