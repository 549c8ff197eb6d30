"""One relayed event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.engineio import record
from gateway.engineio.record import Record

if TYPE_CHECKING:
    from gateway.engineio.packet import Packet
    from gateway.relay.keys import Subject
    from gateway.relay.subscription import Subscription

OVERHEAD = record.OVERHEAD
"""An event costs as much memory beyond its payload as any record does."""


class Event(Record):
    """One relayed event: a record with its sender, its place and its key."""

    __slots__ = (
        "acked",
        "code",
        "key",
        "name",
        "position",
        "sender",
        "start",
        "trusted",
        "wall",
    )

    def __init__(
        self,
        packets: tuple[Packet, ...],
        sender: Subscription | None,
        subject: Subject,
        *,
        acked: bool,
        trusted: bool,
        wall: float,
    ) -> None:
        super().__init__(*packets)
        self.sender = sender
        """Who never gets it back; None for the gateway's own events."""
        self.name, self.code, self.key = subject
        self.acked = acked
        """Whether the sender waits for an answer."""
        self.trusted = trusted
        """Whether the worker or the gateway said it; without a worker, anybody who may."""
        self.wall = wall
        """When it came, in seconds since 1970."""
        self.position = self.start = -1
        """Its place in the log, in events and in bytes."""

    def become(self, *packets: Packet) -> None:
        """Consist of other `packets`; not once it is in a log."""
        super().__init__(*packets)
