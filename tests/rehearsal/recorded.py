"""A small recorded day for tests: one future and one stock."""

import json
from datetime import datetime
from pathlib import Path

from gateway.history import recorded_lines, zstd_file
from gateway.market.hours import TAIPEI

BEGIN = datetime(2026, 11, 27, 9, 0, tzinfo=TAIPEI).timestamp()
FUTURE = {
    "code": "TXFR1",
    "target_code": "TXFL6",
    "name": "臺股期貨近月",
    "exchange": "TAIFEX",
    "category": "TXF",
    "reference": 23000.0,
    "delivery_date": "2026-12-16",
}
STOCK = {"code": "2330", "name": "台積電", "exchange": "TSE", "reference": 1200.0}


def tick(at: float, code: str, price: float, **more: object) -> list:
    """The event of a trade, `at` seconds after the beginning."""
    when = datetime.fromtimestamp(BEGIN + at, TAIPEI).isoformat()
    fields = {"code": code, "datetime": when, "close": price, "price": price, "volume": 2}
    return ["market_tick", {**fields, "total_volume": int(at * 10), **more}]


def bidask(at: float, code: str, price: float) -> list:
    """The event of a quote around a price."""
    when = datetime.fromtimestamp(BEGIN + at, TAIPEI).isoformat()
    bids = {"bid_price": [price - 1, price - 2], "bid_volume": [3, 4]}
    asks = {"ask_price": [price + 1, price + 2], "ask_volume": [1, 2]}
    return ["market_bidask", {"code": code, "datetime": when, **bids, **asks}]


def lines(events: list[tuple[float, list]]) -> bytes:
    """Lines of a recording: seconds after the beginning, and the event."""
    return b"".join(
        recorded_lines.line(BEGIN + at, json.dumps(event, ensure_ascii=False).encode())
        for at, event in events
    )


def write(path: Path, events: list[tuple[float, list]]) -> Path:
    """A recording."""
    head = recorded_lines.head_line(BEGIN, "0")
    path.write_bytes(zstd_file.compress(head + lines(events)))
    return path


def day(path: Path, seconds: int, each: int = 5) -> Path:
    """A recording of so many seconds, with `each` trades of the future in one of them.

    Its price goes up by 18 in 7 trades, and begins again; the stock trades once a second.
    """
    events: list[tuple[float, list]] = [
        (0, ["market_contract", FUTURE]),
        (0, ["market_contract", STOCK]),
        (0, ["python_status", {"status": "ready"}]),
    ]
    for number in range(seconds * each):
        at = 1 + number / each
        price = 23000.0 + number % 7 * 3
        events += [(at, tick(at, "TXFL6", price)), (at, bidask(at, "TXFL6", price))]
        if number % each == 0:
            events.append((at, tick(at, "2330", 1200.0)))
    return write(path, events)
