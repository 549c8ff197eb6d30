"""Gives memory back to the system when many clients have left.

What they held is freed at once, but Python and the C library keep it for later use, and the system
counts it as the gateway's.
"""

from __future__ import annotations

import ctypes
import gc
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

EVERY: Final = 10.0
"""Seconds between two calls of `look`."""

CROWD: Final = 50
"""Clients: of fewer the memory is not worth the time."""


class MemoryTrimmer:
    """Calls `give_back` when half of at least `CROWD` clients have left.

    `count()` is the number of clients.
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
    """Collect garbage and trim the heap: about 10 ms for each 50,000 objects that are in use."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
