"""What one client costs, and how long it has to pause.

All work for a client is counted in one unit, the work of a short message: its messages and their
bytes, its handshake, its control frames and fragments, and what the layers above do for it.  The
layers only charge.  The transport settles once for all that it read, and reads nothing while the
client is in debt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

BYTES: Final = 512
"""Bytes of a message, after inflation, that cost as much as one more message."""

HANDSHAKE: Final = 20
"""Units for the opening of a session, its request included."""

SLICE: Final = 800
"""What is done for one client in one reactor turn before the others have theirs: some
milliseconds' work.  One read of a publisher with events of 100 bytes stays below it."""


class Meter:
    """A token bucket: `rate` units a second in the long run (0: any), `burst` at once.

    `clock` is in seconds.  `spent` is what was charged since the last `settle`.
    """

    __slots__ = ("_burst", "_clock", "_level", "_rate", "_seen", "spent")

    def __init__(self, rate: float, burst: float, clock: Callable[[], float]) -> None:
        self.spent = 0.0
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._level = burst
        self._seen = 0.0  # long ago: the bucket is full

    def charge(self, units: float) -> None:
        """Add to what is spent; nothing is ever refused."""
        self.spent += units

    def settle(self) -> float:
        """Take what was spent from the bucket; the seconds to pause before the next read."""
        spent, self.spent = self.spent, 0.0
        if not self._rate:
            return 0.0
        now = self._clock()
        elapsed = max(0.0, now - self._seen)  # clocks jump
        self._seen = now
        self._level = min(self._burst, self._level + elapsed * self._rate) - spent
        return max(0.0, -self._level / self._rate)

    def release(self) -> None:
        """Allow this client any rate from now on."""
        self._rate = 0.0
