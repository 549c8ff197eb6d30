"""The signals by which processes are ended, each with its patience."""

from __future__ import annotations

import signal
import time

KILL_INTERVAL = 0.05
"""Seconds between looks at a tree that is being killed: it may fork meanwhile."""


class Course:
    """Signals, each with its patience in seconds; at last SIGKILL, again and again."""

    def __init__(self, *steps: tuple[signal.Signals, float]) -> None:
        self.steps = [*steps, (signal.SIGKILL, KILL_INTERVAL)]
        self.deadline = time.monotonic()

    def next(self) -> signal.Signals | None:
        """The signal that is due now, if any."""
        if time.monotonic() < self.deadline:
            return None
        number, patience = self.steps[0]
        if len(self.steps) > 1:
            del self.steps[0]
        self.deadline = time.monotonic() + patience
        return number

    def hurry(self, patience: float) -> None:
        """The present signal has no more than `patience` from now on."""
        self.deadline = min(self.deadline, time.monotonic() + patience)
