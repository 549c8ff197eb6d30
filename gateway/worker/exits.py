"""How a worker ended."""

from __future__ import annotations

import os
from signal import Signals
from typing import Any, Final

from attrs import frozen

PLANNED_AFTER: Final = 120.0
"""Seconds after its start from which on an end with status 0 may be planned."""
SHELLS: Final = 128
"""What shells add to the number of the signal that a command of theirs died of."""


@frozen(kw_only=True)
class Exit:
    """The end of one worker process."""

    pid: int | None
    """None: it never became a process."""
    code: int | None = None
    signal: str | None = None
    """The signal it died of, such as SIGSEGV."""
    asked: bool = False
    """The gateway had asked for it."""
    sent: str | None = None
    """The last signal the gateway had sent."""
    seconds: float | None = None
    """From the request to the end, for an exit that was asked for."""
    lived: float = 0.0
    """Seconds from the start to the end."""
    ready_for: float | None = None
    """Seconds from when it was ready first to the end; None: never ready."""
    failure: str = ""
    """Why there was no process at all."""
    hopeless: bool = False
    """Another try would fail in the same way."""
    starved: bool = False
    """The kernel killed processes meanwhile to get memory."""
    passing: str = ""
    """The class of what stood in the way of a process, if that passes by itself."""

    @property
    def killer(self) -> str | None:
        """The signal it died of, also where a shell that ran it tells that by 128 + signal."""
        told_by_shell = self.signal is None and (self.code or 0) > SHELLS
        return decode((self.code or 0) - SHELLS)[1] if told_by_shell else self.signal

    @property
    def clean(self) -> bool:
        """It ended as it was asked: by itself, or by the very signal."""
        return self.asked and (self.code == 0 or self.killer in ("SIGINT", "SIGTERM"))

    @property
    def planned(self) -> bool:
        """It left by itself, after work and not at once, as workers do that leave by the clock."""
        worked = self.ready_for is not None and self.lived >= PLANNED_AFTER
        return not self.asked and self.code == 0 and worked

    def proof(self) -> dict[str, Any]:
        """What the answer to a restart says about the old process."""
        return {
            "signal": self.sent,
            "exitCode": self.code,
            "exitSignal": self.signal,
            "seconds": None if self.seconds is None else round(self.seconds, 3),
        }

    def __str__(self) -> str:
        if self.failure:
            return f"was not started: {self.failure}"
        if self.signal is not None:
            return f"ended by {self.signal}"
        return "ended, nobody knows how" if self.code is None else f"exited with code {self.code}"


def decode(status: int) -> tuple[int | None, str | None]:
    """Exit code and signal name of a wait status."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        try:
            return None, Signals(number).name
        except ValueError:  # most real-time signals have no name
            return None, f"signal {number}"
    return os.WEXITSTATUS(status), None
