"""Rate limits, for log lines and answers that strangers could cause by the thousand.

- `Throttle`: one at most in a while.
- `ThrottleEach`: one at most in a while of each value.
- `LeakyBucket`: so many at once, and so many a second in the long run.

Every clock is in seconds, and one that does not jump.  `gateway.engineio.meter` has a bucket of
its own: the protocol's library imports nothing, and its bucket may go into debt.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

MINUTE = 60.0


class Throttle:
    """Says yes at most once in `seconds`."""

    def __init__(self, clock: Callable[[], float], seconds: float = MINUTE) -> None:
        self._clock = clock
        self._seconds = seconds
        self._next = -inf

    def __call__(self) -> bool:
        """Whether it is time again."""
        now = self._clock()
        if now < self._next:
            return False
        self._next = now + self._seconds
        return True


class ThrottleEach:
    """Says yes at most once in `seconds` for each value, and for at most `most` values."""

    def __init__(self, clock: Callable[[], float], most: int = 20, seconds: float = MINUTE) -> None:
        self._clock = clock
        self._most = most
        self._seconds = seconds
        self._end = -inf
        self._passed: set[Hashable] = set()
        self._over = 0

    def __call__(self, value: Hashable) -> tuple[bool, int]:
        """Whether `value` passes, and how many were over `most` in the period before.

        The count is given once, to the first call of a period.
        """
        now, over = self._clock(), 0
        if now >= self._end:
            self._end, over, self._over = now + self._seconds, self._over, 0
            self._passed.clear()
        if value in self._passed:
            return False, over
        if len(self._passed) >= self._most:
            self._over += 1
            return False, over
        self._passed.add(value)
        return True, over


class LeakyBucket:
    """A level that rises by what is added, and falls by `rate` a second down to 0."""

    def __init__(self, rate: float, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._clock = clock
        self._seen = clock()
        self._level = 0.0

    @property
    def level(self) -> float:
        """The level now."""
        now = self._clock()
        self._level = max(0.0, self._level - (now - self._seen) * self._rate)
        self._seen = now
        return self._level

    def add(self, most: float = inf, amount: float = 1.0) -> float:
        """Add `amount` unless the sum would exceed `most`; returns the sum in both cases."""
        level = self.level + amount
        if level <= most:
            self._level = level
        return level
