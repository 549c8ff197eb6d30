"""What ended a worker: the class of its exit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.worker.classify import LAUNCH, PLANNED, classify_exit
from gateway.worker.oom import kills

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.worker.exits import Exit

LATELY: Final = 60.0
"""Seconds before an exit in which its cause is looked for."""
ERRORS_KEPT: Final = 20


class Blame:
    """Remembers which errors one worker told, and what the kernel did meanwhile.

    `clock` is monotonic.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._kills: tuple[int, ...] = ()
        self._told: list[tuple[float, str]] = []

    def begin(self) -> None:
        """The worker runs."""
        self._kills = kills()

    def tell(self, cause: str) -> None:
        """It told an error of this class."""
        self._told.append((self._clock(), cause))
        del self._told[:-ERRORS_KEPT]

    @property
    def starved(self) -> bool:
        """Whether the kernel killed processes since it began, to get memory."""
        return kills() > self._kills

    def cause(self, end: Exit, lines: Callable[[float], list[str]]) -> str | None:
        """The class of `end`, which is now; None when it ended as asked.

        `lines(since)` are the last of stderr.
        """
        if end.clean:
            return None
        if end.planned:
            return PLANNED
        if end.failure:
            return end.passing or LAUNCH
        lately = self._clock() - LATELY
        told = (cause for at, cause in self._told if at >= lately)
        return classify_exit(lines(lately), told, end.killer, starved=end.starved)
