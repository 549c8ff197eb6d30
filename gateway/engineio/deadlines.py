"""Deadlines without a reactor: a heap that somebody else's clock drives."""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Deadline:
    """One call to be made; `cancel` it when it is no longer wanted."""

    __slots__ = ("_callback",)

    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback: Callable[[], None] | None = callback

    @property
    def active(self) -> bool:
        """Whether the call is still to be made."""
        return self._callback is not None

    def cancel(self) -> None:
        """Never make the call; harmless when it was made."""
        self._callback = None

    def fire(self) -> None:
        callback, self._callback = self._callback, None
        if callback is not None:
            callback()


class Deadlines:
    """Calls in the order of their times, in seconds of `clock`.

    One reactor timer serves them all: `on_sooner` is called when `next` became
    earlier, and the driver calls `advance` when `next` has come.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.on_sooner: Callable[[], None] | None = None
        self._heap: list[tuple[float, int, Deadline]] = []
        self._order = count()

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Deadline:
        """Call `callback` in `seconds`."""
        deadline = Deadline(callback)
        when = self.clock() + seconds
        sooner = not self._heap or when < self._heap[0][0]
        heappush(self._heap, (when, next(self._order), deadline))
        if sooner and self.on_sooner is not None:
            self.on_sooner()
        return deadline

    @property
    def next(self) -> float | None:
        """When `advance` has something to do; None: never."""
        while self._heap and not self._heap[0][2].active:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def advance(self) -> None:
        """Make every call that is due."""
        now = self.clock()
        while (when := self.next) is not None and when <= now:
            heappop(self._heap)[2].fire()
