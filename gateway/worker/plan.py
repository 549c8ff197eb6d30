"""When the next start is planned, and why not now."""

from __future__ import annotations

from math import isinf
from typing import TYPE_CHECKING, Any, Final

from gateway.common.guard import Countdown

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.worker.lifecycle.gate import Gate, Hold

LOOK: Final = 30.0
"""Seconds for which a plan is trusted: a hold by the calendar moves when the clock is set."""
MOVED: Final = 1.0
"""A plan that moved by more seconds than this is news."""


class Plan:
    """The worker's own pause, and what the gate holds against a start beyond that.

    It looks when it is over, and every `LOOK` seconds until then.  It calls `due` when nothing
    stands against the start any more, `hopeless` when only a person ends what does, and `moved`
    when the start comes at another time than was to be expected.
    """

    def __init__(
        self,
        reactor: Any,
        gate: Gate,
        *,
        due: Callable[[], None],
        hopeless: Callable[[], None],
        moved: Callable[[], None],
    ) -> None:
        self._clock: Callable[[], float] = reactor.seconds
        self._gate = gate
        self._due = due
        self._hopeless = hopeless
        self._moved = moved
        self._timer = Countdown(reactor, "Looking whether the next start is due", self.look)
        self._pause_ends = 0.0
        self._planned = 0.0
        self.reason = ""
        """What stands against it besides the worker's own pause."""

    def put_off(self, pause: float, hold: Hold | None) -> bool:
        """Plan for after `pause` and `hold`; False: only a person ends what holds it."""
        if _is_endless(hold):
            return False
        self._pause_ends = self._clock() + pause
        self._take(hold)
        return True

    @property
    def left(self) -> float:
        """Seconds until the planned start."""
        return max(0.0, self._planned - self._clock())

    def look(self) -> None:
        """Is the start due, or does something else stand against it now?"""
        hold = self._gate.hold()
        if _is_endless(hold):
            self._hopeless()
            return
        goes_on = not self.left and hold is not None and hold.reason == self.reason
        before = self._planned
        self._take(hold)
        if not self.left:
            self._due()
            return
        self.wait()
        if not goes_on and abs(self._planned - before) > MOVED:
            self._moved()

    def wait(self) -> None:
        """Look again in time."""
        self._timer.begin(min(self.left, LOOK))

    def drop(self) -> None:
        """Nothing is planned any more."""
        self._timer.cancel()

    def _take(self, hold: Hold | None) -> None:
        self._planned = max(self._pause_ends, self._clock() + (hold.seconds if hold else 0))
        self.reason = hold.reason if hold else ""


def _is_endless(hold: Hold | None) -> bool:
    return hold is not None and isinf(hold.seconds)
