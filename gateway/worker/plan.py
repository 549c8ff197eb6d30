"""When the next start is planned, and why not now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.worker.countdown import Countdown

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.worker.gate import Hold

LOOK: Final = 30.0
"""Seconds for which a plan is trusted: a hold by the calendar moves when the clock is set."""
MOVED: Final = 1.0
"""A plan that moved by more seconds than this is news."""


class Plan:
    """The worker's own pause, and what the gate holds against a start beyond that.

    `look` is called when it is over, and every `LOOK` seconds until then.
    """

    def __init__(self, reactor: Any, look: Callable[[], None]) -> None:
        self._clock: Callable[[], float] = reactor.seconds
        self._timer = Countdown(reactor, "Looking whether the next start is due", look)
        self._pause_ends = 0.0
        self._planned = 0.0
        self.reason = ""
        """What stands against it besides the worker's own pause."""

    def pause(self, seconds: float) -> None:
        """The worker's own pause begins; it is over in `seconds`."""
        self._pause_ends = self._clock() + seconds

    def hold(self, hold: Hold | None) -> bool:
        """The gate says so now; whether that moves the plan."""
        now, before = self._clock(), self._planned
        self._planned = max(self._pause_ends, now + (hold.seconds if hold else 0))
        self.reason = hold.reason if hold else ""
        return abs(self._planned - before) > MOVED

    @property
    def left(self) -> float:
        """Seconds until the planned start."""
        return max(0.0, self._planned - self._clock())

    def wait(self) -> None:
        """Look again in time."""
        self._timer.begin(min(self.left, LOOK))

    def drop(self) -> None:
        """Nothing is planned any more."""
        self._timer.cancel()
