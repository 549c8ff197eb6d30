"""How many events of which name: one line for all of ten seconds."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from twisted.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Callable

_SHOWN: Final = 8
_NAMES: Final = 100
_NAME_LENGTH: Final = 64


class EventCounts:
    """Call it with each event's name; it logs sums, never payloads.

    `call_later(seconds, callback)`; names are bounded in number and length, as they come
    from outside.
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
        short = name[:_NAME_LENGTH]
        self._counts[_bounded(short, self._counts)] += 1

    def finish(self) -> None:
        """The gateway ends: log what was counted since the last line."""
        self._report("less than ")

    def totals(self) -> Counter[str]:
        """Counts since the start; names past the first hundred are together `other`."""
        totals = self._before.copy()
        for name, count in self._counts.items():
            totals[_bounded(name, totals)] += count
        return totals

    def _report(self, how: str = "") -> None:
        if not self._counts:
            return  # said already
        self._before = self.totals()
        counts, self._counts = self._counts, Counter()
        total = counts.total()
        del counts["other"]
        shown = counts.most_common(_SHOWN)
        rest = total - sum(count for _, count in shown)
        names = ", ".join(f"{name} {count}" for name, count in shown)
        self._log.info(
            "{total} events in {how}{seconds:g} s: {names}{rest}",
            tag="Relay",
            total=total,
            how=how,
            seconds=self._seconds,
            names=names,
            rest=f", other {rest}" if rest else "",
        )


def _bounded(name: str, counts: Counter[str]) -> str:
    """The name to count `name` under."""
    return name if name in counts or len(counts) < _NAMES else "other"
