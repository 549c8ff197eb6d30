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
