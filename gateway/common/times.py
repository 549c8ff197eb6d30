"""Points in time as text, and daily windows of time that may pass midnight."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

import attrs

LATEST = 1e11
"""Seconds since 1970, of the year 5138: what is beyond is no time in seconds."""


def iso(seconds: float) -> str:
    """Seconds since 1970 as ISO 8601 in UTC with milliseconds: `2024-02-25T15:30:00.000Z`.

    Source: ECMA-262, `Date.prototype.toISOString`.  The milliseconds are cut, not rounded.
    """
    whole, microseconds = divmod(seconds, 1.0)
    carry, rest = divmod(round(microseconds * 1e6), 1_000_000)  # as `datetime` rounds
    return f"{_second(int(whole) + carry)}.{rest // 1000:03}Z"


@lru_cache(maxsize=16)  # most are of now
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]


@attrs.frozen
class Window:
    """The time from `start` to `end` of a day; if `end` is not later, to `end` of the next day."""

    start: time
    end: time

    def on(self, day: date, zone: tzinfo) -> tuple[datetime, datetime]:
        """When the window that starts on `day` starts and ends, on the clock of `zone`."""
        last = day + timedelta(days=self.end <= self.start)
        return (
            datetime.combine(day, self.start, zone),
            datetime.combine(last, self.end, zone),
        )


def is_between(start: datetime, now: datetime, end: datetime) -> bool:
    """Whether `now` is in the window from `start` to before `end`.

    Two times of one zone are compared as points in time: the times on the wall are not enough
    in the hour that comes twice when summer time ends.
    """
    return start.timestamp() <= now.timestamp() < end.timestamp()
