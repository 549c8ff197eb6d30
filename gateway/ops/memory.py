"""Memory goes back to the system after a crowd of clients has left.

What they held is freed at once, but the free lists of Python and the heap of the C library
keep it for the next ones, and the system counts it as ours.
"""

from __future__ import annotations

import ctypes
import gc
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

EVERY: Final = 10.0
"""Seconds between two looks."""

CROWD: Final = 50
"""Clients; when fewer leave, what they held is little."""


class MemoryTrimmer:
    """Calls `give_back` when half of a crowd has left.

    `count()` is how many clients there are.
    """

    def __init__(
        self,
        count: Callable[[], int],
        give_back: Callable[[], object] | None = None,
    ) -> None:
        self._count = count
        self._give_back = give_back or trim_now
        self._most = 0

    def look(self) -> None:
        """To be called every `EVERY` seconds."""
        count = self._count()
        self._most = max(self._most, count)
        if self._most >= CROWD and count <= self._most / 2:
            self._most = count
            self._give_back()


def trim_now() -> None:
    """Some 10 ms for each 50,000 objects that live; where the C library can't, Python's part."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
