"""The gateway's own last lines, as `GET /logs` tells them."""

from __future__ import annotations

from collections import deque
from threading import Lock
from typing import TYPE_CHECKING, Final

from twisted.logger import ILogObserver, LogLevel
from zope.interface import implementer

from gateway.ops.logs.format import LogObserver, text_line

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from constantly import NamedConstant
    from twisted.logger import LogEvent

MOST: Final = 1000
"""Lines that are kept."""
LONGEST: Final = 2000
"""Characters of a line that are kept."""


@implementer(ILogObserver)
class LogTail:
    """A log observer of Twisted: keeps the last lines, from level info on.

    Each is as in a log file.  `redact` takes secrets out of a text; what has one of `without` as
    its tag is left out; `now()` is in seconds since 1970.
    """

    def __init__(
        self,
        redact: Callable[[str], str],
        level: NamedConstant,
        *,
        without: Collection[str],
        now: Callable[[], float],
    ) -> None:
        self._without = without
        self._lines: deque[str] = deque(maxlen=MOST)
        self._next = int(now() * 1000)  # as of the worker's lines, see `WorkerOutput.position`
        self._lock = Lock()  # threads log, too
        self._observer = LogObserver(
            self._keep, lambda event: text_line(event, redact), max(level, LogLevel.info)
        )

    def __call__(self, event: LogEvent) -> None:
        if event.get("tag") not in self._without:
            self._observer(event)

    def tail(self, lines: int) -> tuple[int, list[str]]:
        """The number of the next line, and the last `lines`, oldest first."""
        with self._lock:
            return self._next, list(self._lines)[-lines:]

    def _keep(self, text: str) -> None:
        """Keep a message and, below it, its traceback."""
        lines = [line[:LONGEST] for line in text.splitlines()]
        with self._lock:
            self._lines += lines
            self._next += len(lines)
