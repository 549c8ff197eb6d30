"""Bars of trades: from ticks as they come, and from the broker's own bars; without I/O.

A bar is of one code and one minute (or second), by the exchange's time, which is Taipei's.  Its
time is its start, in seconds since 1970.  Trial matches and odd lots are in no bar.  A tick at
the last instant of a session, such as 13:45:00, belongs to its last minute.

The volume of a bar is the growth of `total_volume` since the tick before.  A tick that does not
raise it came late or twice, and changes nothing.  Ticks without `total_volume` are added up.

A minute that was not heard from its beginning to its end is *partial*.  `BarBuilder.cut` tells
that something may have been missed: a start, another worker, a lost connection.
"""

from __future__ import annotations

from datetime import datetime
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import attrs

from gateway.market.hours import TAIPEI, market_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

MINUTE = 60
MAX_LENGTH = 100
"""Characters of a code."""
MOST_ROWS = 20_000
"""Bars of the broker in one event; a trading day of futures has 1,140."""
MARKS = ("demo", "replay", "rehearsal")
"""Fields that are true in events which are not the market's own."""
TAIPEI_SECONDS = 8 * 3600
NANOSECONDS = 10**9


class Session(Protocol):
    """The session of a market on whose account a trade is."""

    @property
    def opens(self) -> int:
        """When it begins, in seconds since 1970."""
        ...

    @property
    def closes(self) -> int:
        """When it ends; a trade in this very second belongs to it."""
        ...

    @property
    def begins(self) -> float:
        """Trades from here on are on its account."""
        ...

    @property
    def ends(self) -> float:
        """Trades from here on are not."""
        ...


class Tick(NamedTuple):
    """One trade."""

    code: str
    time: float
    """By the exchange, in seconds since 1970."""
    price: float
    volume: float
    total: float | None
    """The volume of the session so far; None: the worker does not tell."""


class BrokerBar(NamedTuple):
    """One minute as the broker has it."""

    time: int
    open: float
    high: float
    low: float
    close: float
    volume: float


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

    def follow(self, later: Bar) -> None:
        """Add what came `later` in the same minute."""
        self.high = max(self.high, later.high)
        self.low = min(self.low, later.low)
        self.close = later.close
        self.volume += later.volume
        self.partial |= later.partial


# -- Reading events.


def mark_of(value: Mapping[str, Any]) -> str:
    """`demo`, `replay` or `rehearsal`; "" for an event of the market."""
    return next((mark for mark in MARKS if value.get(mark) is True), "")


def read_tick(value: Mapping[str, Any]) -> Tick | None:
    """The trade that a `market_tick` tells; None: it is in no bar.

    Raises ValueError, which says what is wrong with it.
    """
    if value.get("simtrade") or value.get("intraday_odd"):
        return None
    price = value.get("price")
    total = value.get("total_volume")
    return Tick(
        read_code(value),
        _time(value.get("datetime") or value.get("timestamp")),
        _number("price", value.get("close") if price is None else price),
        _volume("volume", value.get("volume", 0)),
        None if total is None else _volume("total_volume", total),
    )


def read_kbars(value: Mapping[str, Any]) -> list[BrokerBar]:
    """The bars of a `market_kbars`, sorted.  Raises ValueError, which says what is wrong."""
    columns = [value.get(name) for name in ("ts", "Open", "High", "Low", "Close", "Volume")]
    if not all(isinstance(column, list) for column in columns):
        raise ValueError("ts, Open, High, Low, Close and Volume must be lists")
    times, *numbers = columns
    if len({len(column) for column in columns}) != 1:  # type: ignore[arg-type]  # lists they are
        raise ValueError("its columns differ in length")
    if len(times) > MOST_ROWS:  # type: ignore[arg-type]
        raise ValueError(f"it has more than {MOST_ROWS} bars")
    return sorted(map(_broker_bar, times, *numbers))  # type: ignore[arg-type]


def read_code(value: Mapping[str, Any]) -> str:
    """The code of an event.  Raises ValueError."""
    code = value.get("code")
    if not isinstance(code, str) or not 0 < len(code) <= MAX_LENGTH:
        raise ValueError(f"code must be a text of at most {MAX_LENGTH} characters")
    return code


def _broker_bar(end: Any, *numbers: Any) -> BrokerBar:
    """Shioaji has the minute's end, as Taipei's wall time written as if it were UTC."""
    if not isinstance(end, int) or not 10**17 < end < 10**19:
        raise ValueError("ts must be in nanoseconds since 1970")
    seconds = -(-end // NANOSECONDS) - TAIPEI_SECONDS
    time = -(-seconds // MINUTE) * MINUTE - MINUTE
    names = ("Open", "High", "Low", "Close")
    prices = [_number(name, number) for name, number in zip(names, numbers[:4], strict=True)]
    bar = BrokerBar._make((time, *prices, _volume("Volume", numbers[4])))
    if not bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high:
        raise ValueError("Low and High must be around Open and Close")
    return bar


def _number(name: str, value: Any) -> float:
    """Some workers send the broker's decimals as text."""
    try:
        number = float(value) if not isinstance(value, bool) else float("nan")
    except (TypeError, ValueError, OverflowError):
        number = float("nan")
    if not isfinite(number):
        raise ValueError(f"{name} must be a number")
    return number


def _volume(name: str, value: Any) -> float:
    number = _number(name, value)
    if number < 0:
        raise ValueError(f"{name} must not be negative")
    return number


def _time(value: Any) -> float:
    """ISO 8601, or the broker's `2026/11/30 08:45:00.123`; without a zone it is Taipei's."""
    try:
        at = datetime.fromisoformat(value.replace("/", "-"))
        return (at if at.tzinfo else at.replace(tzinfo=TAIPEI)).timestamp()
    except (AttributeError, TypeError, ValueError, OverflowError):
        raise ValueError("datetime must be ISO 8601, such as 2026-11-30T08:45:00.123") from None


# -- Building bars.


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
    """The number of cuts that its newest tick knows of."""
    since: int = 0
    """The first minute after the last cut that was heard from its beginning."""


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
        self, session_of: Callable[[str, float], Session], *, most_codes: int = 5000
    ) -> None:
        self._session_of = session_of
        self._sessions: dict[str, Session] = {}
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
        code, time, price, _, _ = tick
        progress = self.progress.get(code)
        if progress is None:
            progress = self._meet(code)
        session = self.session(code, time)
        before = progress.total if progress.session == session.opens else None
        grown = self._growth(progress, session.opens, tick)
        if grown is None:
            return False
        second = min(int(time), session.closes - 1) if time < session.closes + 1 else int(time)
        minute = second - second % MINUTE
        if progress.cut != self._cuts:
            progress.cut = self._cuts
            missed = tick.total is None or tick.total - tick.volume != (before or 0)
            progress.since = minute + MINUTE if missed else minute
        if time > progress.last:
            progress.last = time
            self.newest = max(self.newest, time)
        self.changed.add(code)
        partial = minute < progress.since
        for bars, at in ((self.minutes, minute), (self.seconds, second)):
            bar = bars.get((code, at))
            if bar is None:
                bars[code, at] = Bar(price, price, price, price, grown, session.opens, partial)
            else:
                bar.high = max(bar.high, price)
                bar.low = min(bar.low, price)
                bar.close = price
                bar.volume += grown
        return True

    def _growth(self, progress: Progress, opens: int, tick: Tick) -> float | None:
        """By how much `tick` raises the volume; None: it came late or twice."""
        if opens != progress.session:
            if opens < progress.session:
                return None
            progress.session, progress.total = opens, None
        if tick.total is None:
            return tick.volume
        before = progress.total
        if before is not None and tick.total <= before:
            return None
        progress.total = tick.total
        return tick.volume if before is None else tick.total - before

    def session(self, code: str, time: float) -> Session:
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

    def resume(self, progress: Mapping[str, Progress]) -> None:
        """Go on where an earlier process was; what is known already wins."""
        self.progress = {**progress, **self.progress}
        self.newest = max((each.last for each in self.progress.values()), default=0.0)

    def take(self) -> Taken:
        """What is new since the last call."""
        taken = Taken(
            self.minutes,
            self.seconds,
            {code: self.progress[code] for code in self.changed if code in self.progress},
            self.doubtful,
        )
        self.minutes, self.seconds = {}, {}
        self.changed, self.doubtful = set(), set()
        return taken

    def give_back(self, taken: Taken) -> None:
        """Put back what could not be kept: what came since then follows it."""
        self.minutes = joined(taken.minutes, self.minutes)
        self.seconds = joined(taken.seconds, self.seconds)
        self.changed |= taken.progress.keys()
        self.doubtful |= taken.doubtful

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


def parted(rows: Sequence[BrokerBar], before: float) -> Iterator[BrokerBar]:
    """Those of the broker's bars whose minute was over at `before`, in seconds since 1970."""
    return (row for row in rows if row.time + MINUTE <= before)
