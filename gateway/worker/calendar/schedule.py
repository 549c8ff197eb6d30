"""When the worker is restarted by the calendar, and when it is to be up at all."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from attrs import frozen
from cronsim import CronSim, CronSimError

from gateway.common.times import Window, is_between

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SHIFT = 7200.0
"""Seconds: no zone's clock is put forward or back by more."""
_WINDOW = re.compile(
    r"(?:(?P<days>[a-z,\-]+)\s+)?(?P<start>\d\d?:\d\d)\s*-\s*(?P<end>\d\d?:\d\d)", re.ASCII
)


def zone(name: str) -> ZoneInfo:
    """The time zone `name`.  Raises ValueError."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise ValueError(
            f"there is no time zone {name!r}; where the system has none, pip install tzdata"
        ) from None


class Schedule:
    """Points in time by cron expressions.  Raises ValueError for a bad one."""

    def __init__(self, expressions: Iterable[str], timezone: tzinfo) -> None:
        self._expressions = tuple(expressions)
        self._zone = timezone
        for expression in self._expressions:
            try:
                next(CronSim(expression, datetime.now(self._zone)))
            except (CronSimError, StopIteration):
                raise ValueError(
                    f"{expression!r} is no cron expression such as '40 8 * * 1-5'"
                ) from None

    def __bool__(self) -> bool:
        return bool(self._expressions)

    def next(self, after: float) -> float | None:
        """The first point after `after`, both in seconds since 1970; None: never."""
        points = (self._next(text, after) for text in self._expressions)
        return min((point for point in points if point), default=None)

    def last(self, after: float, until: float) -> float | None:
        """The last point after `after` and not after `until`."""
        found, point = None, self.next(after)
        while point is not None and point <= until:
            found, point = point, self.next(point)
        return found

    def of_day(self, now: float, most: int) -> list[float]:
        """The first `most` points of the day that `now` is in."""
        midnight = datetime.combine(datetime.fromtimestamp(now, self._zone), time(), self._zone)
        ends = (midnight + timedelta(days=1)).timestamp()
        found: list[float] = []
        point = self.next(midnight.timestamp() - 1)
        while point is not None and point < ends and len(found) < most:
            found.append(point)
            point = self.next(point)
        return found

    def _next(self, expression: str, after: float) -> float | None:
        """Each time on the wall is one point.

        In the hour that comes twice it is the first of the two; one that the clock leaps over
        is as much later.
        """
        wall = datetime.fromtimestamp(after, self._zone).replace(tzinfo=None)
        changes = self._offset(after - SHIFT) != self._offset(after + SHIFT)
        found = None
        for each in CronSim(expression, wall - timedelta(seconds=SHIFT) if changes else wall):
            point = each.replace(tzinfo=self._zone).timestamp()
            if point > after:
                found = min(point, found or point)
                if not changes or each > wall + timedelta(seconds=SHIFT):
                    break
        return found

    def _offset(self, seconds: float) -> timedelta | None:
        return datetime.fromtimestamp(seconds, self._zone).utcoffset()


@frozen
class _WeeklyWindow:
    days: frozenset[int]
    """The weekdays on which it starts; 0 is Monday."""
    window: Window

    def opened(self, now: datetime, zone: tzinfo) -> datetime | None:
        """When the window that `now` lies in opened; None: it is closed."""
        for days_ago in (0, 1):  # yesterday's may pass midnight
            day = now.date() - timedelta(days=days_ago)
            if day.weekday() in self.days:
                start, end = self.window.on(day, zone)
                if is_between(start, now, end):
                    return start
        return None


class SessionWindows:
    """Windows of time such as `Mon-Fri 08:30-13:50` or `Mon-Fri 14:55-05:05`.

    Raises ValueError for a bad one.
    """

    def __init__(self, texts: Iterable[str], timezone: tzinfo) -> None:
        self._zone = timezone
        self._windows = tuple(map(_window, texts))

    def __bool__(self) -> bool:
        return bool(self._windows)

    def opened(self, now: float) -> float | None:
        """When the window that is open at `now` opened, in seconds since 1970; None: none is."""
        local = datetime.fromtimestamp(now, self._zone)
        opened = [start for window in self._windows if (start := window.opened(local, self._zone))]
        return min(opened).timestamp() if opened else None

    def next(self, now: float) -> float | None:
        """When the next window opens after `now`."""
        local = datetime.fromtimestamp(now, self._zone)
        starts = (
            window.window.on(local.date() + timedelta(days=ahead), self._zone)[0]
            for window in self._windows
            for ahead in range(8)
            if (local + timedelta(days=ahead)).weekday() in window.days
        )
        times = (start.timestamp() for start in starts)
        return min((start for start in times if start > now), default=None)


def _window(text: str) -> _WeeklyWindow:
    match = _WINDOW.fullmatch(text.strip().lower())
    try:
        if match is None:
            raise ValueError(text)
        start, end = (_clock(match[name]) for name in ("start", "end"))
        days = _days(match["days"] or "mon-sun")
    except ValueError:
        raise ValueError(f"{text!r} is no window of time such as 'Mon-Fri 08:30-13:50'") from None
    return _WeeklyWindow(days, Window(start, end))


def _clock(text: str) -> time:
    hour, minute = map(int, text.split(":"))
    return time(hour, minute)


def _days(text: str) -> frozenset[int]:
    """`mon-fri` or `mon,wed`; a range may pass Sunday."""
    days: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        start = DAYS.index(first)
        length = (DAYS.index(last or first) - start) % 7 + 1
        days.update((start + offset) % 7 for offset in range(length))
    return frozenset(days)
