"""One relayed event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.engineio.record import Record

if TYPE_CHECKING:
    from gateway.engineio.packet import Packet
    from gateway.relay.keys import Subject
    from gateway.relay.subscription import Subscription

OVERHEAD = 400
"""Bytes of memory that an event costs beyond its payload (measured, CPython 3.11)."""


class Event(Record):
    """One relayed event: a record with its sender, its place and its key."""

    __slots__ = ("acked", "code", "key", "name", "position", "sender", "start")

    def __init__(
        self,
        packets: tuple[Packet, ...],
        sender: Subscription | None,
        subject: Subject,
        *,
        acked: bool,
    ) -> None:
        super().__init__(*packets)
        self.sender = sender
        """Who never gets it back; None for the gateway's own events."""
        self.name, self.code, self.key = subject
        self.acked = acked
        """Whether the sender waits for an answer."""
        self.position = self.start = -1
        """Its place in the log, in events and in bytes."""
