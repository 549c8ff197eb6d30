"""The end of the reactor turn: the one moment at which the relay writes."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from gateway.common.attempt import Attempts
from gateway.relay.session_outbox import SessionOutbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gateway.relay.log import Log
    from gateway.relay.subscription import Subscription


POLLS = 16
"""Polls that are answered in one reactor turn, of those for which something waits already.

Each answer brings the next request of its client: without a bound a hundred of them would fill
every turn, and all other clients would wait.
"""
POLLED_BYTES = 1 << 19
"""Bytes after which no more of them are answered in one turn: answers may have 256 KiB, and to
compress one takes milliseconds."""


class Turn:
    """Flushes all logs once per reactor turn in which something was said.

    `call_soon(flush)` has to call `flush` after the turn's reads; `call_next(serve)` in the
    next turn.  Outboxes that have records of their own, and those of clients that said something
    beside others, *step aside*: they leave their views before the flush and write alone after it.
    Who alone said all events of a turn is spared by its view.
    """

    def __init__(
        self,
        call_soon: Callable[[Callable[[], None]], object],
        call_next: Callable[[Callable[[], None]], object] | None = None,
    ) -> None:
        self.logs: list[Log] = []
        self.before_trim: Callable[[Log], None] = _nothing
        """Called with a log that is going to forget events over its bounds, while some of its
        subscriptions are apart."""
        self.before_answer: Callable[[Subscription], None] = _nothing
        """Called with a subscription that is going to answer a poll with what waits for it."""
        self.on_overrun: Callable[[], None] = _nobody
        """Called for each client that left too much unread and is disconnected."""
        self._call_soon = call_soon
        self._call_next = call_next or call_soon
        self.aside: dict[SessionOutbox, None] = {}
        """Those that stepped aside in this turn."""
        self._polls: dict[SessionOutbox, None] = {}
        self._scheduled = False
        self.attempt = Attempts()

    @property
    def largest(self) -> int:
        """Bytes of the largest event so far."""
        return max([log.largest for log in self.logs], default=0)

    def schedule(self) -> None:
        """Flush at the end of this turn."""
        if not self._scheduled:
            self._scheduled = True
            self._call_soon(self.flush)

    def step_aside(self, outbox: SessionOutbox) -> None:
        """Let `outbox` write alone at the end of this turn."""
        self.aside[outbox] = None
        if not self._scheduled:
            self.schedule()

    def poll(self, outbox: SessionOutbox) -> None:
        """Let `outbox` answer its poll in a later turn, after those that came before."""
        if not self._polls:
            self._call_next(self._serve)
        self._polls[outbox] = None

    def _serve(self) -> None:
        """Answer the first polls, as many as this turn has room for; the others in later turns."""
        first = list(islice(self._polls, POLLS))
        for outbox in first:
            del self._polls[outbox]
        if self._polls:
            self._call_next(self._serve)
        full = self._written + POLLED_BYTES
        while first and self._written < full:
            self._each((first.pop(0),), SessionOutbox.pump)
        if first:
            if not self._polls:
                self._call_next(self._serve)
            self._polls = dict.fromkeys(first) | self._polls

    @property
    def _written(self) -> int:
        return sum([log.traffic.bytes for log in self.logs])

    def finish(self) -> None:
        """Flush, and answer every poll that can be answered: the reactor may end now."""
        self.flush()
        polls, self._polls = self._polls, {}
        self._each(polls, SessionOutbox.pump)

    def flush(self) -> None:
        """Write everything that came since the last flush."""
        self._scheduled = False
        aside, self.aside = self.aside, {}
        for log in self.logs:
            if len(log.speakers) > 1:  # each of them gets what the others said
                aside.update({each.outbox: None for each in log.speakers if each is not None})
        if aside:
            self._each(aside, SessionOutbox.leave)
        for log in self.logs:
            self.attempt("The flush of an event log", log.flush)
        if aside:
            self._each(aside, SessionOutbox.pump)
        for log in self.logs:
            if log.apart:
                self.attempt("The look for who falls out of an event log", self.before_trim, log)
            self.attempt("The trim of an event log", log.trim)

    def _each(self, outboxes: Iterable[SessionOutbox], do: Callable[[SessionOutbox], None]) -> None:
        """Call `do` with each of them; one for which it raises is disconnected."""
        for outbox in outboxes:
            try:
                do(outbox)
            except Exception:
                outbox.drop()


def _nobody() -> None:
    """Nothing is counted by default."""


def _nothing(_: object) -> None:
    """Nothing is done by default."""
