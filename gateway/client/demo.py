"""The demonstration: a random walk, marked as such."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from gateway.client.console import log
from gateway.client.convert import bidask_event, contract_event, snapshot_event, tick_event
from gateway.client.events import TAIPEI
from gateway.client.source import Source, ignore, tell_ready

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gateway.client.connection import Gateway
    from gateway.client.events import Event

BURST = 0.25
"""Seconds of the demonstration made up for after a delay; what is older is skipped."""


@dataclass
class Instrument:
    """One contract of the demonstration, and its random walk within the daily limit of 10 %.

    It has the attributes of the broker's ticks, quotes and snapshots.
    """

    code: str
    name: str
    exchange: str
    reference: float
    tick: float

    def __post_init__(self) -> None:
        self.open = self.high = self.low = self.close = self.reference
        self.volume = self.total_volume = 0
        self.amount = 0.0
        self.limit_up, self.limit_down = (
            round(self.reference * 1.1, 2),
            round(self.reference * 0.9, 2),
        )
        self.simtrade = False

    def trade(self, rng: random.Random) -> None:
        """One trade, a tick up or down; the further from the reference, the likelier back."""
        pull = (self.reference - self.close) / (self.reference * 0.1)
        step = self.tick if rng.random() < (1 + pull) / 2 else -self.tick
        self.close = round(self.close + step, 2)
        self.high, self.low = max(self.high, self.close), min(self.low, self.close)
        self.volume = rng.randint(1, 9)
        self.total_volume += self.volume
        self.amount = round(self.close * self.volume, 2)
        self.price_chg = round(self.close - self.reference, 2)
        self.pct_chg = round(100 * self.price_chg / self.reference, 2)
        self.tick_type = 1 if step > 0 else 2
        self.datetime = datetime.now(TAIPEI).replace(tzinfo=None)  # as the broker has it
        self.bid_price = [round(self.close - level * self.tick, 2) for level in range(5)]
        self.ask_price = [round(self.close + level * self.tick, 2) for level in range(1, 6)]
        self.bid_volume = [rng.randint(1, 99) for _ in range(5)]
        self.ask_volume = [rng.randint(1, 99) for _ in range(5)]


def instruments(today: date) -> list[Instrument]:
    """A future, options of this month, and stocks, each with its tick at that price."""
    year, month = today.year % 10, today.month - 1
    call, put = "ABCDEFGHIJKL"[month], "MNOPQRSTUVWX"[month]
    return [
        Instrument("TXFR1", "臺股期貨近月", "TAIFEX", 23_000, 1),
        Instrument(f"TXO23000{call}{year}", "臺指買權 23000", "TAIFEX", 320, 1),
        Instrument(f"TXO23000{put}{year}", "臺指賣權 23000", "TAIFEX", 290, 1),
        Instrument("2330", "台積電", "TSE", 1_200, 5),
        Instrument("2317", "鴻海", "TSE", 180, 0.5),
        Instrument("0050", "元大台灣50", "TSE", 60, 0.05),
    ]


def made_up(code: str) -> Instrument:
    """A contract that is not among `instruments`."""
    return Instrument(code, code, "TSE" if code[0].isdigit() else "TAIFEX", 100, 0.5)


class Demo(Source):
    """A seeded random walk at `rate` events a second: a tick, then a bid/ask, and so on."""

    service = "demo"

    def __init__(
        self,
        gateway: Gateway,
        *,
        rate: float,
        seed: int,
        codes: Sequence[str],
        hear: Callable[[Event], None] = ignore,
    ) -> None:
        """`codes`: those that are made up, or all of `instruments`; `hear` gets each tick."""
        self._hear = hear
        known = {i.code: i for i in instruments(datetime.now(TAIPEI).date())}
        self._instruments = [known.get(c) or made_up(c) for c in codes or known]
        self._gateway = gateway
        self._rate = rate
        self._random = random.Random(seed)  # noqa: S311
        self._due = time.monotonic()
        self._events = self._walk()

    def open(self) -> Iterator[None]:
        log.info("demonstration feed: a random walk, no market data")
        for one in self._instruments:
            self._gateway.tell("market_contract", contract_event(one))
        tell_ready(self._gateway, {"version": "demo"}, self._instruments)
        yield

    def step(self, now: float) -> float:
        self._due = max(self._due, now - BURST)
        while self._due <= now:
            name, event = next(self._events)
            self._gateway.publish(name, event)
            if name == "market_tick":
                self._hear(event)
            self._due += 1 / self._rate
        return max(self._due, now + 0.005)  # a wake-up for each of thousands costs too much

    def snapshot(self) -> None:
        for one in self._instruments:
            self._gateway.publish("market_snapshot", snapshot_event(one, contract_event(one)))

    def state(self) -> Event:
        return {
            "shioaji_connected": True,
            "current_price": self._instruments[0].close,
            "subscribed_contracts": len(self._instruments),
        }

    def _walk(self) -> Iterator[tuple[str, Event]]:
        while True:
            one = self._random.choice(self._instruments)
            one.trade(self._random)
            yield "market_tick", tick_event(one)
            yield "market_bidask", bidask_event(one)
