"""When the markets of Taiwan trade, on the clock of Taipei.

Source: TAIFEX and TWSE trading hours.  Holidays are not known here: a session in which
nothing is ever heard is taken for one.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import attrs

TAIPEI = ZoneInfo("Asia/Taipei")


@attrs.frozen
class Session:
    """A daily trading session, Monday to Friday; it may end on the next morning."""

    market: str
    opens: time
    closes: time

    def at(self, now: datetime) -> datetime | None:
        """When the session in which `now` lies opened; None outside of it."""
        for day in (now.date(), now.date() - timedelta(days=1)):
            opened = datetime.combine(day, self.opens, now.tzinfo)
            closed = datetime.combine(day, self.closes, now.tzinfo)
            if closed <= opened:
                closed += timedelta(days=1)
            if day.weekday() < 5 and opened <= now < closed:
                return opened
        return None


SESSIONS = (
    Session("futures", time(8, 45), time(13, 45)),
    Session("futures", time(15, 0), time(5, 0)),
    Session("stocks", time(9, 0), time(13, 30)),
)


def session_of(market: str, now: datetime) -> datetime | None:
    """When the session of `market` in which `now` lies opened; None: it is closed."""
    for session in SESSIONS:
        if session.market == market and (opened := session.at(now.astimezone(TAIPEI))):
            return opened
    return None


def market_of(code: str) -> str:
    """The market of a code: stocks, funds and warrants begin with digits."""
    return "stocks" if code[:4].isdigit() else "futures"
