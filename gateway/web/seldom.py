"""For log lines that strangers could cause by the thousand."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MINUTE = 60.0


class Seldom:
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


class Leak:
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
