"""Which time of the recording it is now."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_LATE: Final = 2.0
"""Seconds for which a replay that was held up makes up; beyond that it goes on from there."""


class Pace:
    """A clock that runs `speed` times as fast as others, from a time of the recording on.

    `clock` is monotonic, `wall` gives seconds since 1970.  With an infinite speed it shows the time
    of the newest event that was told.
    """

    def __init__(
        self,
        begins: float,
        speed: float,
        *,
        clock: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self._clock = clock
        self._wall = wall
        self.speed = speed or 1.0
        self.paused = speed == 0
        self.jump(begins)

    def jump(self, t: float) -> None:
        """It is the time `t` of the recording now."""
        self._from, self._since, self._began = t, self._clock(), self._wall()

    @property
    def now(self) -> float:
        """The time of the recording, in seconds since 1970."""
        if self.paused or math.isinf(self.speed):
            return self._from
        return self._from + (self._clock() - self._since) * self.speed

    def change(self, *, speed: float | None = None, paused: bool | None = None) -> None:
        """Run at another speed (0: pause), pause, or go on, from now on."""
        self.jump(self.now)
        if speed is not None:
            self.paused = speed == 0
            self.speed = speed or self.speed
        if paused is not None:
            self.paused = paused

    def until(self, next_time: float) -> float:
        """Up to which time events are due, where the next one is of `next_time`."""
        if self.paused:
            return -math.inf
        if math.isinf(self.speed):
            return math.inf
        if (self.now - next_time) / self.speed > MOST_LATE:
            self.jump(next_time)
        return self.now

    def wait(self, next_time: float) -> float:
        """Seconds until an event of `next_time` is due; infinite in a pause."""
        if self.paused:
            return math.inf
        if math.isinf(self.speed):
            return 0.0
        return max(0.0, (next_time - self.now) / self.speed)

    def told(self, t: float) -> None:
        """An event of `t` was told."""
        if math.isinf(self.speed):
            self.jump(max(self._from, t))

    def wall_of(self, t: float) -> float:
        """The time of day, in seconds since 1970, at which an event of `t` is due."""
        if math.isinf(self.speed):
            return self._wall()
        return self._began + (t - self._from) / self.speed
