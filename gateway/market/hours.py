"""When the markets of Taiwan trade, on the clock of Taipei.

Source: TAIFEX and TWSE trading hours.  The days on which nothing trades are told by a file.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING

import attrs

from gateway.common.times import Window, is_between

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

TAIPEI = timezone(timedelta(hours=8), "Asia/Taipei")
"""Without daylight saving time, so that no time zone database is needed."""
AHEAD = 30
"""Days in which a trading day is searched; no holidays are longer."""


@attrs.frozen
class Period:
    """One session of one day."""

    opens: datetime
    closes: datetime
    auction: datetime
    """From here to the close nothing is traded: an auction finds the last price."""


@attrs.frozen
class TradingSession:
    """A daily trading session, Monday to Friday; it may end on the next morning.

    `auction`: when the auction before the close begins; None: there is none.
    """

    market: str
    window: Window
    auction: time | None = None

    def on(self, day: date) -> Period:
        """The session that begins on `day`."""
        opens, closes = self.window.on(day, TAIPEI)
        auction = datetime.combine(closes.date(), self.auction or self.window.end, TAIPEI)
        return Period(opens, closes, auction)


SESSIONS = (
    TradingSession("futures", Window(time(8, 45), time(13, 45))),
    TradingSession("futures", Window(time(15, 0), time(5, 0))),
    TradingSession("stocks", Window(time(9, 0), time(13, 30)), auction=time(13, 25)),
)
MARKETS = ("futures", "stocks")

DAY_BEGINS = time(5, 30)
"""When the night is over in every market, and the first events of the day come."""
NIGHT_BEGINS = time(14, 30)
"""When the day is over in every market, and the first events of the night come."""


@attrs.frozen
class TradingPart:
    """One half of a trading day: its night, which comes first, or its day.

    `begins` and `ends` are in seconds since 1970; a moment `now` is in it when
    `begins <= now < ends`.
    """

    day: date
    """The trading day: for a night the one on whose account its trades are."""
    part: str
    """`day` or `night`."""
    begins: float
    ends: float

    def __str__(self) -> str:
        return f"{self.day}-{self.part}"


@attrs.frozen
class SessionSpan:
    """A session of one market, and the time whose trades are on its account.

    All in seconds since 1970; a trade at `now` is on its account when `begins <= now < ends`.
    """

    opens: int
    closes: int
    """A trade in this very second is still in the session."""
    begins: float
    ends: float


class Calendar:
    """The trading sessions; none begins at a weekend or on a holiday.

    `holidays`: a file with one ISO 8601 date a line; empty lines and comments after `#` are
    allowed.  Raises ValueError, which names the line, when it can't be used.
    """

    def __init__(self, holidays: Path | None = None) -> None:
        self._file = holidays
        self._holidays: Collection[date] = ()
        self.reload()

    def reload(self) -> None:
        """Read the file again.  Raises ValueError; then the holidays stay as they were."""
        if self._file is not None:
            self._holidays = frozenset(_dates(self._file))

    def session(self, market: str, now: datetime) -> Period | None:
        """The session of `market` in which `now` lies; None: it is closed."""
        day = now.astimezone(TAIPEI).date()
        periods = self._periods(market, day, -1, 1)  # yesterday's may pass midnight
        return next((each for each in periods if is_between(each.opens, now, each.closes)), None)

    def opens(self, market: str, now: datetime) -> datetime | None:
        """When the next session of `market` begins after `now`."""
        day = now.astimezone(TAIPEI).date()
        periods = self._periods(market, day, 0, AHEAD)
        return min((each.opens for each in periods if each.opens > now), default=None)

    def is_open(self, now: float) -> bool:
        """Whether any market trades at `now`, in seconds since 1970."""
        at = datetime.fromtimestamp(now, TAIPEI)
        return any(self.session(market, at) is not None for market in MARKETS)

    def trading_part(self, now: float) -> TradingPart:
        """The trading day, and its part, to which `now`, in seconds since 1970, belongs.

        A day has a part of its own from 05:30 to 14:30 if it is a trading day; all other time
        belongs to the night of the next trading day.  So the night that begins on Friday is
        Monday's, or that of the day after a holiday, and lasts until that day's 05:30.
        """
        at = datetime.fromtimestamp(now, TAIPEI)
        today = at.date()
        if self._trades(today) and DAY_BEGINS <= at.time() < NIGHT_BEGINS:
            begins = datetime.combine(today, DAY_BEGINS, TAIPEI)
            ends = datetime.combine(today, NIGHT_BEGINS, TAIPEI)
            return TradingPart(today, "day", begins.timestamp(), ends.timestamp())
        before = today if at.time() >= NIGHT_BEGINS else today - timedelta(days=1)
        last, coming = self._last(before), self._next(before)
        begins = datetime.combine(last, NIGHT_BEGINS, TAIPEI)
        ends = datetime.combine(coming, DAY_BEGINS, TAIPEI)
        return TradingPart(coming, "night", begins.timestamp(), ends.timestamp())

    def session_span(self, market: str, now: float) -> SessionSpan:
        """The session on whose account a trade of `market` at `now` is.

        A trade outside of all sessions counts with the part of the trading day that it is in; one
        in the night of a market that trades by day only, with the day before it.
        """
        part = self.trading_part(now)
        begins = datetime.fromtimestamp(part.begins, TAIPEI).date()
        sessions = [each for each in SESSIONS if each.market == market]
        is_day = part.part == "day"
        session = next(
            (each for each in sessions if (each.window.start < NIGHT_BEGINS) == is_day),
            sessions[0],
        )
        period = session.on(begins)
        opens, closes = int(period.opens.timestamp()), int(period.closes.timestamp())
        return SessionSpan(opens, closes, part.begins, part.ends)

    def present_session(self, market: str, now: float) -> int:
        """When the session of `market` began that is open at `now`, or when the next one does."""
        at = datetime.fromtimestamp(now, TAIPEI)
        period = self.session(market, at)
        opens = period.opens if period is not None else self.opens(market, at)
        return int(opens.timestamp() if opens is not None else now)

    def _last(self, day: date) -> date:
        """The last trading day up to `day`."""
        days = (day - timedelta(days=each) for each in range(AHEAD))
        return next((each for each in days if self._trades(each)), day - timedelta(days=AHEAD))

    def _next(self, day: date) -> date:
        """The first trading day after `day`."""
        days = (day + timedelta(days=each) for each in range(1, AHEAD))
        return next((each for each in days if self._trades(each)), day + timedelta(days=AHEAD))

    def _trades(self, day: date) -> bool:
        return day.weekday() < 5 and day not in self._holidays

    def _periods(self, market: str, day: date, first: int, last: int) -> Iterator[Period]:
        for offset in range(first, last):
            begins = day + timedelta(days=offset)
            if self._trades(begins):
                for session in SESSIONS:
                    if session.market == market:
                        yield session.on(begins)


def market_of(code: str) -> str:
    """The market of a code: stocks, funds and warrants begin with digits."""
    return "stocks" if code[:4].isdigit() else "futures"


def _dates(file: Path) -> Iterator[date]:
    try:
        lines = file.read_text("utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise ValueError(f"the holiday file can't be read: {error}") from None
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if text:
            try:
                yield date.fromisoformat(text)
            except ValueError:
                raise ValueError(
                    f"the holiday file {file}, line {number}: {text[:20]!r} is no date such as"
                    " 2027-01-01"
                ) from None
