"""Signs of life of one worker process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.worker.ledger import TAIPEI
from gateway.worker.schedule import Sessions

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.worker.settings import Settings

MARKETS: Final = {
    "stocks": Sessions(["Mon-Fri 09:00-13:30"], TAIPEI),
    "futures": Sessions(["Mon-Fri 08:45-13:45", "Mon-Fri 15:00-05:00"], TAIPEI),
}
"""When ticks are to be expected."""
TICKS: Final = frozenset(("market_tick", "market_bidask"))


class Vitals:
    """What the worker said of itself, and when.

    `clock` is monotonic; `wall` gives seconds since 1970, for the trading sessions.
    """

    def __init__(
        self, settings: Settings, clock: Callable[[], float], wall: Callable[[], float]
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._wall = wall
        self._started = clock()
        self._connected = False
        self._ready: float | None = None
        self._beat: float | None = None
        self._ticks: dict[str, float] = {}

    def heard(self, name: str, value: Any) -> None:
        """The worker sent the event `name` with the first argument `value`."""
        self._connected = True
        if name == "shioaji_ready":
            self._ready = self._ready or self._clock()
            self._beat = self._clock()
        elif name == "heartbeat":
            self._beat = self._clock()
        elif name in TICKS:
            self._ticks[_market(value)] = self._wall()

    def gone(self) -> None:
        """Its connection is lost."""
        self._connected = False

    @property
    def was_ready(self) -> bool:
        """It said so once."""
        return self._ready is not None

    @property
    def ready(self) -> bool:
        """It said so, is connected, and its heartbeat is not late."""
        return self.was_ready and self._connected and not self._late(self._settings.heartbeats_late)

    @property
    def ready_for(self) -> float | None:
        """Seconds since it was ready first."""
        return None if self._ready is None else self._clock() - self._ready

    @property
    def lived(self) -> float:
        """Seconds since its start."""
        return self._clock() - self._started

    @property
    def hung(self) -> bool:
        """The watchdog should restart it; never while it may still be logging in."""
        misses, grace = self._settings.watchdog, self._settings.watchdog_grace
        return misses > 0 and self.lived > grace and self._late(misses, not_before=grace)

    @property
    def stale(self) -> list[str]:
        """The markets that are open, ticked since they opened, and fell silent.

        A market that never ticked in a session has a holiday, or nobody subscribed.
        """
        now, patience = self._wall(), self._settings.tick_silence
        return [
            market
            for market, last in self._ticks.items()
            if patience and now - last > patience and last >= (_opened(market, now) or now)
        ]

    def _late(self, misses: int, not_before: float = 0) -> bool:
        last = max(self._beat or 0, self._started + not_before)
        return self._clock() - last > misses * self._settings.heartbeat


def _market(value: Any) -> str:
    """Codes of stocks begin with four digits; futures' and options' with letters."""
    code = value.get("code") if isinstance(value, dict) else None
    return "stocks" if isinstance(code, str) and code[:4].isdigit() else "futures"


def _opened(market: str, now: float) -> float | None:
    return MARKETS[market].opened(now)
