"""A day of the exchange, so many times as fast as it was: what a worker tells of it.

`python -m benchmarks.market_day BEGAN MINUTES RATE` is run by a gateway as its worker.  What it
tells follows from the time alone: a worker that is started again goes on where the day is.
"""

from __future__ import annotations

import json
import math
import os
import random
import sys
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from benchmarks.client import Client, frame
from gateway.market.hours import TAIPEI

FUTURE, SPOT = "TXFR1", 31_000.0
STRIKES = range(28_600, 33_550, 100)
STOCKS = range(1_000, 1_199)
BARS, DAYS, AT_ONCE = 1140, 30, 5000
"""Minutes of a trading day, the trading days of the chart, and minutes told in one event."""
DAY_OPEN, STOCK_OPEN, DAY_CLOSE = 8.75, 9.0, 13.75
NIGHT_OPEN, NIGHT_HOURS = 15.0, 14.0
FRIDAY = 4
OFTEN = 0.2
"""The part of all events that is of the future."""


class Span(NamedTuple):
    """What the worker tells of: seconds since 1970."""

    begin: float
    end: float
    is_night: bool


def moment(day: datetime, hours: float) -> float:
    """So many hours after the midnight of `day`."""
    return (day + timedelta(hours=hours)).timestamp()


def midnight(at: float) -> datetime:
    """The beginning of that day in Taipei."""
    day = datetime.fromtimestamp(at, TAIPEI)
    return day.replace(hour=0, minute=0, second=0, microsecond=0)


def spans(now: float) -> list[Span]:
    """The last day that is over at `now`, from before its open to half an hour of the next one."""
    after = midnight(now)
    while after.weekday() > FRIDAY or moment(after, 9.25) > now:
        after -= timedelta(days=1)
    day = after - timedelta(days=1)
    while day.weekday() > FRIDAY:
        day -= timedelta(days=1)
    return [
        Span(moment(day, DAY_OPEN - 0.25), moment(day, DAY_CLOSE), is_night=False),
        Span(moment(day, NIGHT_OPEN), moment(day, NIGHT_OPEN + NIGHT_HOURS), is_night=True),
        Span(moment(after, DAY_OPEN), moment(after, 9.25), is_night=False),
    ]


def place(day: list[Span], part: float) -> tuple[Span, float]:
    """Where the day is when `part` of it is over: what is between its spans takes no time."""
    left = min(max(part, 0.0), 1.0) * sum(span.end - span.begin for span in day)
    for span in day:
        if left < span.end - span.begin:
            return span, span.begin + left
        left -= span.end - span.begin
    return day[-1], day[-1].end


def price(code: str, at: float) -> float:
    """What is paid for `code`; the same at the same time."""
    phase = sum(code.encode()) % 63 / 10
    spot = SPOT * (1 + 0.008 * math.sin(at / 9000) + 0.002 * math.sin(at / 700))
    if code == FUTURE:
        return float(round(spot + 3 * math.sin(at * 1.7)))
    if code.startswith("TXO"):
        strike, is_call = int(code[3:8]), code[8] == "L"
        inner = max(0.0, spot - strike if is_call else strike - spot)
        return float(round(inner + 300 * math.exp(-abs(spot - strike) / 400) + 4))
    base = 50 + int(code) % 400
    moved = base * (1 + 0.02 * math.sin(at / 5000 + phase) + 0.004 * math.sin(at / 90 + phase))
    return round(moved * 2) / 2


NIGHTLY = [FUTURE, *(f"TXO{strike}{side}6" for strike in STRIKES for side in "LX")]
CODES = [*NIGHTLY, *map(str, STOCKS)]


def event(span: Span, at: float, rng: random.Random) -> bytes:
    """Something that happens at `at`: a trade, a trial match, or other offers."""
    code = FUTURE if rng.random() < OFTEN else rng.choice(NIGHTLY if span.is_night else CODES)
    paid, when = price(code, at), datetime.fromtimestamp(at, TAIPEI).isoformat()
    told: dict[str, Any] = {"code": code, "datetime": when}
    if rng.random() < 1 / 3:
        step = 1 if code in NIGHTLY else 0.5
        return _told(
            "market_bidask",
            told
            | {
                "bid_price": [paid - step * level for level in range(1, 6)],
                "ask_price": [paid + step * level for level in range(5)],
                "bid_volume": [rng.randint(1, 90) for _ in range(5)],
                "ask_volume": [rng.randint(1, 90) for _ in range(5)],
            },
        )
    opens = span.begin if span.is_night else moment(midnight(at), 9 if code.isdigit() else DAY_OPEN)
    reference = price(code, span.begin)
    if at < opens:
        return _told("market_tick", told | {"price": paid, "simtrade": True})
    return _told(
        "market_tick",
        told
        | {
            "price": paid,
            "price_chg": paid - reference,
            "open": price(code, opens),
            "high": max(paid, reference) * 1.01,
            "low": min(paid, reference) * 0.99,
            "avg_price": paid,
            "volume": rng.randint(1, 20),
            "total_volume": 1 + int((at - opens) * 10),
            "tick_type": rng.randint(1, 2),
            "underlying_price": price(FUTURE, at) - 12,
        },
    )


def contracts(at: float) -> list[bytes]:
    """What is known of each code before it trades."""
    return [
        _told(
            "market_contract",
            {
                "code": code,
                "name": f"名 {code}",
                "reference": (before := price(code, at)),
                "limit_up": round(before * 1.1, 1),
                "limit_down": round(before * 0.9, 1),
            },
        )
        for code in CODES
    ]


def history(day: list[Span]) -> list[bytes]:
    """The minutes of the future in the trading days before, as the broker has them."""
    begins: list[float] = []
    at = midnight(day[0].begin)
    while len(begins) < DAYS * BARS:
        at -= timedelta(days=1)
        if at.weekday() <= FRIDAY:
            for opens, hours in ((DAY_OPEN, DAY_CLOSE - DAY_OPEN), (NIGHT_OPEN, NIGHT_HOURS)):
                first = moment(at, opens)
                begins += [first + 60 * minute for minute in range(round(hours * 60))]
    begins.sort()
    prices = [price(FUTURE, begin) for begin in (*begins, begins[-1] + 60)]
    found = []
    for first in range(0, len(begins), AT_ONCE):
        part = slice(first, first + AT_ONCE)
        both = list(pairwise(prices))[part]
        ends = [int(begin + 60 + 8 * 3600) * 10**9 for begin in begins[part]]
        columns = {
            "Open": [opened for opened, _ in both],
            "High": [max(pair) + 3 for pair in both],
            "Low": [min(pair) - 3 for pair in both],
            "Close": [closed for _, closed in both],
            "Volume": [100 + int(begin) % 900 for begin in begins[part]],
        }
        found.append(_told("market_kbars", {"code": FUTURE, "ts": ends, **columns}))
    return found


def _told(name: str, value: dict[str, Any]) -> bytes:
    return frame(b"42" + json.dumps([name, value], separators=(",", ":")).encode())


def work(began: float, minutes: float, rate: float) -> None:
    """Tell of the day that began then, in so many minutes, `rate` events a second."""
    client = Client(urlsplit(os.environ["GATEWAY_URL"]).port or 80)
    day, rng = spans(began), random.Random(0)

    def send(data: bytes) -> None:
        client.socket.settimeout(10)
        client.socket.sendall(data)
        client.socket.setblocking(False)

    send(_told("python_status", {"status": "ready"}))
    send(b"".join(contracts(day[0].begin)))
    for told in history(day):
        send(told)
    start, sent = time.time(), 0
    while True:
        span, at = place(day, (time.time() - began) / (60 * minutes))
        due = int((time.time() - start) * rate)
        send(b"".join(event(span, at, rng) for _ in range(sent, due)))
        sent = due
        client.read()
        time.sleep(0.004)


if __name__ == "__main__":
    try:
        work(*map(float, sys.argv[1:]))
    except KeyboardInterrupt:
        print("ended at", datetime.now(UTC).isoformat())
