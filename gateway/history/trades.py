"""Reads ticks, and bars of the broker, from the worker's events; says what is wrong with one.

A *tick* is one trade, as a `market_tick` tells it.

All times are in seconds since 1970.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from gateway.market.hours import TAIPEI

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MINUTE = 60
MAX_LENGTH = 100
"""Characters of a code."""
MOST_BROKER_BARS = 20_000
"""Bars of the broker in one event; a trading day of futures has 1,140."""
MOST = 1e15
"""A number that is larger is nonsense; and sums of such would be infinite, which is no JSON."""
MARKS = ("demo", "replay", "rehearsal")
"""Fields that are true in events which are not the market's own."""
TAIPEI_SECONDS = 8 * 3600
NANOSECONDS = 10**9
EPOCH = datetime(1970, 1, 1, 8)
"""In Taipei's time, without a zone, as the ticks are written."""


class Tick(NamedTuple):
    """One trade, as the worker tells it."""

    code: str
    time: float
    """By the exchange, in seconds since 1970."""
    price: float
    volume: float
    total: float | None
    """The volume of the session so far; None: the worker does not tell."""


class BrokerBar(NamedTuple):
    """One minute as the broker has it."""

    time: int
    open: float
    high: float
    low: float
    close: float
    volume: float


def mark_of(value: Mapping[str, Any]) -> str:
    """`demo`, `replay` or `rehearsal`; "" for an event of the market."""
    return next((mark for mark in MARKS if value.get(mark) is True), "")


def read_tick(value: Mapping[str, Any]) -> Tick | None:
    """The trade that a `market_tick` tells; None: it is in no bar.

    Raises ValueError, which says what is wrong with it.
    """
    if value.get("simtrade") or value.get("intraday_odd"):
        return None
    price = value.get("price")
    total = value.get("total_volume")
    return Tick(
        read_code(value),
        _time(value.get("datetime") or value.get("timestamp")),
        _number("price", value.get("close") if price is None else price),
        _volume("volume", value.get("volume", 0)),
        None if total is None else _volume("total_volume", total),
    )


class _PlainFields(msgspec.Struct, gc=False):
    """What nearly all ticks have, in the types in which they have it."""

    code: str
    datetime: str
    price: float
    volume: float = 0.0
    total_volume: float | None = None
    simtrade: bool | int | None = None
    intraday_odd: bool | int | None = None
    demo: bool | None = None
    replay: bool | None = None
    rehearsal: bool | None = None


class _PlainEvent(msgspec.Struct, array_like=True, gc=False):
    name: str
    told: _PlainFields


_decode_one = msgspec.json.Decoder(_PlainEvent).decode
_decode_all = msgspec.json.Decoder(list[_PlainEvent]).decode
_UNREADABLE = (ValueError, RecursionError)
"""What decoding raises; RecursionError where JSON nests deeper than any that the relay takes."""


def plain_ticks(payloads: Sequence[bytes]) -> list[Tick | None]:
    """The trades in `payloads`, each the JSON array of a `market_tick` without any mark.

    They are read together, which costs a quarter of `read_tick`, and only what is usual is
    understood: None says that `read_tick` has to look at one.
    """
    try:
        found = _decode_all(b"[%b]" % b",".join(payloads))
    except _UNREADABLE:
        return [_plain_tick(each) for each in payloads]
    return [_trade(each.told) for each in found]


def _plain_tick(payload: bytes) -> Tick | None:
    try:
        return _trade(_decode_one(payload).told)
    except _UNREADABLE:
        return None


def _trade(told: _PlainFields) -> Tick | None:
    code, price, volume, total = told.code, told.price, told.volume, told.total_volume
    if (
        told.simtrade
        or told.intraday_odd
        or told.demo
        or told.replay
        or told.rehearsal
        or not 0 < len(code) <= MAX_LENGTH
        or not -MOST <= price <= MOST
        or not 0 <= volume <= MOST
        or (total is not None and not 0 <= total <= MOST)
    ):
        return None
    try:
        at = datetime.fromisoformat(told.datetime)
    except ValueError:
        return None
    time = (at - EPOCH).total_seconds() if at.tzinfo is None else at.timestamp()
    return Tick(code, time, price, volume, total)


def read_kbars(value: Mapping[str, Any]) -> list[BrokerBar]:
    """The bars of a `market_kbars`, sorted.  Raises ValueError, which says what is wrong."""
    columns = [value.get(name) for name in ("ts", "Open", "High", "Low", "Close", "Volume")]
    if not all(isinstance(column, list) for column in columns):
        raise ValueError("ts, Open, High, Low, Close and Volume must be lists")
    times, *numbers = columns
    if len({len(column) for column in columns}) != 1:  # type: ignore[arg-type]  # lists they are
        raise ValueError("its columns differ in length")
    if len(times) > MOST_BROKER_BARS:  # type: ignore[arg-type]
        raise ValueError(f"it has more than {MOST_BROKER_BARS} bars")
    return sorted(map(_broker_bar, times, *numbers))  # type: ignore[arg-type]


def read_code(value: Mapping[str, Any]) -> str:
    """The code of an event.  Raises ValueError."""
    code = value.get("code")
    if not isinstance(code, str) or not 0 < len(code) <= MAX_LENGTH:
        raise ValueError(f"code must be a text of at most {MAX_LENGTH} characters")
    return code


def _broker_bar(end: Any, *numbers: Any) -> BrokerBar:
    """Shioaji has the minute's end, as Taipei's wall time written as if it were UTC."""
    if not isinstance(end, int) or not 10**17 < end < 10**19:
        raise ValueError("ts must be in nanoseconds since 1970")
    seconds = -(-end // NANOSECONDS) - TAIPEI_SECONDS
    time = -(-seconds // MINUTE) * MINUTE - MINUTE
    names = ("Open", "High", "Low", "Close")
    prices = [_number(name, number) for name, number in zip(names, numbers[:4], strict=True)]
    bar = BrokerBar._make((time, *prices, _volume("Volume", numbers[4])))
    if not bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high:
        raise ValueError("Low and High must be around Open and Close")
    return bar


def _number(name: str, value: Any) -> float:
    """Some workers send the broker's decimals as text."""
    try:
        number = float(value) if not isinstance(value, bool) else float("nan")
    except (TypeError, ValueError, OverflowError):
        number = float("nan")
    if not -MOST <= number <= MOST:  # nor is NaN
        raise ValueError(f"{name} must be a number up to {MOST:g}")
    return number


def _volume(name: str, value: Any) -> float:
    number = _number(name, value)
    if number < 0:
        raise ValueError(f"{name} must not be negative")
    return number


def _time(value: Any) -> float:
    """ISO 8601, or the broker's `2026/11/30 08:45:00.123`; without a zone it is Taipei's."""
    try:
        at = datetime.fromisoformat(value.replace("/", "-"))
        return (at if at.tzinfo else at.replace(tzinfo=TAIPEI)).timestamp()
    except (AttributeError, TypeError, ValueError, OverflowError):
        raise ValueError("datetime must be ISO 8601, such as 2026-11-30T08:45:00.123") from None
