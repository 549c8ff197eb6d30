"""The recorded day: its contracts, its quotes, its bars, up to now and on."""

from __future__ import annotations

import json
import subprocess
from collections import deque
from datetime import datetime, timezone
from typing import IO, TYPE_CHECKING, Any

from rehearsed.clock import TAIPEI
from rehearsed.contracts import Contract, contract_of, with_continuous
from rehearsed.orders import codes_of
from rehearsed.record import Record, text
from rehearsed.values import snapshot_fields

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rehearsed.clock import Plan

KBARS_LIMIT = 3_000
"""Minutes that are kept of each code."""


class Day:
    """What the broker knows at this moment of the recording.

    The command `plan.reader` prints, from the time that is added to it on: first one object with
    `contracts`, `quotes` and `bars` of all that was before, then one line `[t, name, event]` for
    each event that is market data.  `indexes` are facts of contracts that there are every day.
    """

    def __init__(self, plan: Plan, indexes: Sequence[dict[str, Any]]) -> None:
        command = [*plan.reader, repr(plan.now())]
        self._reader = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True
        )
        assert self._reader.stdout is not None
        self._lines: IO[bytes] = self._reader.stdout
        first = self._lines.readline()
        if not first:
            raise ConnectionError("the recording can't be read")
        told = json.loads(first)
        day = datetime.fromtimestamp(plan.at, TAIPEI).date()
        self.contracts: dict[str, Contract] = {}
        for facts in (*indexes, *told["contracts"]):
            contract = contract_of(facts, day)
            self.contracts[contract.code] = contract
        with_continuous(self.contracts, day)
        self.ticks: dict[str, dict[str, Any]] = told["ticks"]
        self.bidasks: dict[str, dict[str, Any]] = told["bidasks"]
        self._bars = {
            code: deque(map(tuple, bars), KBARS_LIMIT) for code, bars in told["bars"].items()
        }

    def lines(self) -> Iterator[tuple[float, str, dict[str, Any]]]:
        """What comes from now on: when (seconds since 1970), the name, the event."""
        for line in self._lines:
            at, name, event = json.loads(line)
            yield at, name, event

    def take(self, name: str, event: dict[str, Any]) -> None:
        """Note an event whose time has come."""
        code = event["code"]
        if name == "market_tick":
            self.ticks[code] = event
            if not event.get("simtrade"):
                self._add(code, event)
        elif name == "market_bidask":
            self.bidasks[code] = event

    def kbars(self, code: str) -> Record:
        """The minutes of `code`, as the broker gives them."""
        rows = list(self._bars.get(code, ()))
        columns = list(zip(*rows)) or [()] * 6
        names = ("ts", "Open", "High", "Low", "Close", "Volume")
        made = {name: list(column) for name, column in zip(names, columns)}
        made["ts"] = [(start + 60) * 10**9 for start in made["ts"]]
        amount = [close * volume for close, volume in zip(made["Close"], made["Volume"])]
        return Record(**made, Amount=amount)

    def best(self, codes: set[str], action: str) -> float | None:
        """The price at which an order of `action` is filled; `Last`: that of the newest trade.

        None: there is none yet; and trial matches (`simtrade`) fill nothing.
        """
        quote, tick = _newest(self.bidasks, codes), _newest(self.ticks, codes)
        side = {"Buy": "ask_price", "Sell": "bid_price"}.get(action, "")
        if side and any(each and each.get("simtrade") for each in (quote, tick)):
            return None
        if quote is not None and quote.get(side) and quote[side][0]:
            return float(quote[side][0])
        return None if tick is None else float(tick["price"])

    def snapshots(self, contracts: Sequence[Contract], now: int) -> list[Record]:
        """Of each contract at `now` (nanoseconds): its newest trade, else its reference."""
        found = []
        for contract in contracts:
            codes = codes_of(contract)
            tick = _newest(self.ticks, codes) or {"price": contract.reference}
            if tick["price"]:
                quote = _newest(self.bidasks, codes) or {}
                exchange = text(contract.exchange)
                fields = snapshot_fields(tick, quote)
                found.append(Record(ts=now, code=contract.code, exchange=exchange, **fields))
        return found

    def close(self) -> None:
        """Let go of the recording."""
        self._reader.kill()
        self._lines.close()
        self._reader.wait()

    def _add(self, code: str, tick: dict[str, Any]) -> None:
        start, price, volume = minute_of(tick), float(tick["price"]), int(tick["volume"])
        bars = self._bars.setdefault(code, deque(maxlen=KBARS_LIMIT))
        if bars and bars[-1][0] == start:
            _, first, high, low, _, total = bars[-1]
            bars[-1] = (start, first, max(high, price), min(low, price), price, total + volume)
        elif not bars or bars[-1][0] < start:
            bars.append((start, price, price, price, price, volume))


def _newest(events: Mapping[str, dict[str, Any]], codes: set[str]) -> dict[str, Any] | None:
    return next((events[code] for code in codes if code in events), None)


def minute_of(tick: dict[str, Any]) -> int:
    """When its minute began: seconds since 1970 of Taipei's time written as if it were UTC."""
    day, clock = tick["datetime"][:10], tick["datetime"][11:16]
    at = datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=timezone.utc)
    return int(at.timestamp())
