"""What is known of one client of a namespace: who it is, what it wants, and what it was sent."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from gateway.relay.event import Sender

if TYPE_CHECKING:
    from gateway.relay.acks import QuestionContext
    from gateway.relay.recovery import Recovered
    from gateway.relay.selection import Selection


class Member(Sender):
    """One client, also as a sender; `head` is the log's head when it came."""

    __slots__ = (
        "_former",
        "asked",
        "joined",
        "knows_us",
        "may_publish",
        "quotes",
        "refreshed",
        "selection",
        "shown_at",
        "sid",
        "start",
    )

    def __init__(self, head: int) -> None:
        super().__init__()  # a socket with a pid is told its offsets
        self.start = self.joined = head
        """`start`: the first event that was meant for this client; `joined`: for this socket."""
        self.sid = ""
        """The socket's id, also after a recovery."""
        self.selection: Selection | None = None
        """The filter; None: all events."""
        self.asked: Selection | None = None
        """The filter of its `auth`."""
        self.shown_at = -1
        """The position in the log of the last snapshot that it was sent; -1: none."""
        self.quotes = False
        """Whether it asked for the newest quotes, besides the states."""
        self.may_publish = True
        """Whether its events are relayed even if it is not the worker."""
        self.knows_us = False
        """Whether its `auth` had a key of ours: then our names of events mean what we mean."""
        self.refreshed = -inf
        """When it was brought up to date because it was late, on the deadlines' clock."""
        self._former: tuple[int, int, Selection | None] | None = None
        """The selection before this one, and from where to where in the log it held."""

    def resume(self, back: Recovered) -> None:
        """Go on as the client that came back."""
        self.pid, self.sid, self.start = back.pid, back.sid, back.start
        self.selection, self.asked = back.selection, back.asked

    def was_for(self, about: QuestionContext) -> bool:
        """Whether a question was for this socket; False if older than the last two filters."""
        selection, since = self.selection, self.joined
        if self._former is not None and about.position < self._former[1]:
            since, _, selection = self._former
        return about.position >= since and (selection is None or selection.wants(about))

    def _choose(self, selection: Selection, head: int) -> None:
        """Have another filter for events from the position `head` on."""
        since = self.joined if self._former is None else self._former[1]
        self._former = since, head, self.selection
        self.selection = selection
