"""Restarts a worker whose feed is silent while its market trades, if that is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.market.events import FEED_STATUS
from gateway.market.freshness import SILENT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MOST = 10
"""Doublings of the wait."""


class SilentFeeds:
    """Hears what browsers are told of feeds.

    A feed that is silent for `after` seconds (0: for any time) restarts the worker.  When that
    did not help, the next restart comes after twice that time, and so on: each is a login, and
    none helps on a holiday that is not in the calendar.  `renew(reason)` restarts through the
    gate, within the budget.
    """

    def __init__(self, reactor: Any, after: float, renew: Callable[[str], object]) -> None:
        self._reactor = reactor
        self._after = after
        self._renew = renew
        self._waiting: dict[str, Any] = {}

    def told(self, name: str, value: Mapping[str, Any]) -> None:
        """Browsers are told `value`, the argument of the gateway's event `name`."""
        if name != FEED_STATUS or self._after <= 0:
            return
        market = value["market"]
        if value["status"] == "stale" and value["reason"] == SILENT:
            if market not in self._waiting:
                self._wait(market, 0)
        elif value["status"] != "stale" and market in self._waiting:
            self._waiting.pop(market).cancel()

    def stop(self) -> None:
        """Restart nothing any more."""
        for each in self._waiting.values():
            each.cancel()
        self._waiting.clear()

    def _wait(self, market: str, restarts: int) -> None:
        pause = self._after * 2.0 ** min(restarts, MOST)
        self._waiting[market] = self._reactor.callLater(pause, self._act, market, restarts)

    def _act(self, market: str, restarts: int) -> None:
        self._wait(market, restarts + 1)
        self._renew(f"the feed of {market} is silent although the market trades")
