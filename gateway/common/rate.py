"""For log lines that strangers could cause by the thousand."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

MINUTE = 60.0


class Throttle:
    """Says yes at most once in `seconds`.

    `clock`: seconds, on any clock that does not jump.
    """

    def __init__(self, clock: Callable[[], float], seconds: float = MINUTE) -> None:
        self._clock = clock
        self._seconds = seconds
        self._next = float("-inf")

    def __call__(self) -> bool:
        """Whether it is time again."""
        now = self._clock()
        if now < self._next:
            return False
        self._next = now + self._seconds
        return True


class ThrottleEach:
    """Says yes at most once in `seconds` for each value, and for `most` of them.

    `clock`: seconds, on any clock that does not jump.
    """

    def __init__(self, clock: Callable[[], float], most: int = 20, seconds: float = MINUTE) -> None:
        self._clock = clock
        self._most = most
        self._seconds = seconds
        self._end = float("-inf")
        self._told: set[Hashable] = set()
        self._over = 0

    def __call__(self, value: Hashable) -> tuple[bool, int]:
        """Whether `value` is to be told, and how often one too many came in the time before."""
        now, over = self._clock(), 0
        if now >= self._end:
            self._end, over, self._over = now + self._seconds, self._over, 0
            self._told.clear()
        if value in self._told:
            return False, over
        if len(self._told) >= self._most:
            self._over += 1
            return False, over
        self._told.add(value)
        return True, over


class LeakyBucket:
    """A number that falls by `rate` a second, down to 0."""

    def __init__(self, rate: float, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._clock = clock
        self._seen = clock()
        self._level = 0.0

    def add(self, most: float) -> float:
        """One more, where that is no more than `most`; the number as it would be."""
        now = self._clock()
        left = max(0.0, self._level - (now - self._seen) * self._rate)
        self._seen, self._level = now, left + 1 if left + 1 <= most else left
        return left + 1
