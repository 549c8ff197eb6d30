"""Makes events of what the broker's library gives, 1.2 to 1.7."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from gateway.client.events import TAIPEI

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.client.events import Event

LIMITS = ("limit_up", "limit_down")
KBARS_ROWS = 1_200
"""Bars that are told of each code; a trading day of futures has 1,140."""


def plain(value: Any) -> Any:
    """What JSON can hold of a value of the broker's: the value of an enumeration, text of a day."""
    value = getattr(value, "value", value)
    return value.isoformat() if isinstance(value, date) else value


def some(source: Any, convert: Callable[[Any], Any], *names: str) -> Event:
    """Those of the attributes `names` that `source` has, converted; others are left out."""
    found = ((name, getattr(source, name, None)) for name in names)
    return {name: convert(value) for name, value in found if value not in (None, "")}


def quote_head(arguments: Sequence[Any]) -> Event:
    """What every quote begins with; a callback gets (exchange, quote) in 1.2, (quote,) in 1.7.

    `simtrade`: a trial match, which trades nothing.  The broker's times are Taipei's, without
    saying so.
    """
    quote = arguments[-1]
    exchange = arguments[0] if len(arguments) > 1 else quote.exchange
    at = quote.datetime if quote.datetime.tzinfo else quote.datetime.replace(tzinfo=TAIPEI)
    return {
        "exchange": str(plain(exchange)),
        "code": quote.code,
        "datetime": at.isoformat(),
        **some(quote, bool, "simtrade", "suspend", "intraday_odd"),
        **some(quote, float, "underlying_price"),
    }


def tick_event(*arguments: Any) -> Event:
    """`market_tick` of a TickFOPv1 or TickSTKv1; prices are Decimal, or text.

    `tick_type` is 1 for a trade at the ask, 2 at the bid, 0 unknown; `chg_type` 1 to 5: limit
    up, up, unchanged, down, limit down.
    """
    tick = arguments[-1]
    prices = {name: float(getattr(tick, name)) for name in ("open", "high", "low", "close")}
    volumes = {"volume": int(tick.volume), "total_volume": int(tick.total_volume)}
    return {
        **quote_head(arguments),
        **prices,
        "price": prices["close"],
        **volumes,
        **some(tick, float, "price_chg", "pct_chg", "avg_price", "amount", "total_amount"),
        **some(tick, int, "tick_type", "chg_type", "bid_side_total_vol", "ask_side_total_vol"),
    }


def bidask_event(*arguments: Any) -> Event:
    """`market_bidask` of a BidAskFOPv1 or BidAskSTKv1."""
    quote = arguments[-1]
    return {
        **quote_head(arguments),
        "bid_price": [float(price) for price in quote.bid_price],
        "bid_volume": [int(volume) for volume in quote.bid_volume],
        "ask_price": [float(price) for price in quote.ask_price],
        "ask_volume": [int(volume) for volume in quote.ask_volume],
        **some(quote, float, "first_derived_bid_price", "first_derived_ask_price"),
        **some(quote, int, "first_derived_bid_vol", "first_derived_ask_vol"),
    }


def snapshot_event(snapshot: Any, contract: Event) -> Event:
    """`market_snapshot` of a Snapshot, with what `contract_event` tells of prices."""
    fields = ("code", "open", "high", "low", "close", "volume", "amount", "total_volume")
    more = ("exchange", "tick_type", "change_price", "change_rate", "change_type", "average_price")
    prices = ("total_amount", "yesterday_volume", "buy_price", "buy_volume", "sell_price")
    known = {name: contract[name] for name in ("reference", *LIMITS) if name in contract}
    return {
        "name": contract.get("name", ""),
        **{field: getattr(snapshot, field) for field in fields},
        **some(snapshot, plain, *more, *prices, "sell_volume"),
        **known,
    }


def contract_event(contract: Any) -> Event:
    """`market_contract` of a contract, 1.2 or 1.7: `code`, and whatever of the rest there is.

    `target_code` is the code under which a continuous contract such as TXFR1 trades.  1.7
    calls the category of futures `root`, and their unit `multiplier`.
    """
    names = ("target_code", "name", "exchange", "category", "root", "underlying_code")
    texts = (*names, "delivery_date", "option_right")
    numbers = some(contract, float, "reference", *LIMITS, "unit", "multiplier", "strike_price")
    found = {
        **some(contract, lambda value: str(plain(value)), *texts),
        **{name: number for name, number in numbers.items() if number},  # 0 is 1.7's "unknown"
    }
    for name, other in (("category", "root"), ("unit", "multiplier")):
        if other in found:
            found.setdefault(name, found.pop(other))
    if "delivery_date" in found:
        found["delivery_date"] = found["delivery_date"].replace("/", "-")  # as 1.2 has it
    return {"code": contract.code, **found}


def kbars_event(code: str, kbars: Any, rows: int = KBARS_ROWS) -> Event:
    """`market_kbars` of Kbars (1.2) or KBars (1.7): the last `rows` bars.

    `ts` is as the broker has it: the end of the minute in nanoseconds since 1970, Taipei's time
    written as if it were UTC.
    """
    prices = ("Open", "High", "Low", "Close")
    return {
        "code": code,
        "ts": [int(each) for each in list(kbars.ts)[-rows:]],
        **{name: [float(each) for each in list(getattr(kbars, name))[-rows:]] for name in prices},
        "Volume": [int(each) for each in list(kbars.Volume)[-rows:]],
    }
