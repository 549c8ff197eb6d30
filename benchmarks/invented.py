"""An invented market for screenshots of the page: what a gateway would tell of it.

It is Tuesday, 1 December 2026, 10:42:17 in Taipei; all figures are the same each time.
"""

from __future__ import annotations

import math
import random
from datetime import datetime, timedelta
from functools import cache
from itertools import starmap
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.market.contracts import sessions
from gateway.market.hours import TAIPEI
from gateway.market.tick_sizes import FUND, INDEX_OPTION, STOCK

if TYPE_CHECKING:
    from gateway.market.tick_sizes import TickSizes

Event = tuple[str, dict[str, Any]]

NOW = datetime(2026, 12, 1, 10, 42, 17, tzinfo=TAIPEI)
NIGHT = datetime(2026, 11, 30, 15, 0, tzinfo=TAIPEI)
DAY = datetime(2026, 12, 1, 8, 45, tzinfo=TAIPEI)
STOCKS = datetime(2026, 12, 1, 9, 0, tzinfo=TAIPEI)
FUTURE, SPOT = 31268.0, 31251.08
STRIKES = range(30600, 31900, 100)
TICKS: dict[str, TickSizes] = {
    "future": ((None, 1),),
    "option": INDEX_OPTION,
    "stock": STOCK,
    "fund": FUND,
}
"""By kind, as `/codes` tells them."""
UNKNOWN: TickSizes = ((None, 0.05),)


class Row(NamedTuple):
    """What there is to be seen of one code."""

    code: str
    name: str
    kind: str
    price: float
    change: float
    volume: int
    odd: str
    """What is not as of the others: at a limit, in a trial match, or silent."""

    @property
    def step(self) -> float:
        """The step of its prices."""
        return step_of(self.kind, self.price)


_ROWS = (
    ("TXFR1", "臺股期近月", "future", FUTURE, 148, 78412, ""),
    ("MXFR1", "小型臺指近月", "future", 31266, 146, 112930, ""),
    ("TXFL6/TXFA7", "臺指價差 12/01", "future", -42, 3, 418, ""),
    ("EXFR1", "電子期近月", "", 1842.55, 12.35, 2104, ""),
    ("FXFR1", "金融期近月", "", 2461.2, -4.6, 1880, ""),
    ("2330", "台積電", "stock", 2015, 25, 21884, ""),
    ("5274", "信驊", "stock", 12350, 1120, 214, "up"),
    ("2317", "鴻海", "stock", 241.5, -3.5, 38120, ""),
    ("2454", "聯發科", "stock", 1480, 0, 3312, ""),
    ("2618", "長榮航", "stock", 34.2, -3.8, 61205, "down"),
    ("0050", "元大台灣50", "fund", 78.35, 0.55, 84020, ""),
    ("1301", "台塑", "stock", 41.15, 0.35, 0, "trial"),
    ("3481", "群創", "stock", 14.65, -0.1, 12077, "silent"),
    ("2412", "中華電", "stock", 138, 0.5, 4108, ""),
    ("2882", "國泰金", "stock", 88.6, -0.3, 9931, ""),
    ("2382", "廣達", "stock", 338, 2.5, 17203, ""),
    ("2308", "台達電", "stock", 1125, 15, 5511, ""),
    ("3231", "緯創", "stock", 151.5, -1, 20114, ""),
    ("2603", "長榮", "stock", 204, 1.5, 9120, ""),
    ("00632R", "元大台灣50反1", "fund", 14.02, -0.05, 191204, ""),
)
ROWS = {row.code: row for row in starmap(Row, _ROWS)}
"""By code."""
_STRESS = (
    ("TXO31300L6", "一個名稱非常非常長的自訂商品名稱", "", 123456.5, -12345.5, 12345678, ""),
    ("ABCDEFGHIJKLMNOPQRST", "六位數", "", 1234567.25, 1234.25, 123456789, "up"),
    ("00777B", "低價", "", 0.01, 0.01, 9999999, "silent"),
    ("TXFL6/TXFA7", "價差", "", -1234.5, -123.5, 1234567, ""),
)
STRESS = {row.code: row for row in starmap(Row, _STRESS)}
"""The longest figures there may be."""


def contract(code: str, name: str, kind: str, price: float, change: float) -> Event:
    """What the worker tells of a contract at its start."""
    reference = round(price - change, 4)
    reach = 3112 if kind == "option" or "/" in code else abs(reference) * 0.1
    return "market_contract", {
        "code": code,
        "name": name,
        "reference": reference,
        "limit_up": round(reference + reach, 2),
        "limit_down": round(max(0.1, reference - reach) if reference > 0 else reference - reach, 2),
        **({"target_code": f"{code[:-2]}L6"} if code.endswith("R1") else {}),
        **({"delivery_date": "2026-12-16"} if kind == "future" else {}),
    }


def tick(code: str, price: float, change: float, total: int, **more: Any) -> Event:
    """A trade at this price."""
    return "market_tick", {
        "code": code,
        "datetime": NOW.isoformat(),
        "timestamp": NOW.isoformat(),
        "open": price - change,
        "high": max(price, price - change),
        "low": price - abs(change),
        "close": price,
        "price": price,
        "avg_price": round(price - change * 0.45, 2),
        "volume": 2,
        "total_volume": total,
        "price_chg": change,
        "tick_type": 1,
        "bid_side_total_vol": round(total * 0.47),
        "ask_side_total_vol": round(total * 0.53),
        **more,
    }


def step_of(kind: str, price: float) -> float:
    """The step of prices."""
    table = TICKS.get(kind, UNKNOWN)
    return next(float(step) for below, step in table if below is None or abs(price) < below)


def depth(code: str, price: float, step: float) -> Event:
    """The best five around this price."""
    rng = random.Random(code)
    return "market_bidask", {
        "code": code,
        "datetime": NOW.isoformat(),
        "timestamp": NOW.isoformat(),
        "bid_price": [round(price - (level + 1) * step, 2) for level in range(5)],
        "ask_price": [round(price + level * step, 2) for level in range(5)],
        "bid_volume": [rng.randint(9, 90) for _ in range(5)],
        "ask_volume": [rng.randint(9, 90) for _ in range(5)],
    }


def option(strike: int, *, is_call: bool) -> list[Event]:
    """One side of one row of the option board."""
    code = f"TXO{strike}{'L' if is_call else 'X'}6"
    price, before = _worth(SPOT, strike, is_call), _worth(SPOT - 146, strike, is_call)
    step = step_of("option", price)
    price, change = round(price / step) * step, round((price - before) / step) * step
    volume = round(9000 * math.exp(-(((strike - SPOT) / 500) ** 2))) + 40
    name = f"臺指{'買' if is_call else '賣'} {strike}"
    kind, told = contract(code, name, "option", price, change)
    told |= {
        "strike_price": strike,
        "option_right": "C" if is_call else "P",
        "listed_strikes": 84,
        "delivery_date": "2026-12-16",
    }
    spot = {"underlying_price": SPOT}
    return [
        (kind, told),
        tick(code, price, change, volume, **spot),
        depth(code, price, step),
    ]


def _worth(spot: float, strike: int, is_call: bool) -> float:
    """Roughly what an option is worth."""
    inner = max(0.0, spot - strike if is_call else strike - spot)
    return inner + 320 * math.exp(-abs(spot - strike) / 420)


def events(rows: dict[str, Row] = ROWS) -> list[Event]:
    """What a client hears that joins now."""
    found: list[Event] = []
    for row in rows.values():
        code, name, kind, price, change, volume, odd = row
        made, told = contract(code, name, kind, price, change)
        if odd in ("up", "down"):
            told[f"limit_{odd}"] = price
        found.append((made, told))
        more: dict[str, Any] = {"simtrade": True} if odd == "trial" else {}
        if odd == "silent":
            more["timestamp"] = (NOW - timedelta(minutes=3)).isoformat()
        if kind == "future" and price > 0:
            more["underlying_price"] = SPOT
        found.append(tick(code, price, change, volume, **more))
        kind_of_book, book = depth(code, price, row.step)
        found.append(
            (kind_of_book, {**book, "timestamp": more.get("timestamp", book["timestamp"])})
        )
    for strike in STRIKES:
        found += option(strike, is_call=True) + option(strike, is_call=False)
    return found


def trades(code: str) -> list[Event]:
    """A tape before the last trade, the oldest first."""
    row, rng = ROWS[code], random.Random(code)
    found = []
    for number in range(60, 0, -1):
        at = NOW - timedelta(seconds=number * 0.7)
        size = rng.choice((1, 1, 1, 2, 2, 3, 5, 12, 28))
        moved = row.step * rng.randint(-3, 3)
        total = row.volume - 3 * number
        told = tick(code, row.price + moved, round(moved + row.change, 2), total)[1]
        told |= {"datetime": at.isoformat(), "volume": size, "tick_type": rng.randint(1, 2)}
        found.append(("market_tick", told))
    return found


def trials(code: str) -> list[Event]:
    """What the exchange told before the open: matches that were only tried."""
    row, rng = ROWS[code], random.Random(code)
    found = []
    for number in range(180):
        at = STOCKS - timedelta(seconds=10 * (180 - number))
        moved = row.step * rng.randint(-4, 4)
        told = tick(code, row.price + moved, round(moved + row.change, 2), 0, simtrade=True)[1]
        found.append(("market_tick", {**told, "datetime": at.isoformat()}))
    return found


def codes() -> dict[str, Any]:
    """The answer of `/codes`."""
    known = {code: {"tick": TICKS[row.kind]} for code, row in ROWS.items() if row.kind in TICKS}
    for strike in STRIKES:
        for letter in "LX":
            known[f"TXO{strike}{letter}6"] = {"tick": TICKS["option"]}
    return {"timezone": "Asia/Taipei", "markets": sessions(), "codes": known}


@cache
def _minutes(code: str, end: float, step: float) -> tuple[tuple[float, ...], ...]:
    """Bars of one minute, the oldest first, that end at `end`: time, prices, volume."""
    rng = random.Random(code)
    begin = STOCKS if code[:4].isdigit() else DAY
    last = int((NOW - begin).total_seconds() // 60)
    starts = [begin + timedelta(minutes=each) for each in range(last + 1)]
    if not code[:4].isdigit():
        starts = [NIGHT + timedelta(minutes=each) for each in range(840)] + starts
    close, found = end, []
    for at in reversed(starts):
        opened = close + round(rng.gauss(0, 1.6 if step < 1 else 2.6)) * step
        high = max(opened, close) + step * rng.randint(0, 3)
        low = min(opened, close) - step * rng.randint(0, 3)
        busy = 1 if at >= begin else 0.25
        volume = float(round(rng.uniform(120, 700) * busy))
        found.append((at.timestamp(), opened, high, low, close, volume))
        close = opened
    return tuple(reversed(found))


def bars(code: str, interval: str) -> dict[str, Any]:
    """The answer of `/bars`."""
    row = ROWS.get(code)
    price, step = (row.price, row.step) if row else (100.0, 0.5)
    seconds = {"1s": 60, "1m": 60, "5m": 300, "15m": 900, "60m": 3600, "1d": 86400}[interval]
    joined: dict[float, list[float]] = {}
    for at, opened, high, low, close, volume in _minutes(code, price, step):
        begin = DAY.timestamp() if at >= DAY.timestamp() else NIGHT.timestamp()
        key = at if seconds == 60 else begin + (at - begin) // seconds * seconds
        bar = joined.setdefault(key, [key, opened, high, low, close, 0.0])
        bar[2], bar[3], bar[4] = max(bar[2], high), min(bar[3], low), close
        bar[5] += volume
    columns = list(zip(*joined.values(), strict=True))
    names = ("time", "open", "high", "low", "close", "volume")
    return {
        "code": code,
        "interval": interval,
        "session": "",
        "demo": False,
        "cut": False,
        "contracts": [],
        "partial": [],
        "bars": {name: list(column) for name, column in zip(names, columns, strict=True)},
        "newest": NOW.timestamp(),
    }
