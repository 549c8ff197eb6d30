"""One relayed event."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gateway.engineio import record
from gateway.engineio.record import Record, size_of
from gateway.relay.aliases import NONE

if TYPE_CHECKING:
    from gateway.engineio.packet import Packet
    from gateway.relay.keys import Subject
    from gateway.relay.subscription import Subscription

OVERHEAD = record.OVERHEAD
"""An event costs as much memory beyond its payload as any record does."""


class Question(NamedTuple):
    """Who asked, and by which acknowledgment id of its own."""

    sender: Subscription
    id: int


class Event(Record):
    """One relayed event: a record with its sender, its place and its key."""

    __slots__ = (
        "acked",
        "aliases",
        "code",
        "current",
        "epoch",
        "key",
        "name",
        "outdated",
        "outdated_by",
        "position",
        "question",
        "sender",
        "start",
        "trusted",
        "wall",
    )

    epoch: str
    """The name of the log that it is in, once it is in one."""

    def __init__(  # noqa: PLR0917 - one is made for every event: keywords cost
        self,
        packets: tuple[Packet, ...],
        sender: Subscription | None,
        subject: Subject,
        trusted: bool,
        wall: float,
        current: bool = True,
        question: Question | None = None,
    ) -> None:
        # What `Record` does, without the call: this is the path of every event.
        self.packets = packets
        self.size = len(packets[0].data) if len(packets) == 1 else size_of(packets)
        self._memo = None
        self.sender = sender
        """Who never gets it back; None for the gateway's own events."""
        self.name, self.code, self.key = subject
        self.aliases: frozenset[str] = NONE
        """Other codes of the contract that it is about."""
        self.question = question
        """Who waits for an answer; None: nobody."""
        self.acked = question is not None
        """Whether its text has an acknowledgment id."""
        self.trusted = trusted
        """Whether the worker or the gateway said it; without a worker, anybody who may."""
        self.current = current
        """Whether the worker lived that said it; always of other senders."""
        self.wall = wall
        """When it came, in seconds since 1970."""
        self.outdated = False
        """Whether a newer one of its key is known to replace it, see `conflation.py`."""
        self.outdated_by: Subscription | None = None
        """Who said that: it replaces nothing for himself."""
        self.position = self.start = -1
        """Its place in the log, in events and in bytes."""

    def become(self, *packets: Packet) -> None:
        """Consist of other `packets`; not once it is in a log."""
        super().__init__(*packets)
