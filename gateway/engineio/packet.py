"""Engine.IO packets as they stand on a WebSocket.

Every other form (polling payloads, Engine.IO 3 binary) is made from this one by
`gateway.engineio.forms`.  Source: Engine.IO protocol 4, section "Packet encoding".
"""

from __future__ import annotations

from typing import NamedTuple

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
