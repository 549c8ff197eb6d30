"""Quotes as the library gives them, made of the events that a worker once sent."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from rehearsed.clock import TAIPEI

if TYPE_CHECKING:
    from collections.abc import Callable


PRICES = ("open", "high", "low", "close")
VOLUMES = ("volume", "total_volume", "tick_type", "chg_type")
SIDES = ("bid_side_total_vol", "ask_side_total_vol")
STREAMS = (
    *("TickSTKv1", "TickFOPv1", "BidAskSTKv1", "BidAskFOPv1"),
    *("QuoteSTKv1", "QuoteFOPv1"),
)
"""The names of the classes of quotes."""
OLD_INDEX = {
    **{"Open": "open", "High": "high", "Low": "low", "Close": "close"},
    **{"Amount": "amount", "AmountSum": "total_amount"},
    **{"Volume": "volume", "VolSum": "total_volume"},
    **{"DiffPrice": "price_chg", "DiffRate": "pct_chg", "DiffType": "chg_type"},
}
DERIVED = ("first_derived_bid_price", "first_derived_ask_price")


def tick_fields(event: dict[str, Any], price: Callable[[Any], Any]) -> dict[str, Any]:
    """The fields of a tick; `price` makes a price of a number.  What was not recorded is 0."""
    last = event["price"]
    change = {name: price(event.get(name, 0)) for name in ("price_chg", "pct_chg", "amount")}
    return {
        **_head(event),
        **{name: price(event.get(name, last)) for name in PRICES},
        **{name: int(event.get(name, 0)) for name in (*VOLUMES, *SIDES)},
        **change,
        "avg_price": price(event.get("avg_price", last)),
        "total_amount": price(event.get("total_amount", 0)),
        "underlying_price": price(event.get("underlying_price", 0)),
    }


def bidask_fields(event: dict[str, Any], price: Callable[[Any], Any]) -> dict[str, Any]:
    """The fields of a bid/ask, as above."""
    found = _head(event)
    for side in ("bid", "ask"):
        volumes = [int(each) for each in event.get(f"{side}_volume", ())]
        found[f"{side}_price"] = [price(each) for each in event.get(f"{side}_price", ())]
        found[f"{side}_volume"] = volumes
        found[f"diff_{side}_vol"] = [0] * len(volumes)
        found[f"{side}_total_vol"] = sum(volumes)
        found[f"first_derived_{side}_vol"] = int(event.get(f"first_derived_{side}_vol", 0))
    found.update({name: price(event.get(name, 0)) for name in DERIVED})
    found["underlying_price"] = price(event.get("underlying_price", 0))
    return found


def quote_fields(event: dict[str, Any], price: Callable[[Any], Any]) -> dict[str, Any]:
    """The fields of a quote: a trade, and the bid/ask at that time; `event` has both."""
    return {**bidask_fields(event, price), **tick_fields(event, price)}


def old_index_fields(event: dict[str, Any]) -> dict[str, Any]:
    """What `on_quote` of versions before 1.7 gets of an index, besides its topic."""
    tick = tick_fields(event, float)
    at, code = tick["datetime"], {"Code": tick["code"], "Cnt": 0}
    when = {"Date": at.strftime("%Y/%m/%d"), "Time": at.strftime("%H:%M:%S.%f")}
    return {**code, **when, **{name: tick[of] for name, of in OLD_INDEX.items()}}


def index_fields(
    event: dict[str, Any], reference: float, price: Callable[[Any], Any]
) -> dict[str, Any]:
    """The fields of an index's quote in 1.7, as above; its counts are never recorded: None."""
    tick = tick_fields(event, price)
    counts = ("limit_up_count", "raise_count", "flat_count", "fall_count", "limit_down_count")
    return {
        **{name: tick[name] for name in ("code", "date", "time", "datetime", *PRICES)},
        "reference": price(reference),
        **{"amount": tick["amount"], "amount_sum": tick["total_amount"]},
        **{"volume": tick["volume"], "vol_sum": tick["total_volume"]},
        **dict.fromkeys(("count", *counts)),
    }


def snapshot_fields(tick: dict[str, Any], quote: dict[str, Any]) -> dict[str, Any]:
    """The fields of a snapshot, as above, of the newest trade and bid/ask."""
    price = float(tick["price"])
    return {
        **{name: float(tick.get(name, price)) for name in ("open", "high", "low")},
        "close": price,
        "tick_type": tick.get("tick_type", 0),
        "change_price": float(tick.get("price_chg", 0.0)),
        "change_rate": float(tick.get("pct_chg", 0.0)),
        "change_type": tick.get("chg_type", 3),
        "average_price": float(tick.get("avg_price", price)),
        "volume": int(tick.get("volume", 0)),
        "total_volume": int(tick.get("total_volume", 0)),
        "amount": float(tick.get("amount", 0.0)),
        "total_amount": float(tick.get("total_amount", 0.0)),
        "yesterday_volume": 0.0,
        "buy_price": float((quote.get("bid_price") or [0.0])[0]),
        "buy_volume": int((quote.get("bid_volume") or [0])[0]),
        "sell_price": float((quote.get("ask_price") or [0.0])[0]),
        "sell_volume": int((quote.get("ask_volume") or [0])[0]),
        "volume_ratio": 0.0,
    }


def _head(event: dict[str, Any]) -> dict[str, Any]:
    at = datetime.fromisoformat(event["datetime"])
    if at.tzinfo is not None:  # the broker's times are Taipei's, without saying so
        at = at.astimezone(TAIPEI).replace(tzinfo=None)
    return {
        "code": event["code"],
        "datetime": at,
        "date": at.date(),
        "time": at.time(),
        **{name: bool(event.get(name, False)) for name in ("simtrade", "suspend", "intraday_odd")},
    }


FIELDS = {"tick": tick_fields, "bidask": bidask_fields, "quote": quote_fields}
"""By the kind of subscription."""
