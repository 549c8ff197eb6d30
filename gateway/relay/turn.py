"""The end of the reactor turn: the one moment at which the relay writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.relay.log import Log
    from gateway.relay.outbox import SessionOutbox


class Turn:
    """Flushes all logs once per reactor turn in which something was said.

    `call_soon(flush)` has to call `flush` after the turn's reads.  Outboxes that sent
    something themselves, or have something of their own to say, *step aside*: they
    leave their views before the flush and catch up alone after it.
    """

    def __init__(self, call_soon: Callable[[Callable[[], None]], object]) -> None:
        self.logs: list[Log] = []
        self.before_trim: Callable[[Log], None] = _nothing
        """Called with a log that is going to forget events over its bounds."""
        self._call_soon = call_soon
        self._aside: dict[SessionOutbox, None] = {}
        self._scheduled = False

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
        """Let `outbox` catch up alone at the end of this turn."""
        self._aside[outbox] = None
        self.schedule()

    def flush(self) -> None:
        """Write everything that was said since the last flush."""
        self._scheduled = False
        aside, self._aside = self._aside, {}
        for outbox in aside:
            outbox.leave()
        for log in self.logs:
            log.flush()
        for outbox in aside:
            outbox.pump()
        for log in self.logs:
            self.before_trim(log)
            log.trim()


def _nothing(log: Log) -> None:
    """Nobody cares about what is forgotten."""
