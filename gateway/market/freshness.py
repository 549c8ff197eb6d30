"""The age of the newest event of each name and code, and which feeds are stale."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import attrs

from gateway.common.attempt import Attempts, Periodic
from gateway.common.shares import OTHER, Places
from gateway.market.events import CONTRACT, QUOTES, TICKS
from gateway.market.feed import Feed, TickIntervals
from gateway.market.hours import MARKETS, Calendar, market_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.engineio.deadlines import Deadlines

SILENCE = 60.0
"""Seconds without a tick in a session after which a market's feed is stale; 0: never."""
CHECK = 5.0
"""Seconds between two looks."""
MAX_NAMES, MAX_CODES = 100, 2000
"""Names and codes that are listed one by one, besides the known ones."""

SILENT = "no ticks while the market trades"
"""Why a feed is stale: ticks are missing."""
GONE = "the worker is gone"
CLOSED = "the market is closed"
DROPPED = "the worker follows none of its contracts any more"
ENDED = frozenset((CLOSED, DROPPED))
"""Why a feed is no longer stale, though no tick came."""


@attrs.define
class Arrivals:
    """When an event of one name or code came last, and how many came."""

    last: float = 0.0
    count: int = 0
    rate: float = 0.0
    """Events a second over the last minute or so."""
    counted: int = 0
    """As many at the last look."""
    feed: Feed | None = None
    intervals: TickIntervals | None = None
    """Of a code: its market's feed, and its pauses between ticks."""

    def measure(self, seconds: float) -> None:
        """Adjust the rate; `seconds` have passed since the last call."""
        recent = (self.count - self.counted) / seconds
        self.counted = self.count
        self.rate += (recent - self.rate) * min(1.0, seconds / 30)


class Freshness:
    """Counts the worker's events by name and code, and finds feeds that are stale.

    `now` is the wall clock, in seconds since 1970.  `on_change(market, reason)` is called once
    when a feed becomes stale, with an empty reason when ticks come again, and with one of
    `ENDED` when they are no longer expected.  `names`: which event names are listed one by one;
    `owner_of(sender)`: whose share of them a sender uses, "" for trusted senders.
    """

    def __init__(
        self,
        deadlines: Deadlines,
        now: Callable[[], float],
        on_change: Callable[[str, str], None],
        *,
        silence: float = SILENCE,
        calendar: Calendar | None = None,
        names: Places | None = None,
        owner_of: Callable[[Any], str] = str,
    ) -> None:
        self._now = now
        self._on_change = on_change
        self._names: dict[str, Arrivals] = {}
        self._codes: dict[str, Arrivals] = {}
        self._owner_of = owner_of
        self._name_places = names or Places(QUOTES, MAX_NAMES)
        self._code_places = Places((), MAX_CODES)
        calendar = calendar or Calendar()
        self._feeds = {market: Feed(market, calendar, silence) for market in MARKETS}
        self._reasons: dict[str, str] = {}
        self._is_gone = False
        self._listed: set[str] = set()  # the markets of which the present worker told contracts
        self._attempt = Attempts()
        Periodic(deadlines, CHECK, "The look for silent feeds", self._look)

    def hear(self, name: str, code: str | None, sender: object = "") -> None:
        """Count an event of the worker, or, without a worker, of `sender`."""
        now = self._now()
        if self._is_gone:
            self._is_gone = False
            for feed in self._feeds.values():
                feed.resume(now)
        known = self._names.get(name)
        if known is None:
            place = self._name_places.of(name, self._owner_of(sender))
            known = self._names.setdefault(place, Arrivals())
        known.last = now
        known.count += 1
        if code is None:
            return
        known = self._codes.get(code)
        if known is None:
            known = self._meet(self._code_places.of(code, self._owner_of(sender)))
        known.last = now
        known.count += 1
        if name in TICKS:
            feed = known.feed or self._feeds[market_of(code)]
            feed.tick(known.intervals or feed.intervals_of(OTHER), now)
            if self._reasons and feed.market in self._reasons:
                del self._reasons[feed.market]
                self._on_change(feed.market, "")
        elif name in QUOTES or name == CONTRACT:
            market = market_of(code)
            self._feeds[market].expect(now)
            if name == CONTRACT:
                self._listed.add(market)

    def _meet(self, place: str) -> Arrivals:
        """The entry of a new code; codes beyond the bound share one entry."""
        found = self._codes.setdefault(place, Arrivals())
        if place != OTHER and found.feed is None:
            found.feed = self._feeds[market_of(place)]
            found.intervals = found.feed.intervals_of(place)
        return found

    def state(self) -> dict[str, Any]:
        """What a later process needs to go on, as JSON."""
        return {
            "names": {name: [each.last, each.count] for name, each in self._names.items()},
            "codes": {code: _kept(each) for code, each in self._codes.items()},
            "feeds": {market: feed.state() for market, feed in self._feeds.items()},
            "reasons": self._reasons,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Know what a process before this one knew.

        The pause meanwhile is nobody's.  Raises whatever a strange `state` causes.
        """
        now = self._now()
        for name, (last, count) in state["names"].items():
            place = self._name_places.of(name, "")
            self._names[place] = Arrivals(min(last, now), count, counted=count)
        for code, (last, count, *pauses) in state["codes"].items():
            known = self._meet(self._code_places.of(code, ""))
            known.last, known.count, known.counted = min(last, now), count, count
            if known.intervals is not None and pauses:
                known.intervals.restore(*pauses)
        for market, feed in state["feeds"].items():
            if market in self._feeds:
                self._feeds[market].restore(feed)
        self._reasons.update({m: str(why) for m, why in state["reasons"].items() if m in MARKETS})
        self._is_gone = True

    def recall(self, name: str, code: str | None, when: float, count: int) -> None:
        """Count events that came to a process before this one, after its `state` was taken."""
        for known in (
            self._names.setdefault(self._name_places.of(name, ""), Arrivals()),
            *([] if code is None else [self._meet(self._code_places.of(code, ""))]),
        ):
            known.last = max(known.last, when)
            known.count += count
            known.counted += count
            if known.intervals is not None and name in TICKS:
                known.intervals.last = when
                known.intervals.ticks += count

    @property
    def reasons(self) -> Mapping[str, str]:
        """Why the feed of a market is stale."""
        return self._reasons

    @property
    def stale(self) -> set[str]:
        """The markets whose feed is stale."""
        return set(self._reasons)

    @property
    def trading(self) -> set[str]:
        """The markets that trade at this moment."""
        now = self._now()
        return {market for market, feed in self._feeds.items() if feed.period(now) is not None}

    @property
    def last(self) -> float | None:
        """When the last event came, in seconds since 1970; None: never."""
        return max((each.last for each in self._names.values()), default=None)

    def worker_gone(self) -> None:
        """The worker has ended: every feed that is expected is stale, at any hour."""
        self._is_gone = True
        self._listed.clear()
        for market, feed in self._feeds.items():
            feed.interrupt()
            if feed.expected and market not in self._reasons:
                self._expire(market, GONE)

    def status(self, *, codes: bool = True) -> dict[str, Any]:
        """Ages and rates by name and, with `codes`, by code; and what is stale.

        `markets`: whether each is open, until when, when it opens next, and why its feed is
        stale, if it is.  `silentCodes`: those that are silent beside others that are not.
        """
        now = self._now()
        by_code = {"codes": self._ages(self._codes)} if codes else {}
        return {
            "stale": sorted(self._reasons),
            "markets": {market: self._market(feed, now) for market, feed in self._feeds.items()},
            "silentCodes": sorted(
                code for feed in self._feeds.values() for code in feed.silent_codes(now)
            ),
            "events": self._ages(self._names),
            **by_code,
        }

    def _market(self, feed: Feed, now: float) -> dict[str, Any]:
        period, opens = feed.period(now), feed.opens(now)
        return {
            "open": period is not None,
            "closes": period and period.closes.isoformat(),
            "opens": opens and opens.isoformat(),
            "stale": self._reasons.get(feed.market),
        }

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
        for market, feed in self._feeds.items():
            self._attempt(f"The look at the feed of {market}", self._judge, market, feed)

    def _judge(self, market: str, feed: Feed) -> None:
        now = self._now()
        feed.decay(now, CHECK)
        known = self._reasons.get(market)
        if self._listed and market not in self._listed and feed.inherited:
            feed.expected = False
            ended = DROPPED
        else:
            ended = CLOSED if feed.period(now) is None else ""
        if ended:
            if known == SILENT or (known and not self._is_gone):
                del self._reasons[market]
                self._on_change(market, ended)
        elif known != SILENT and feed.is_silent(now) and not (known and self._is_gone):
            self._expire(market, SILENT)

    def _expire(self, market: str, reason: str) -> None:
        self._reasons[market] = reason
        self._on_change(market, reason)


def _kept(known: Arrivals) -> list[float]:
    pauses = known.intervals
    return [known.last, known.count, *([] if pauses is None else pauses.state())]
