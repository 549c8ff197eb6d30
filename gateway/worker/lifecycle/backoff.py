"""When a worker that ended unasked is started again."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from gateway.worker.lifecycle.classification import AUTHENTICATION, PATIENT
from gateway.worker.lifecycle.gate import Hold

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.worker.lifecycle.exits import Exit
    from gateway.worker.settings import WorkerSettings

JITTER = 0.25
"""At most this part is added to a pause, so that many gateways don't come at once."""
LONG_LIFE = 3600.0
"""A worker that never says it is ready proves itself by living this many seconds."""


class Backoff:
    """Growing pauses after exits that nobody asked for, and when trying ends.

    `random` gives numbers from 0 to 1.
    """

    def __init__(self, settings: WorkerSettings, random: Callable[[], float]) -> None:
        self._settings = settings
        self._random = random
        self.failures = 0
        """Unexpected exits in a row, of any class."""
        self.fast_failures = 0
        """Fast exits in a row, of the classes that may end in fatal."""
        self._refused = False

    def asked(self) -> None:
        """A person asked for a worker: the cause may be cured."""
        self.fast_failures = 0
        self._refused = False

    def hold(self, *, person: bool = False, force: bool = False) -> Hold | None:
        """A check of the gate: keys that the broker refused are not tried by machines again."""
        return Hold("the broker refused the keys", inf) if self._refused and not person else None

    def verdict(self, end: Exit, cause: str) -> float | None:
        """Seconds to wait before the next start; None: not until someone asks."""
        if end.permanent:
            return None
        if end.planned:
            return self._settings.backoff_first
        if cause == AUTHENTICATION and end.ready_for is None:
            self._refused = True
            return None
        if (end.ready_for or 0) >= self._settings.stable or end.lived >= LONG_LIFE:
            self.failures = self.fast_failures = 0
        self.failures += 1
        if cause not in PATIENT:
            self.fast_failures = self.fast_failures + 1 if end.lived < self._settings.fast else 0
            if 0 < self._settings.fatal_after <= self.fast_failures:
                return None
        return self._pause()

    def _pause(self) -> float:
        doublings = min(self.failures - 1, 30)
        pause = self._settings.backoff_first * 2.0**doublings * (1 + JITTER * self._random())
        return min(pause, self._settings.backoff_max)
