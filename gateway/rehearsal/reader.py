"""Prints a recorded day for the broker of a rehearsal, which may not have our packages.

First one line with what was known at a time (seconds since 1970): the contracts of the whole file,
the newest tick and bid/ask of each code, and the bars of one minute.  Then one line
`[t, name, event]` for each tick and bid/ask from then on.  Each tick has `price`, `close`,
`volume` and `datetime`, whatever the recorded worker told.
"""

from __future__ import annotations

import json
import math
import re
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.history.reading import raw_blocks, read
from gateway.history.recorded_lines import parse
from gateway.history.trades import MARKS, TAIPEI_SECONDS, plain_ticks, read_code, read_tick
from gateway.market.events import BIDASK, CONTRACT, TICK
from gateway.market.hours import TAIPEI

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TextIO

    from gateway.history.recorded_lines import Line
    from gateway.history.trades import Tick

WANTED = {name.encode(): name for name in (TICK, BIDASK, CONTRACT)}
NO_FACTS = frozenset((*MARKS, "simulation", "timestamp"))
"""What a `market_contract` tells besides its contract."""
MINUTE = 60
_CODE = re.compile(rb'"code":\s*"([^"\\]+)"')
_QUOTE = re.compile(
    rb'"e":\[\s*"(%b|%b)"\s*,\s*\{[^{}]*?"code":\s*"([^"\\]+)"' % (TICK.encode(), BIDASK.encode())
)
"""The name and the code of a plain quote."""

Event = dict[str, Any]


def events(path: Path, since: float = -math.inf) -> Iterator[tuple[float, str, Event]]:
    """The market's events of a recording from `since` on: when, the name, the object.

    Raises as `read`.
    """
    for at, name, payload in _told(read(path)):
        if at >= since and (event := _event(at, name, payload)) is not None:
            yield at, name, event


def first_time(path: Path) -> float:
    """When the first quote of a recording came.  Raises ValueError where there is none."""
    for at, name, _ in events(path):
        if name != CONTRACT:
            return at
    raise ValueError("it has no market_tick and no market_bidask")


def known(path: Path, since: float) -> Event:
    """What is known of the day at `since`."""
    found = _Known(since)
    for block in raw_blocks(path):
        first, _, rest = block[:-1].partition(b"\n")
        if parse(first).t < since or found.is_news(block):
            lines = (first, *rest.split(b"\n")) if rest else (first,)
            for at, name, payload in _told(map(parse, lines)):
                found.take(at, name, payload)
    return found.all()


class _Known:
    """What is known of a day at `since`.

    A login waits for it.  So of what comes later only the first quote of a code is read whole, and
    of what was before only what is unusual: of the rest the trades, and the newest quote.
    """

    def __init__(self, since: float) -> None:
        self._since = since
        self._contracts: dict[str, Event] = {}
        self._newest: dict[str, dict[str, Event]] = {TICK: {}, BIDASK: {}}
        self._bars: dict[str, list[list[float]]] = {}
        self._first: dict[str, float] = {}
        self._seen: set[tuple[bytes, bytes]] = set()
        self._unread: dict[tuple[bytes, bytes], tuple[float, bytes]] = {}
        """The newest quotes, as they are."""

    def is_news(self, block: bytes) -> bool:
        """Whether lines that all come later may tell something; else they need not be read."""
        quotes = _QUOTE.findall(block)
        told = sum(block.count(b'"%b"' % name) for name in WANTED)
        return len(quotes) != told or not self._seen.issuperset(quotes)

    def take(self, at: float, name: str, payload: bytes) -> None:
        """Note an event: the next one of the recording."""
        code = _CODE.search(payload) if name != CONTRACT and payload.count(b"{") == 1 else None
        if code is None:
            self._read(at, name, payload)
            return
        key = name.encode(), code[1]
        if key not in self._seen:
            if self._read(at, name, payload):
                self._seen.add(key)
        elif at < self._since:
            trade = plain_ticks([payload])[0] if name == TICK else None
            if trade is not None:
                _add(self._bars.setdefault(trade.code, []), trade)
            if trade is not None or name == BIDASK:
                self._unread[key] = at, payload
            elif self._read(at, name, payload):
                self._unread.pop(key, None)

    def all(self) -> Event:
        """As it is told."""
        for (wanted, _), (at, payload) in self._unread.items():
            name = WANTED[wanted]
            if (event := _event(at, name, payload)) is not None:
                self._newest[name][event["code"]] = event
        contracts = self._contracts
        for code, facts in list(contracts.items()):
            month = facts.get("target_code")
            if not facts.get("reference") and (price := self._first.get(month or code)):
                facts["reference"] = price
            if month:
                own = {key: value for key, value in facts.items() if key != "target_code"}
                contracts[month] = {**own, **contracts.get(month, {}), "code": month}
        return {
            "contracts": list(contracts.values()),
            "ticks": self._newest[TICK],
            "bidasks": self._newest[BIDASK],
            "bars": self._bars,
        }

    def _read(self, at: float, name: str, payload: bytes) -> bool:
        """Read an event whole; whether it is a quote or a contract."""
        if (event := _event(at, name, payload)) is None:
            return False
        code = event["code"]
        if name == CONTRACT:
            self._contracts[code] = event
            return True
        facts = self._contracts.setdefault(code, {"code": code})
        if event.get("exchange"):
            facts.setdefault("exchange", event["exchange"])
        if name == TICK:
            self._first.setdefault(code, event["price"])
        if at < self._since:
            self._newest[name][code] = event
            if name == TICK and (trade := read_tick(event)) is not None:
                _add(self._bars.setdefault(code, []), trade)
        return True


def show(path: Path, since: float, out: TextIO) -> None:
    """Print it all."""
    _print(out, known(path, since))
    for at, name, event in events(path, since):
        if name != CONTRACT:
            _print(out, [at, name, event])


def _print(out: TextIO, value: object) -> None:
    out.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")


def _told(lines: Iterable[Line]) -> Iterator[tuple[float, str, bytes]]:
    """The market's events among the lines of a recording: when, the name, the JSON array."""
    for line in lines:
        if line.payload is not None:
            _, _, rest = line.payload[:20].partition(b'"')
            if name := WANTED.get(rest.partition(b'"')[0]):
                yield line.t, name, line.payload


def _event(t: float, name: str, payload: bytes) -> Event | None:
    """The object of an event; None: it is nonsense, which a worker may tell, but no broker."""
    try:
        event = json.loads(payload)[1]
        return _whole(t, name, event) if isinstance(event, dict) else None
    except (ValueError, IndexError, RecursionError):
        return None


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


def _add(bars: list[list[float]], trade: Tick) -> None:
    """Take a trade into the minutes of its code: the start, four prices, the volume.

    The start is Taipei's time written as if it were UTC, as the broker has it.
    """
    start, price = int((trade.time + TAIPEI_SECONDS) // MINUTE) * MINUTE, trade.price
    volume = int(trade.volume) or 1
    if bars and bars[-1][0] == start:
        bar = bars[-1]
        bar[2], bar[3], bar[4] = max(bar[2], price), min(bar[3], price), price
        bar[5] += volume
    elif not bars or bars[-1][0] < start:
        bars.append([start, price, price, price, price, volume])


def main(path: str, since: str) -> None:
    """Print the recording `path` from `since` on; a line on stderr says what is wrong with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends with the pipe's other end
    try:
        show(Path(path), float(since), sys.stdout)
    except BrokenPipeError:
        sys.stdout = None  # nothing is flushed at the end
    except (OSError, ValueError) as error:
        sys.exit(f"rehearsal: {error}")
