"""How old everything is, and whether a feed went silent while its market trades."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import attrs

from gateway.relay.guard import Attempts, Periodic
from gateway.relay.sessions import Calendar, market_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.engineio.deadlines import Deadlines

SILENCE = 60.0
"""Seconds without a tick in a session after which a market's feed is stale; 0: never."""
CHECK = 5.0
"""Seconds between two looks."""
MAX_NAMES, MAX_CODES = 100, 2000
MAX_LENGTH = 100
OTHER = "other"
"""Where names and codes from outside go that are too many, or longer than `MAX_LENGTH`."""

SILENT = "no ticks while the market trades"
"""Why a feed is stale of which something was expected."""

TICKS = frozenset(("market_tick", "market_bidask"))
QUOTES = TICKS | {"market_snapshot"}


@attrs.define
class Arrivals:
    """When something was last heard, and how often."""

    last: float = 0.0
    count: int = 0
    rate: float = 0.0
    """Events a second over the last minute or so."""
    _counted: int = 0

    def hear(self, now: float) -> None:
        self.last = now
        self.count += 1

    def measure(self, seconds: float) -> None:
        """`seconds` have passed since the last call: move the rate a step."""
        recent = (self.count - self._counted) / seconds
        self._counted = self.count
        self.rate += (recent - self.rate) * min(1.0, seconds / 30)


class Freshness:
    """What the worker says: when, how often, and whether it should.

    `now` is the wall clock, in seconds since the epoch.  `on_change(market, reason)`
    hears of each market once when it becomes stale, and with no reason when it recovers.
    """

    def __init__(
        self,
        deadlines: Deadlines,
        now: Callable[[], float],
        on_change: Callable[[str, str], None],
        *,
        silence: float = SILENCE,
        calendar: Calendar | None = None,
    ) -> None:
        self._calendar = calendar or Calendar()
        self._now = now
        self._on_change = on_change
        self._silence = silence
        self._names: dict[str, Arrivals] = {}
        self._codes: dict[str, Arrivals] = {}
        self._ticks: dict[str, float] = {}
        self._markets: set[str] = set()  # with quotes, be it from before the open
        self.stale: set[str] = set()
        """The markets whose feed is stale."""
        self._attempt = Attempts()
        Periodic(deadlines, CHECK, "The look for silent feeds", self._look)

    def hear(self, name: str, code: str | None) -> None:
        """An event of the worker passed by."""
        now = self._now()
        _bounded(self._names, name, MAX_NAMES).hear(now)
        if code is not None:
            _bounded(self._codes, code, MAX_CODES).hear(now)
            if name in QUOTES:
                self._hear_of(market_of(code), now, ticks=name in TICKS)

    def _hear_of(self, market: str, now: float, *, ticks: bool) -> None:
        self._markets.add(market)
        if not ticks:
            return
        self._ticks[market] = now
        if market in self.stale:
            self.stale.discard(market)
            self._on_change(market, "")

    @property
    def last(self) -> float | None:
        """When an event was heard last, in seconds since the epoch; None: never."""
        return max((each.last for each in self._names.values()), default=None)

    def worker_gone(self) -> None:
        """Nobody sends ticks any more: every feed is stale, whatever the hour."""
        self._expire(sorted(self._markets), "the worker is gone")

    def status(self, *, codes: bool = True) -> dict[str, Any]:
        """Ages and rates by name and, with `codes`, by code; and the markets that are stale."""
        by_code = {"codes": self._ages(self._codes)} if codes else {}
        return {"stale": sorted(self.stale), "events": self._ages(self._names), **by_code}

    def _ages(self, arrivals: dict[str, Arrivals]) -> dict[str, Any]:
        now = self._now()
        return {
            name: {
                "last": datetime.fromtimestamp(each.last, UTC).isoformat(timespec="milliseconds"),
                "age": round(now - each.last, 3),
                "rate": round(each.rate, 2),
                "count": each.count,
            }
            for name, each in arrivals.items()
        }

    def _look(self) -> None:
        for each in (*self._names.values(), *self._codes.values()):
            each.measure(CHECK)
        for market in list(self._ticks):
            self._attempt(f"The look at the feed of {market}", self._judge, market)

    def _judge(self, market: str) -> None:
        if self._is_silent(market):
            self._expire([market], SILENT)

    def _expire(self, markets: list[str], reason: str) -> None:
        for market in markets:
            if market not in self.stale:
                self.stale.add(market)
                self._on_change(market, reason)

    def _is_silent(self, market: str) -> bool:
        """Silent for too long in a session in which something was heard."""
        now = self._now()
        session = self._calendar.session(market, datetime.fromtimestamp(now, UTC))
        return (
            self._silence > 0
            and session is not None
            and session.opens.timestamp() <= self._ticks[market] <= now - self._silence
        )


def _bounded(arrivals: dict[str, Arrivals], name: str, most: int) -> Arrivals:
    found = arrivals.get(name)
    if found is None:
        fits = len(arrivals) < most and len(name) <= MAX_LENGTH
        found = arrivals.setdefault(name if fits else OTHER, Arrivals())
    return found
