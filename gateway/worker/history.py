"""How the last workers ended."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.worker.exits import Exit

KEPT = 10


class Ending(NamedTuple):
    """One exit, when it was (seconds since 1970), and its class (None: as asked)."""

    when: float
    end: Exit
    cause: str | None


class History:
    """The last `KEPT` exits."""

    def __init__(self) -> None:
        self._endings: deque[Ending] = deque(maxlen=KEPT)

    def add(self, when: float, end: Exit, cause: str | None) -> None:
        """Another worker ended."""
        self._endings.append(Ending(when, end, cause))

    def __iter__(self) -> Iterator[Ending]:
        """Newest first."""
        return reversed(self._endings)

    def proof(self, pid: int | None) -> dict[str, Any] | None:
        """How the process `pid` ended; None when that is not known."""
        ends = (ending.end for ending in self if pid is not None and ending.end.pid == pid)
        return next((end.proof() for end in ends), None)
