"""The one way into a namespace's log.

    a client -> Hub.event -> Journal.append(events) -> Hub.enter(events) -> log, snapshot
                                                       end of the turn -> taps, clients

A journal gives every event its place: it calls the hub's `enter` with each event, in one
order, at once or in a later turn.  An *epoch* names one unbroken log: a log that goes on keeps
its epoch, and a new log has a new one, in which no offset of another log exists.

`DirectJournal` is the one of a single gateway.  That of several gateways with one log
(`gateway/cluster`) is another.
"""

from __future__ import annotations

from enum import Enum
from secrets import token_hex
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.relay.event import Event

    Tap = Callable[[Sequence[Event]], None]
    """Gets a turn's events once, in their order, before anything of them is sent."""

MAX_DIGITS = 15
"""Digits of a position; no log has more events."""


class Offset(NamedTuple):
    """A position in the log that `epoch` names.

    Clients get its text, `EPOCH-POSITION`, and send it back as it is.
    """

    epoch: str
    position: int

    def __str__(self) -> str:
        return f"{self.epoch}-{self.position}"

    @property
    def next(self) -> Offset:
        """The next position."""
        return Offset(self.epoch, self.position + 1)

    @classmethod
    def parse(cls, text: str) -> Offset | None:
        """The offset with this text; None: it is none."""
        epoch, _, position = text.rpartition("-")
        if epoch and position.isascii() and position.isdigit() and len(position) <= MAX_DIGITS:
            return cls(epoch, int(position))
        return None


class Mark(Enum):
    """What stands in the log between events, though no client is sent it."""

    WORKER_GONE = "worker gone"
    """The worker has ended: its readiness is no longer true."""
    WORKER_RETURNED = "worker returned"
    """The worker of the gateway's process before this one goes on."""
    QUOTES_GONE = "quotes gone"
    """The quotes to come are of another time."""


class Places(Protocol):
    """Which position of the log is which offset."""

    def offset(self, position: int) -> Offset:
        """The offset of `position`, which is not behind the head."""
        ...

    def position(self, offset: Offset) -> int | None:
        """Where `offset` is in this log; None: it is of another one.

        What is forgotten already is before the tail.
        """
        ...

    def since(self, offset: Offset, position: int) -> int:
        """From where on, before the `position` of `offset`, events may be behind it.

        They are those that have no offset (`Event.epoch` is "").
        """
        ...

    def awaits(self, offset: Offset) -> bool:
        """Whether it may be in this log, of which so much was not read here yet."""
        ...


class Journal(Protocol):
    """Puts the events of one namespace in their order."""

    @property
    def epoch(self) -> str:
        """The name of the log that is continued at the moment: any text."""
        ...

    @property
    def append(self) -> Callable[[Sequence[Event]], None]:
        """Takes events of one sender here; `enter` is called with them when they have a place."""
        ...

    @property
    def mark(self) -> Callable[[Mark], object]:
        """Takes a mark; the hub's `mark` is called with it when it has a place."""
        ...

    @property
    def places(self) -> Places | None:
        """None: those of the log itself."""
        ...

    @property
    def wait(self) -> Callable[[Callable[[], object]], object] | None:
        """None: clients may come in; else it calls a function as soon as they may."""
        ...

    def resume(self, epoch: str) -> None:
        """Go on with the log `epoch`, which a process before this one has left."""
        ...


class Entry(Protocol):
    """What a journal hands over to: the hub of its namespace."""

    def enter(self, events: Sequence[Event], /) -> None:
        """Take `events` of one sender, at least one, into the log."""
        ...

    def mark(self, mark: Mark, /) -> None:
        """Do as `mark` says."""
        ...


class DirectJournal:
    """The journal of a single gateway: an event has its place at once.

    Each process begins an epoch, unless it goes on with a log of which it has the memory
    (`memory.py`).
    """

    places = None
    wait = None

    def __init__(self, entry: Entry) -> None:
        self.epoch = token_hex(8)
        self.append = entry.enter  # nothing stands between, so that it costs nothing
        self.mark = entry.mark

    def resume(self, epoch: str) -> None:
        """Go on with the log `epoch`."""
        self.epoch = epoch
