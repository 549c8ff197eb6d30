"""The one way into a namespace's log.

    who speaks -> Hub.event -> Journal.append(event) -> Hub.enter(event) -> log, snapshot
                                                        end of the turn -> taps, clients

A journal gives every event its place: it calls the hub's `enter` with each event, in one
order, at once or in a later turn.  An *epoch* names one unbroken log.  Who continues a
log continues its epoch; else a new one begins, and no place of another log exists in it.
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
"""Of a position; more have no log that would fit."""


class Offset(NamedTuple):
    """Where something is: a position in the log that `epoch` names.

    Its text, `EPOCH-POSITION`, is the offset that clients are told; they don't read it.
    """

    epoch: str
    position: int

    def __str__(self) -> str:
        return f"{self.epoch}-{self.position}"

    @property
    def next(self) -> Offset:
        """The place behind it."""
        return Offset(self.epoch, self.position + 1)

    @classmethod
    def parse(cls, text: str) -> Offset | None:
        """The place with this text; None: it is none."""
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
    def append(self) -> Callable[[Event], None]:
        """Takes an event that somebody said here; `enter` is called with it in its turn."""
        ...


class DirectJournal:
    """The journal of a single gateway: an event has its place as soon as it is said.

    The log is this process's memory, so each process begins an epoch.
    """

    def __init__(self, enter: Callable[[Event], None]) -> None:
        self.epoch = token_hex(8)
        self.append = enter  # nothing stands between, so that it costs nothing
