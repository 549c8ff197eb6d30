"""One reactor timer for all deadlines of Engine.IO."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.engineio.deadlines import Deadlines
    from gateway.web.http.limits import Call, Timer


class Driver:
    """Makes a reactor advance `deadlines` whenever the next one is due."""

    def __init__(self, reactor: Timer, deadlines: Deadlines) -> None:
        self._reactor = reactor
        self._deadlines = deadlines
        self._call: Call | None = None
        self._advancing = False
        deadlines.on_sooner = self._schedule
        self._schedule()

    def stop(self) -> None:
        """Stop: no deadline is called any more."""
        self._deadlines.on_sooner = None
        self._cancel()

    def _schedule(self) -> None:
        if self._advancing:
            return
        self._cancel()
        when = self._deadlines.next
        if when is not None:
            delay = max(0.0, when - self._deadlines.clock())
            self._call = self._reactor.callLater(delay, self._advance)

    def _cancel(self) -> None:
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _advance(self) -> None:
        self._call = None
        self._advancing = True
        try:
            self._deadlines.advance()
        finally:  # one deadline's failure is the reactor's to log, and no other's loss
            self._advancing = False
            if self._deadlines.on_sooner is not None:
                self._schedule()


def drive(reactor: Timer, deadlines: Deadlines) -> Driver:
    """Advance `deadlines` until the driver that is returned is stopped.

    The deadlines' clock must run as fast as the reactor's: `Deadlines(reactor.seconds)`.
    """
    return Driver(reactor, deadlines)
