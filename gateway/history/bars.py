"""Makes bars of ticks as they come; without I/O.

A bar is of one code and one minute (or second), by the exchange's time, which is Taipei's.  Its
time is its start, in seconds since 1970.  Trial matches and odd lots are in no bar.  A tick at
the last instant of a session, such as 13:45:00, belongs to its last minute.

The volume of a bar is the growth of `total_volume` since the tick before.  A tick that does not
raise it came late or twice, and changes nothing.  Ticks without `total_volume` are added up.

A minute that was not heard from its beginning to its end is *partial*.  `BarBuilder.cut` tells
that something may have been missed: a start, another worker, a lost connection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import attrs

from gateway.history.trades import MINUTE, BrokerBar, Tick
from gateway.market.hours import market_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from gateway.market.hours import SessionSpan


@attrs.define
class Bar:
    """What was heard of one minute or second, or of a part of it."""

    open: float
    high: float
    low: float
    close: float
    volume: float
    session: int
    """When its session opened."""
    partial: bool = False

    def add(self, price: float, volume: float) -> None:
        """Add a trade in the same minute."""
        if price > self.high:
            self.high = price
        elif price < self.low:
            self.low = price
        self.close = price
        self.volume += volume

    def follow(self, later: Bar) -> None:
        """Add what came `later` in the same minute."""
        self.high = max(self.high, later.high)
        self.low = min(self.low, later.low)
        self.close = later.close
        self.volume += later.volume
        self.partial |= later.partial


class KeptBar(NamedTuple):
    """A bar of one minute as it is kept."""

    time: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    session: int
    """When its session opened."""
    kind: int
    """What it is from: see `bar_store`."""


@attrs.define
class Running:
    """The bars to which the ticks of one second are added."""

    second: int
    in_second: Bar
    in_minute: Bar


@attrs.define
class Progress:
    """How far the ticks of one code have come."""

    session: int = 0
    """When the session of its newest tick opened."""
    total: float | None = None
    """Its newest `total_volume`."""
    last: float = 0.0
    """The time of its newest tick."""
    cut: int = -1
    """How many cuts there had been when its newest tick came."""
    since: int = 0
    """The first minute that was heard from its beginning after that cut."""
    span: SessionSpan | None = attrs.field(default=None, eq=False, repr=False)
    """The session of its newest tick, so that it is looked up once."""
    running: Running | None = attrs.field(default=None, eq=False, repr=False)
    """The bars of its newest tick, so that they are looked up once; None: they are written."""


Bars = dict[tuple[str, int], Bar]
"""By code and time."""


class TooManyCodesError(Exception):
    """There is no room for one more code."""


class BarBuilder:
    """Makes bars of the ticks of all codes.

    `session_of(market, time)` is the session of a trade.  `most_codes` is the bound of codes.
    What is in `minutes` and `seconds` is only what came since the last `take`: whoever keeps the
    bars adds it to what it has of the same minute.
    """

    def __init__(
        self, session_of: Callable[[str, float], SessionSpan], *, most_codes: int = 5000
    ) -> None:
        self._session_of = session_of
        self._sessions: dict[str, SessionSpan] = {}
        self._most_codes = most_codes
        self._cuts = 0
        self.progress: dict[str, Progress] = {}
        """By code; may be set to what an earlier process had."""
        self.newest = 0.0
        """The time of the newest tick of all codes."""
        self.minutes: Bars = {}
        self.seconds: Bars = {}
        self.changed: set[str] = set()
        """Codes whose progress has changed."""
        self.doubtful: set[tuple[str, int]] = set()
        """Minutes of which the end may have been missed."""

    def trade(self, tick: Tick) -> bool:
        """Add a tick; False: it came late or twice.  Raises TooManyCodesError."""
        code, time, price, volume, total = tick
        progress = self.progress.get(code)
        if progress is None:
            progress = self._meet(code)
        span = progress.span
        if span is None or not span.begins <= time < span.ends:
            span = progress.span = self.session(code, time)
        if progress.session != span.opens:
            if span.opens < progress.session:
                return False
            progress.session, progress.total = span.opens, None
        before = progress.total
        if total is not None:
            if before is not None:
                if total <= before:
                    return False
                volume = total - before
            progress.total = total
        second = int(time)
        if span.closes <= second < span.closes + 1:
            second = span.closes - 1
        if progress.cut != self._cuts:
            progress.cut = self._cuts
            minute = second - second % MINUTE
            missed = total is None or total - tick.volume != (before or 0)
            progress.since = minute + MINUTE if missed else minute
        if time > progress.last:
            progress.last = time
            self.newest = max(self.newest, time)
        running = progress.running
        if running is None or running.second != second:
            running = progress.running = self._run(code, second, progress, price)
        running.in_second.add(price, volume)
        running.in_minute.add(price, volume)
        return True

    def _run(self, code: str, second: int, progress: Progress, price: float) -> Running:
        """The bars of a tick at `second`; a new one begins with `price`, and without volume."""
        self.changed.add(code)
        minute = second - second % MINUTE
        found = []
        for bars, at in ((self.seconds, second), (self.minutes, minute)):
            bar = bars.get((code, at))
            if bar is None:
                partial = minute < progress.since
                bar = bars[code, at] = Bar(price, price, price, price, 0, progress.session, partial)
            found.append(bar)
        return Running(second, *found)

    def session(self, code: str, time: float) -> SessionSpan:
        """The session of a trade of `code`."""
        market = market_of(code)
        session = self._sessions.get(market)
        if session is None or not session.begins <= time < session.ends:
            session = self._sessions[market] = self._session_of(market, time)
        return session

    def cut(self) -> None:
        """Ticks may have been missed until now: the minute of the newest one is partial."""
        self._cuts += 1
        minute = self.newest // MINUTE * MINUTE
        for code, progress in self.progress.items():
            if progress.last >= minute > 0:
                self.doubtful.add((code, int(minute)))
        for (_, at), bar in self.minutes.items():
            bar.partial |= at == minute

    def forget_total(self, code: str) -> None:
        """The source of `code` counts its `total_volume` anew."""
        if code in self.progress:
            self.progress[code].total = None

    def heard_elsewhere(self, code: str, last: float) -> None:
        """Another gateway has heard a tick of `code` at the time `last`; there is no volume here.

        Raises TooManyCodesError.
        """
        progress = self.progress.get(code) or self._meet(code)
        if last > progress.last:
            progress.last = last
            self.changed.add(code)

    def resume(self, progress: Mapping[str, Progress]) -> None:
        """Go on where an earlier process was; what is known already wins."""
        self.progress = {**progress, **self.progress}
        self.newest = max((each.last for each in self.progress.values()), default=0.0)

    def take(self) -> Taken:
        """What is new since the last call."""
        changed = {code: self.progress[code] for code in self.changed if code in self.progress}
        taken = Taken(self.minutes, self.seconds, changed, self.doubtful)
        for progress in changed.values():
            progress.running = None
        self.minutes, self.seconds = {}, {}
        self.changed, self.doubtful = set(), set()
        return taken

    def give_back(self, taken: Taken) -> None:
        """Put back what could not be kept, before what has come since then."""
        self.minutes = joined(taken.minutes, self.minutes)
        self.seconds = joined(taken.seconds, self.seconds)
        self.changed |= taken.progress.keys()
        self.doubtful |= taken.doubtful
        for progress in self.progress.values():
            progress.running = None  # its bars may have been added to earlier ones

    def _meet(self, code: str) -> Progress:
        if len(self.progress) >= self._most_codes:
            raise TooManyCodesError
        progress = self.progress[code] = Progress()
        return progress


class Taken(NamedTuple):
    """What a `BarBuilder` has that was not kept yet."""

    minutes: Bars
    seconds: Bars
    progress: dict[str, Progress]
    doubtful: set[tuple[str, int]]

    def __bool__(self) -> bool:
        return any(self)


def joined(earlier: Bars, later: Bars) -> Bars:
    """The bars of both; `later` follows `earlier` where both have the same one."""
    for key, bar in later.items():
        known = earlier.get(key)
        if known is None:
            earlier[key] = bar
        else:
            known.follow(bar)
    return earlier


def within(rows: Sequence[BrokerBar], since: float, until: float) -> Iterator[BrokerBar]:
    """Those of the broker's bars from `since` on whose minute was over at `until`."""
    return (row for row in rows if since <= row.time <= until - MINUTE)
