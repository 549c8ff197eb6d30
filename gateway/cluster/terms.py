"""How long a lease lasts, and what follows from that; no I/O."""

from __future__ import annotations

from typing import Final

from attrs import frozen

BEAT: Final = 3.0
"""Seconds, at most, between two renewals."""
LOOK: Final = 0.5
"""Seconds, at most, between two looks of who waits: so soon it learns of a release."""
MARGIN: Final = 2.0
"""Seconds, at most, by which a right ends before others may have it."""
LAST: Final = 1.0
"""Seconds, at most, that are left when SIGKILL is sent."""


@frozen
class Terms:
    """How long a lease lasts, in seconds, and what follows from that."""

    lease: float = 45.0

    @property
    def beat(self) -> float:
        """Between two renewals."""
        return min(BEAT, self.lease / 15)

    @property
    def look(self) -> float:
        """Between two looks of who waits."""
        return min(LOOK, self.lease / 15)

    @property
    def margin(self) -> float:
        """By how much a right ends before others may have it."""
        return min(MARGIN, self.lease / 5)

    @property
    def right(self) -> float:
        """How long a renewal lasts for who sent it."""
        return self.lease - self.margin

    def patience(self, interrupt: float, terminate: float) -> tuple[float, float, float]:
        """What a worker has at the end of its time: after SIGINT, SIGTERM and SIGKILL.

        As long as asked for, or less: two fifths of the whole at most.
        """
        most = 0.4 * self.right
        last = min(LAST, most / 8)
        share = min(1.0, (most - last) / (interrupt + terminate))
        return interrupt * share, terminate * share, last
