"""A timer that can be asked how much is left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.worker.guard import Look

if TYPE_CHECKING:
    from collections.abc import Callable

AGAIN: Final = 1.0
"""Seconds after which a callback that raised is usually called again."""


class Countdown:
    """Calls `callback` when it is over; one at a time, and again if that raised.

    `what` says for the log what the callback does.
    """

    def __init__(
        self, reactor: Any, what: str, callback: Callable[[], None], again: float = AGAIN
    ) -> None:
        self._reactor = reactor
        self._look = Look(what, callback)
        self._again = again
        self._call: Any = None

    def begin(self, seconds: float) -> None:
        """Begin, anew if need be."""
        self.cancel()
        self._call = self._reactor.callLater(max(0.0, seconds), self._over)

    def now(self) -> None:
        """Don't wait any longer."""
        self.cancel()
        self._over()

    def cancel(self) -> None:
        """Forget it; harmless when there is none."""
        if self.active:
            self._call.cancel()

    @property
    def active(self) -> bool:
        """Whether it is still to end."""
        return self._call is not None and bool(self._call.active())

    @property
    def left(self) -> float:
        """Seconds until it ends; 0 when there is none."""
        if not self.active:
            return 0.0
        return float(max(0.0, self._call.getTime() - self._reactor.seconds()))

    def _over(self) -> None:
        if not self._look() and not self.active:
            self.begin(self._again)
