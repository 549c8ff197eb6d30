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
"""Days in which the next open is searched; no holidays are longer."""


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

    def _periods(self, market: str, day: date, first: int, last: int) -> Iterator[Period]:
        for offset in range(first, last):
            begins = day + timedelta(days=offset)
            if begins.weekday() < 5 and begins not in self._holidays:
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
