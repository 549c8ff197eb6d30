"""The closing handshake that we begin: one close frame, and a timeout for its answer."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twisted.internet.tcp import Connection

    from gateway.engineio.deadlines import Deadline, Deadlines
    from gateway.web.http.writer import Writer

CLOSE_TIMEOUT = 2.0
"""Seconds for the answer to our close frame, counted from when the peer last read something."""


class ClosingHandshake:
    """Writes the last frame, once; `said`: it was written, or the connection is gone."""

    __slots__ = ("_deadlines", "_patience", "_transport", "_writer", "said")

    def __init__(self, transport: Connection, writer: Writer, deadlines: Deadlines) -> None:
        self._transport = transport
        self._writer = writer
        self._deadlines = deadlines
        self._patience: Deadline | None = None
        self.said = False

    def say(self, frame: bytes) -> bool:
        """Write `frame` after all that waits, and nothing later; False: it was done before.

        A peer that then reads nothing and does not close is dropped.
        """
        if self.said:
            return False
        self.said = True
        self._wait()
        self._writer.finish(frame)
        return True

    def stop(self) -> None:
        """The connection is gone: write nothing, and stop the timeout."""
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
