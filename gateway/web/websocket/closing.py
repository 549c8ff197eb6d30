"""The end of a WebSocket from our side: one close frame, and patience until it is answered."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twisted.internet.tcp import Connection

    from gateway.engineio.deadlines import Deadline, Deadlines
    from gateway.web.http.writer import Writer

CLOSE_TIMEOUT = 2.0
"""Seconds a peer has to answer our close frame, from when it last took something."""


class ClosingHandshake:
    """Says the last thing that is written, once; `said`: it is, or the connection is gone."""

    __slots__ = ("_deadlines", "_patience", "_transport", "_writer", "said")

    def __init__(self, transport: Connection, writer: Writer, deadlines: Deadlines) -> None:
        self._transport = transport
        self._writer = writer
        self._deadlines = deadlines
        self._patience: Deadline | None = None
        self.said = False

    def say(self, frame: bytes) -> bool:
        """Write `frame` after all that waits, and nothing after it; False: that was done before.

        A peer that then takes nothing and does not close is dropped.
        """
        if self.said:
            return False
        self.said = True
        self._wait()
        self._writer.finish(frame)
        return True

    def stop(self) -> None:
        """The connection is gone: nothing is said any more."""
        self.said = True
        if self._patience is not None:
            self._patience.cancel()

    def _wait(self) -> None:
        give_up = partial(self._give_up, self._writer.taken)
        self._patience = self._deadlines.call_later(CLOSE_TIMEOUT, give_up)

    def _give_up(self, taken: int) -> None:
        if self._writer.taken != taken:
            self._wait()
        else:
            self._transport.abortConnection()
