"""Duties that an exception does not end.

What must go on, turn after turn or second after second, does its parts through `Attempts`:
a part that raises is logged and costs itself, and the others are done, now and next time.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from twisted.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.engineio.deadlines import Deadlines


class Attempts:
    """Tries things, and logs what fails: the first, second, fourth, eighth, ... time."""

    _log = Logger(namespace="gateway")

    def __init__(self) -> None:
        self._failures: Counter[str] = Counter()

    def __call__(self, what: str, do: Callable[..., object], *args: object) -> bool:
        """Call `do(*args)`; whether it went well.  `what` names it in the log."""
        try:
            do(*args)
        except Exception:
            self.failed(what)
            return False
        return True

    def failed(self, what: str) -> None:
        """Log the exception that is being handled."""
        self._failures[what] += 1
        times = self._failures[what]
        if times & (times - 1) == 0:
            self._log.failure("{what} failed ({times} times so far)", what=what, times=times)


class Periodic:
    """Calls `look` every `seconds`, whatever it raises; `what` names it in the log."""

    def __init__(
        self, deadlines: Deadlines, seconds: float, what: str, look: Callable[[], object]
    ) -> None:
        self._deadlines = deadlines
        self._seconds = seconds
        self._what = what
        self._do = look
        self._attempt = Attempts()
        self._arm()

    def _arm(self) -> None:
        self._deadlines.call_later(self._seconds, self._look)

    def _look(self) -> None:
        self._attempt(self._what, self._do)
        self._arm()
