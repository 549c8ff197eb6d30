"""The one way into a namespace's log.

    a client -> Hub.event -> Journal.append(events) -> Hub.enter(events) -> log, snapshot
                                                       end of the turn -> taps, clients

A journal gives every event its place: it calls the hub's `enter` with each event, in one
order, at once or in a later turn.  An *epoch* names one unbroken log: a log that goes on keeps
its epoch, and a new log has a new one, in which no offset of another log exists.
"""

from __future__ import annotations

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

    def resume(self, epoch: str) -> None:
        """Go on with the log `epoch`, which a process before this one has left."""
        ...


class DirectJournal:
    """The journal of a single gateway: an event has its place at once.

    Each process begins an epoch, unless it goes on with a log of which it has the memory
    (`memory.py`).
    """

    def __init__(self, enter: Callable[[Sequence[Event]], None]) -> None:
        self.epoch = token_hex(8)
        self.append = enter  # nothing stands between, so that it costs nothing

    def resume(self, epoch: str) -> None:
        """Go on with the log `epoch`."""
        self.epoch = epoch
