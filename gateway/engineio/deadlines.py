"""Deadlines without a reactor: a heap that the caller's clock drives."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SPARE = 100
"""Cancelled calls that may be kept beyond the number of others."""


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
        """Never make the call; does nothing when it was made already."""
        self._callback = None

    def fire(self) -> None:
        """Make the call, unless it was cancelled or made."""
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
        self._sweep_at = SPARE
        self._order = count()

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Deadline:
        """Call `callback` in `seconds`."""
        deadline = Deadline(callback)
        when = self.clock() + seconds
        if len(self._heap) >= self._sweep_at:
            self._sweep()
        sooner = not self._heap or when < self._heap[0][0]
        heappush(self._heap, (when, next(self._order), deadline))
        if sooner and self.on_sooner is not None:
            self.on_sooner()
        return deadline

    def _sweep(self) -> None:
        """Drop cancelled calls, whose time may be far away."""
        self._heap = [entry for entry in self._heap if entry[2].active]
        heapify(self._heap)
        self._sweep_at = SPARE + 2 * len(self._heap)

    @property
    def next(self) -> float | None:
        """The time of the first call; None: there is none."""
        while self._heap and not self._heap[0][2].active:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def advance(self) -> None:
        """Make every call that is due."""
        now = self.clock()
        while (when := self.next) is not None and when <= now:
            heappop(self._heap)[2].fire()
