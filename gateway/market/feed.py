"""Whether the feed of one market is silent while the market trades."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from datetime import date

    from gateway.market.hours import Calendar, Period

SLACK = 3.0
"""A pause this many times the longest usual one is a silence."""
HALF_LIFE = 3600.0
"""Seconds of trading after which a pause counts for half of what it was."""
MINUTE = 60.0
"""Seconds after which the session is looked up again: sessions begin and end with a minute."""
ENOUGH = 20
"""Ticks after which the usual pauses of a code are known."""
MAX_CODES = 2000
OTHER = ""


@attrs.define
class TickIntervals:
    """The pauses between ticks of one code, or of a whole market, in seconds."""

    silence: float
    """The shortest pause that counts as silence."""
    last: float = 0.0
    ticks: int = 0
    longest: float = 0.0
    """The longest pause of late between two ticks of one session."""
    is_whole: bool = False
    """Whether the next pause counts: the worker ran all the time."""

    @property
    def threshold(self) -> float:
        """Seconds without a tick after which it is silent."""
        return max(self.silence, SLACK * self.longest)

    def tick(self, now: float, opened: float | None) -> None:
        """A tick came; `opened`: when the session began, None: the pause does not count."""
        if self.is_whole and opened is not None and self.last >= opened:
            # One pause is perhaps a failure that passed: it makes the next one no more than
            # SLACK times longer, before people are told.
            self.longest = max(self.longest, min(now - self.last, self.threshold))
        self.last = now
        self.is_whole = True

    def state(self) -> list[float]:
        """The arguments of `restore`."""
        return [self.last, self.ticks, self.longest]

    def restore(self, last: float, ticks: float, longest: float) -> None:
        """Know the pauses that a process before this one knew."""
        self.last, self.ticks, self.longest = float(last), int(ticks), float(longest)

    def decay(self, seconds: float) -> None:
        """Let `seconds` of trading pass: old pauses count less."""
        self.longest *= 0.5 ** (seconds / HALF_LIFE)

    def is_silent(self, now: float, opened: float) -> bool:
        """Whether nothing came for too long, in the session that began at `opened`."""
        return now - max(self.last, opened) >= self.threshold


class Feed:
    """One market: its sessions, and the pauses between ticks of each code and of all together.

    A market whose contracts usually have minutes between two ticks is not silent while that
    stays so, nor is any market in the auction before the close.  A day without a tick from an
    open to the close is taken for a holiday: its later sessions count only after a tick.

    If one worker sent events of this market, the next one is expected to, unless it sends none
    from an open to the close: it may have been given other codes.
    """

    def __init__(self, market: str, calendar: Calendar, silence: float) -> None:
        self.market = market
        self._calendar = calendar
        self._silence = silence
        self._floor = silence / SLACK  # a shorter pause changes no threshold
        self._intervals = TickIntervals(silence)
        self._codes: dict[str, TickIntervals] = {}
        self._period: Period | None = None
        self._opens = self._auction = self._valid_until = 0.0
        self._silent_day: date | None = None
        self._watched: float | None = None
        self._resumed: float | None = None
        self.expected = False
        """Whether ticks of this market are expected: the worker told of one of its codes."""

    def expect(self, now: float) -> None:
        """The worker told of a code of this market: expect ticks."""
        self.expected = True
        if self._watched is None:
            self._watched = now

    def intervals_of(self, code: str) -> TickIntervals:
        """The pauses of `code`; codes beyond `MAX_CODES` share one object."""
        name = code if code in self._codes or len(self._codes) < MAX_CODES else OTHER
        return self._codes.setdefault(name, TickIntervals(self._silence))

    def tick(self, intervals: TickIntervals, now: float) -> None:
        """A tick or bid/ask of the code of `intervals`; called thousands of times a second."""
        intervals.ticks += 1
        if now - intervals.last <= self._floor and intervals.is_whole:
            intervals.last = self._intervals.last = now
            return
        self.expect(now)
        self._turn(now)
        opened = self._opens if self._period is not None and now < self._auction else None
        self._silent_day = None
        self._intervals.tick(now, opened)
        intervals.tick(now, opened)

    @property
    def inherited(self) -> bool:
        """Whether it is expected only because of what a worker before this one sent."""
        return self.expected and self._watched is None and self._resumed is not None

    def resume(self, now: float) -> None:
        """Another worker runs since `now`."""
        self._resumed = now

    def state(self) -> list[float]:
        """What a later process needs: whether ticks are expected, and their usual pauses."""
        return [self.expected, *self._intervals.state()]

    def restore(self, state: list[float]) -> None:
        """Expect what a process before this one expected.  Raises ValueError or TypeError."""
        expected, *pauses = state
        self.expected = bool(expected)
        self._intervals.restore(*pauses)

    def interrupt(self) -> None:
        """The worker has ended: the pause until the next tick does not count."""
        self._watched = self._resumed = None
        for each in (self._intervals, *self._codes.values()):
            each.is_whole = False

    def decay(self, now: float, seconds: float) -> None:
        """Let `seconds` pass, up to `now`."""
        self._turn(now)
        if self._period is not None:
            for each in (self._intervals, *self._codes.values()):
                each.decay(seconds)

    def period(self, now: float) -> Period | None:
        """The session at `now`; None: the market is closed."""
        self._turn(now)
        return self._period

    def opens(self, now: float) -> datetime | None:
        """When the next session begins."""
        return self._calendar.opens(self.market, _utc(now))

    def is_silent(self, now: float) -> bool:
        """Whether ticks are missing now."""
        return self._may_be_silent(now) and self._intervals.is_silent(now, self._opens)

    def silent_codes(self, now: float) -> set[str]:
        """The codes of which ticks are missing now.

        Each is measured by its own usual pauses.  Codes without a tick in this session, or with
        fewer than `ENOUGH` ever, are left out.
        """
        if not self._may_be_silent(now):
            return set()
        return {
            code
            for code, intervals in self._codes.items()
            if intervals.ticks >= ENOUGH
            and intervals.last >= self._opens
            and intervals.is_silent(now, self._opens)
        }

    def _may_be_silent(self, now: float) -> bool:
        self._turn(now)
        return (
            self.expected
            and self._silence > 0
            and self._period is not None
            and self._period.opens.date() != self._silent_day
            and now < self._auction
        )

    def _turn(self, now: float) -> None:
        """Look up the session at `now`, once a minute."""
        if self._valid_until - MINUTE <= now < self._valid_until:
            return
        before, self._period = self._period, self._calendar.session(self.market, _utc(now))
        self._valid_until = now - now % MINUTE + MINUTE
        if before is not None and before.closes.timestamp() <= now:
            opened = before.opens.timestamp()
            if self.inherited and self._resumed is not None and self._resumed <= opened:
                self.expected = False
            if self._watched is not None and self._watched <= opened > self._intervals.last:
                self._silent_day = before.opens.date()
        if self._period is not None:
            self._opens = self._period.opens.timestamp()
            self._auction = self._period.auction.timestamp()


def _utc(now: float) -> datetime:
    return datetime.fromtimestamp(now, UTC)
