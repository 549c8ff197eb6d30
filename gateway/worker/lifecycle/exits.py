"""How a worker ended, and why: its exit, the class of that, and the last exits."""

from __future__ import annotations

import os
from collections import deque
from signal import Signals
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from attrs import asdict, frozen

from gateway.common.attempt import attempt
from gateway.worker.lifecycle.classification import LAUNCH, PLANNED, classify_exit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MAX_LINE: Final = 500
"""Characters of the last line of stderr that are remembered."""
EXITS_KEPT: Final = 10
"""Exits that are remembered."""
ERROR_WINDOW: Final = 60.0
"""Seconds before an exit in which its cause is looked for."""
ERRORS_KEPT: Final = 20
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
    permanent: bool = False
    """Another try would fail in the same way."""
    out_of_memory: bool = False
    """The kernel killed processes meanwhile to get memory."""
    temporary: str = ""
    """The class of the reason why there was no process, if it passes by itself."""
    last_line: str = ""
    """The last line that it wrote to stderr, without secrets; "": there was none."""

    @property
    def fatal_signal(self) -> str | None:
        """The signal it died of, also where a shell that ran it tells that by 128 + signal."""
        told_by_shell = self.signal is None and (self.code or 0) > SHELLS
        return decode((self.code or 0) - SHELLS)[1] if told_by_shell else self.signal

    @property
    def clean(self) -> bool:
        """It ended as it was asked to: with status 0, or by SIGINT or SIGTERM."""
        return self.asked and (self.code == 0 or self.fatal_signal in ("SIGINT", "SIGTERM"))

    @property
    def planned(self) -> bool:
        """It ended by itself after it had worked: some workers end at a fixed time."""
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


class PastExit(NamedTuple):
    """One exit, when it was (seconds since 1970), and its class (None: as asked)."""

    when: float
    end: Exit
    cause: str | None


class LastExits:
    """The last `EXITS_KEPT` exits."""

    def __init__(self) -> None:
        self._endings: deque[PastExit] = deque(maxlen=EXITS_KEPT)
        self.on_change: Callable[[], object] = bool
        """Called after each exit."""

    def add(self, when: float, end: Exit, cause: str | None) -> None:
        """Another worker ended."""
        self._endings.append(PastExit(when, end, cause))
        attempt("Remembering the worker's end", self.on_change)

    def state(self) -> list[tuple[float, dict[str, Any], str | None]]:
        """What a later process needs to know them, as JSON; the oldest first."""
        return [(when, asdict(end), cause) for when, end, cause in self._endings]

    def restore(self, state: Iterable[tuple[float, dict[str, Any], str | None]]) -> None:
        """Know the exits that a process before this one knew; its worker may have ended since.

        Raises whatever a strange `state` causes.
        """
        self._endings.extendleft(
            [PastExit(when, Exit(**end), cause) for when, end, cause in state][::-1]
        )

    def __iter__(self) -> Iterator[PastExit]:
        """Newest first."""
        return reversed(self._endings)

    def proof(self, pid: int | None) -> dict[str, Any] | None:
        """How the process `pid` ended; None when that is not known."""
        ends = (ending.end for ending in self if pid is not None and ending.end.pid == pid)
        return next((end.proof() for end in ends), None)


class ReportedErrors:
    """Remembers which errors one worker told, and what the kernel did meanwhile.

    `clock` is monotonic; `kills()` counts what the kernel killed to get memory.
    """

    def __init__(self, clock: Callable[[], float], kills: Callable[[], tuple[int, ...]]) -> None:
        self._clock = clock
        self._count = kills
        self._kills: tuple[int, ...] = ()
        self._told: list[tuple[float, str]] = []

    def begin(self) -> None:
        """The worker runs."""
        self._kills = self._count()

    def tell(self, cause: str) -> None:
        """It told an error of this class."""
        self._told.append((self._clock(), cause))
        del self._told[:-ERRORS_KEPT]

    @property
    def out_of_memory(self) -> bool:
        """Whether the kernel killed processes since it began, to get memory."""
        return self._count() > self._kills

    def cause(self, end: Exit, lines: Callable[[float], list[str]]) -> str | None:
        """The class of `end`, which is now; None when it ended as asked.

        `lines(since)` are the last of stderr.
        """
        if end.clean:
            return None
        if end.planned:
            return PLANNED
        if end.failure:
            return end.temporary or LAUNCH
        lately = self._clock() - ERROR_WINDOW
        told = (cause for at, cause in self._told if at >= lately)
        return classify_exit(lines(lately), told, end.fatal_signal, out_of_memory=end.out_of_memory)
