"""Bars of one minute, made of ticks as they come.

The time that counts is the market's: that of the newest tick, and what has passed since.  So a
recorded day makes the same bars as the day itself.  A tick of a minute that is over, or of none,
changes nothing; neither does a trial match (`simtrade`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.client.events import Event

MINUTE = timedelta(minutes=1)
GRACE = 2.0
"""Seconds after a minute in which a tick of it may still come."""


class Minutes:
    """The minutes that run, of each code one; `clock` gives seconds, from any beginning."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._bars: dict[str, Event] = {}
        self._over: dict[str, datetime] = {}
        self._newest: tuple[datetime, float] | None = None

    def add(self, tick: Event) -> Event | None:
        """Take a `market_tick`; the bar that it ends, or None."""
        if tick.get("simtrade"):
            return None
        code, at = tick["code"], datetime.fromisoformat(tick["datetime"])
        minute = at.replace(second=0, microsecond=0)
        if code in self._over and minute <= self._over[code]:
            return None
        if self._newest is None or at > self._newest[0]:
            self._newest = at, self._clock()
        bar, begun = self._bars.get(code), minute.isoformat()
        if bar is not None and begun < bar["time"]:
            return None
        if bar is not None and begun == bar["time"]:
            _extend(bar, tick)
            return None
        prices = dict.fromkeys(("open", "high", "low", "close"), tick["price"])
        self._bars[code] = {"code": code, "time": begun, **prices, "volume": tick["volume"]}
        return bar

    def over(self) -> list[Event]:
        """The bars whose minute is over though no later tick of their code has come."""
        if self._newest is None:
            return []
        at, heard = self._newest
        now = at + timedelta(seconds=self._clock() - heard - GRACE)
        ended = [bar for bar in self._bars.values() if _end(bar) <= now]
        for bar in ended:
            del self._bars[bar["code"]]
            self._over[bar["code"]] = datetime.fromisoformat(bar["time"])
        return ended


def _extend(bar: Event, tick: Event) -> None:
    price = tick["price"]
    bar["high"], bar["low"] = max(bar["high"], price), min(bar["low"], price)
    bar["close"] = price
    bar["volume"] += tick["volume"]


def _end(bar: Event) -> datetime:
    return datetime.fromisoformat(bar["time"]) + MINUTE
