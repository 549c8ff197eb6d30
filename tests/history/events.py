"""Events as the relay hands them to a tap."""

from typing import Any

import orjson

from gateway.engineio.packet import Packet
from gateway.relay.event import Event, Subject

WALL = 1764468000.0
"""2025-11-30 10:00 in Taipei, a Sunday."""


def event(
    wall: float = WALL, name: str = "market_tick", *args: Any, trusted: bool = True, **more: Any
) -> Event:
    """The event `[name, ...args]`; without arguments those of a tick."""
    value = [name, *(args or ({"code": "TXFR1", "close": 23000},))]
    return packet(b"42" + orjson.dumps(value), wall=wall, trusted=trusted, **more)


def packet(
    text: bytes,
    *attachments: bytes,
    wall: float = WALL,
    trusted: bool = True,
    current: bool = True,
) -> Event:
    """The event with this packet."""
    packets = (Packet(text), *(Packet(each, binary=True) for each in attachments))
    subject = Subject("market_tick", "TXFR1", None)
    return Event(packets, None, subject, trusted, wall, current)
