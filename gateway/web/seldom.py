"""For log lines that strangers could cause by the thousand."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 60.0


class Seldom:
    """Says yes at most once in `seconds`.

    `clock`: seconds, on any clock that does not jump.
    """

    def __init__(self, clock: Callable[[], float], seconds: float = SECONDS) -> None:
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
