"""Prints a recorded day for the broker of a rehearsal, which may not have our packages.

First one line with what was known at a time (seconds since 1970): the contracts of the whole file,
the newest tick and bid/ask of each code, and the bars of one minute.  Then one line
`[t, name, event]` for each tick and bid/ask from then on.  Each tick has `price`, `close`,
`volume` and `datetime`, whatever the recorded worker told.
"""

from __future__ import annotations

import json
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.history.reading import read
from gateway.history.trades import MARKS, TAIPEI_SECONDS, read_code, read_tick
from gateway.market.events import BIDASK, CONTRACT, TICK
from gateway.market.hours import TAIPEI

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

WANTED = (TICK.encode(), BIDASK.encode(), CONTRACT.encode())
NO_FACTS = frozenset((*MARKS, "simulation", "timestamp"))
"""What a `market_contract` tells besides its contract."""
MINUTE = 60

Event = dict[str, Any]


def events(path: Path) -> Iterator[tuple[float, str, Event]]:
    """The market's events of a recording: when, the name, the object.  Raises as `read`."""
    for line in read(path):
        if line.payload is None or not line.payload[:20].split(b'"')[1:2]:
            continue
        if line.payload.split(b'"', 2)[1] not in WANTED:
            continue
        try:
            name, event, *_ = json.loads(line.payload)
            if isinstance(event, dict) and (made := _whole(line.t, name, event)) is not None:
                yield line.t, name, made
        except ValueError:
            continue  # a worker may tell nonsense; the broker never did


def first_time(path: Path) -> float:
    """When the first quote of a recording came.  Raises ValueError where there is none."""
    for at, name, _ in events(path):
        if name != CONTRACT:
            return at
    raise ValueError(f"{path} has no market_tick and no market_bidask: nothing can be rehearsed")


def known(path: Path, since: float) -> Event:
    """What is known of the day at `since`."""
    contracts: dict[str, Event] = {}
    newest: dict[str, dict[str, Event]] = {TICK: {}, BIDASK: {}}
    bars: dict[str, list[list[float]]] = {}
    for at, name, event in events(path):
        code = event["code"]
        if name == CONTRACT:
            contracts[code] = event
            continue
        contracts.setdefault(code, {"code": code})
        if event.get("exchange"):
            contracts[code].setdefault("exchange", event["exchange"])
        if at < since:
            newest[name][code] = event
            if name == TICK and not event.get("simtrade"):
                _add(bars.setdefault(code, []), event)
    for facts in list(contracts.values()):
        if month := facts.get("target_code"):
            own = {key: value for key, value in facts.items() if key != "target_code"}
            contracts[month] = {**own, **contracts.get(month, {}), "code": month}
    return {
        "contracts": list(contracts.values()),
        "ticks": newest[TICK],
        "bidasks": newest[BIDASK],
        "bars": bars,
    }


def show(path: Path, since: float, out: TextIO) -> None:
    """Print it all."""
    _print(out, known(path, since))
    for at, name, event in events(path):
        if at >= since and name != CONTRACT:
            _print(out, [at, name, event])


def _print(out: TextIO, value: object) -> None:
    out.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")


def _whole(t: float, name: str, event: Event) -> Event | None:
    """The event with what every one has; None: it can't be told by a broker."""
    read_code(event)
    if name == CONTRACT:
        return {key: value for key, value in event.items() if key not in NO_FACTS}
    event.setdefault("datetime", datetime.fromtimestamp(t, TAIPEI).isoformat())
    if name == BIDASK:
        return event if event.get("bid_price") and event.get("ask_price") else None
    trade = read_tick({**event, "simtrade": False, "intraday_odd": False})
    assert trade is not None
    at = datetime.fromtimestamp(trade.time, TAIPEI).isoformat()
    prices = {"price": trade.price, "close": trade.price}
    return {**event, **prices, "datetime": at, "volume": int(trade.volume) or 1}


def _add(bars: list[list[float]], tick: Event) -> None:
    """Take a tick into the minutes of its code: the start, four prices, the volume.

    The start is Taipei's time written as if it were UTC, as the broker has it.
    """
    at = datetime.fromisoformat(tick["datetime"]).timestamp() + TAIPEI_SECONDS
    start, price = int(at // MINUTE) * MINUTE, tick["price"]
    if bars and bars[-1][0] == start:
        bar = bars[-1]
        bar[2], bar[3], bar[4] = max(bar[2], price), min(bar[3], price), price
        bar[5] += tick["volume"]
    elif not bars or bars[-1][0] < start:
        bars.append([start, price, price, price, price, tick["volume"]])


def main(path: str, since: str) -> None:
    """Print the recording `path` from `since` on; a line on stderr says what is wrong with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends with the pipe's other end
    try:
        show(Path(path), float(since), sys.stdout)
    except BrokenPipeError:
        sys.stdout = None  # nothing is flushed at the end
    except (OSError, ValueError) as error:
        sys.exit(f"rehearsal: {error}")
