"""How many events of each name were relayed: one log line for ten seconds."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from twisted.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Callable

_SHOWN: Final = 8
_NAME_LENGTH: Final = 64


class EventCounts:
    """Call it with each event's name; it logs sums, never payloads.

    `call_later(seconds, callback)` is that of the deadlines.  The caller bounds the number of
    names, as they come from outside, and gives `other` for the rest.
    """

    _log = Logger()

    def __init__(self, call_later: Callable[..., object], seconds: float = 10) -> None:
        self._call_later = call_later
        self._seconds = seconds
        self._counts: Counter[str] = Counter()
        self._before: Counter[str] = Counter()

    def __call__(self, name: str) -> None:
        if not self._counts:
            self._call_later(self._seconds, self._report)
        self._counts[name] += 1

    def finish(self) -> None:
        """Log what was counted after the last line: the gateway ends."""
        self._report("less than ")

    def totals(self) -> Counter[str]:
        """Counts since the start."""
        return self._before + self._counts

    def _report(self, how: str = "") -> None:
        if not self._counts:
            return  # said already
        self._before = self.totals()
        counts, self._counts = self._counts, Counter()
        total = counts.total()
        del counts["other"]
        shown = counts.most_common(_SHOWN)
        rest = total - sum(count for _, count in shown)
        names = ", ".join(f"{name[:_NAME_LENGTH]} {count}" for name, count in shown)
        self._log.info(
            "{total} events in {how}{seconds:g} s: {names}{rest}",
            tag="Relay",
            total=total,
            how=how,
            seconds=self._seconds,
            names=names,
            rest=f", other {rest}" if rest else "",
        )
