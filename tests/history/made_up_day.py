"""A made-up trading day, from Friday's night session over the weekend to the end of Monday.

    python -m tests.history.made_up_day FOLDER

It has what makes bars difficult: trial matches, odd lots, ticks that come late or twice, ticks at
the last instant of a session, prices as text, a code that does not tell its total volume, a
gateway that is started again in the middle (once with trades that nobody heard), and the
broker's own bars before and after.  The broker's bars have a volume that no tick tells, so that
it is seen where they are used.
"""

import json
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from gateway.history.recorded_lines import head_line, line
from gateway.history.zstd_file import compress
from gateway.market.hours import TAIPEI, Calendar

FRIDAY = date(2026, 11, 27)
MORE = 5000
"""By how much the broker's volume is larger than what was traded."""
ALIAS, MONTH, NO_TOTAL, OPTION, STOCK = "TXFR1", "TXFL6", "MXFL6", "TXO23000L6", "2330"


class Step(NamedTuple):
    """An event that comes at `wall`; without a name: the gateway is started again."""

    wall: float
    name: str | None = None
    value: Mapping[str, Any] = MappingProxyType({})
    other: bool = False
    """Whether somebody other than the worker sends it."""


class Trade(NamedTuple):
    code: str
    at: float
    price: float
    volume: int
    total: int
    """Of the session so far."""


class MadeUpDay:
    """`steps` are what happens, in order; `trades` are all trades, heard or not."""

    def __init__(self, friday: date = FRIDAY, *, ticks: int = 900) -> None:
        self._random = random.Random(16)
        self._friday, self._monday = friday, friday + timedelta(days=3)
        self._at_the_break = [self.at(self._monday, f"10:02:{second}") for second in ("05", "40")]
        night = (self.at(friday, "15:00:00"), self.at(friday, "15:00:00") + 14 * 3600)
        day = (self.at(self._monday, "08:45:00"), self.at(self._monday, "13:45:00"))
        stocks = (self.at(self._monday, "09:00:00"), self.at(self._monday, "13:30:00"))
        before = (self.at(friday, "08:45:00"), self.at(friday, "13:45:00"))
        self.missed = [
            Trade(MONTH, at, price, volume, total)
            for _, at, price, volume, total in self._session(MONTH, *before, ticks // 4, 22_900)
        ]
        """Friday's day, which was over before the gateway was started."""
        self.trades = [
            *self._session(MONTH, *night, ticks, 23_000),
            *self._session(MONTH, *day, ticks, 23_050),
            *self._session(NO_TOTAL, *night, ticks // 3, 23_001),
            *self._session(NO_TOTAL, *day, ticks // 3, 23_051),
            *self._session(OPTION, *day, ticks // 6, 210),
            *self._session(STOCK, *stocks, ticks // 2, 1045),
        ]
        self.steps = sorted(self._steps(), key=lambda step: step.wall)

    def at(self, day: date, clock: str) -> float:
        return datetime.combine(day, time.fromisoformat(clock), TAIPEI).timestamp()

    # -- trades ------------------------------------------------------------------------

    def _session(
        self, code: str, opens: float, closes: float, count: int, price: float
    ) -> list[Trade]:
        """Trades at random times, and one in the first and the last instant."""
        seconds = [round(self._random.uniform(0, closes - opens), 3) for _ in range(count)]
        # One before and one after the gateway goes down, in one minute.
        seconds += [at - opens for at in self._at_the_break if opens < at < closes]
        found, total = [], 0
        for at in (0.0, *sorted(seconds), closes - opens):
            price = round(price + self._random.choice((-1, -0.5, 0, 0, 0.5, 1)), 1)
            volume = self._random.randint(1, 9)
            total += volume
            found.append(Trade(code, opens + at, price, volume, total))
        return found

    def _kbars(self, code: str, trades: list[Trade], until: float) -> dict[str, Any]:
        """The broker's bars as Shioaji gives them: each minute's end, as if Taipei's were UTC."""
        minutes: dict[int, list[Trade]] = {}
        for trade in trades:
            last = int(trade.at) - (self._is_close(trade.at))
            if trade.at < until:
                minutes.setdefault(last // 60 * 60, []).append(trade)
        columns = [
            (
                (minute + 60 + 8 * 3600) * 10**9, heard[0].price, max(each.price for each in heard),
                min(each.price for each in heard), heard[-1].price,
                sum(each.volume for each in heard) + MORE,
            )
            for minute, heard in sorted(minutes.items())
        ]  # fmt: skip
        names = ("ts", "Open", "High", "Low", "Close", "Volume")
        return {
            "code": code,
            **dict(zip(names, map(list, zip(*columns, strict=True)), strict=True)),
        }

    def _is_close(self, at: float) -> bool:
        clock = datetime.fromtimestamp(at, TAIPEI).time()
        return clock in (time(5), time(13, 30), time(13, 45))

    # -- what the gateway hears --------------------------------------------------------

    def _steps(self) -> Iterator[Step]:
        friday, monday, at = self._friday, self._monday, self.at
        down = (at(monday, "10:02:10"), at(monday, "10:05:40"))
        yield Step(at(friday, "14:50:00"))
        yield from self._ready(at(friday, "14:50:01"), [(ALIAS, self.missed)])
        yield Step(at(friday, "22:15:30"))  # a start in the night, of which nothing is filled in
        saturday = friday + timedelta(days=1)
        yield Step(at(saturday, "05:10:00"), "python_status", {"status": "exited"})
        for number in range(20):  # the weekend
            wall = at(saturday, "08:00:00") + 3600 * number
            yield Step(wall, "heartbeat", {"status": "running"})
        nights = [trade for trade in self.trades if trade.at < at(saturday, "12:00:00")]
        own = [trade for trade in nights if trade.code == MONTH]
        yield from self._ready(at(monday, "08:20:00"), [(ALIAS, own)])
        yield from self._trials()
        yield Step(down[1])
        days = {
            code: [trade for trade in self.trades if trade.code == code and trade not in nights]
            for code in (MONTH, STOCK)
        }
        yield from self._ready(down[1] + 1, [(ALIAS, days[MONTH]), (STOCK, days[STOCK])])
        yield Step(at(monday, "11:30:00.5"))  # nothing is traded in the time that it takes
        yield Step(at(monday, "11:30:00.6"), "shioaji_ready", {"status": "ready"})
        stranger = self._tick(self.trades[0]) | {"close": 1.0, "total_volume": 10**9}
        yield Step(at(monday, "12:00:00"), "market_tick", stranger, other=True)
        for trade in self.trades:
            if not down[0] <= trade.at < down[1]:
                yield from self._heard(trade)

    def _ready(self, wall: float, bars: list[tuple[str, list[Trade]]]) -> Iterator[Step]:
        yield Step(wall, "shioaji_ready", {"status": "ready"})
        yield Step(wall + 0.1, "market_contract", {"code": ALIAS, "target_code": MONTH})
        for number, (code, trades) in enumerate(bars):
            yield Step(wall + 0.2 + number / 10, "market_kbars", self._kbars(code, trades, wall))

    def _trials(self) -> Iterator[Step]:
        """Trial matches before the open, at prices of nobody; odd lots in the session."""
        for number in range(40):
            code = (MONTH, STOCK)[number % 2]
            at = self.at(self._monday, "08:30:00") + 20 * number
            trial = self._tick(Trade(code, at, 1.0 + 99_999 * (number % 3), 50, 50 * number))
            yield Step(at + 0.1, "market_tick", {**trial, "simtrade": True})
        for number in range(20):
            at = self.at(self._monday, "09:10:00") + 600 * number
            odd = self._tick(Trade(STOCK, at, 5.0, 1, 10**8 + number))
            yield Step(at + 0.1, "market_tick", {**odd, "intraday_odd": True})

    def _tick(self, trade: Trade) -> dict[str, Any]:
        when = datetime.fromtimestamp(trade.at, TAIPEI)
        price: Any = str(trade.price) if trade.code == OPTION else trade.price
        tick = {
            "code": trade.code, "datetime": when.isoformat(), "close": price, "simtrade": False,
            "volume": trade.volume, "total_volume": trade.total,
        }  # fmt: skip
        if trade.code == NO_TOTAL:
            del tick["total_volume"]
        if trade.code == STOCK:  # as shioaji's own words
            tick["datetime"] = when.strftime("%Y/%m/%d %H:%M:%S.%f")
        return tick

    def _heard(self, trade: Trade) -> Iterator[Step]:
        """A trade as it comes: soon, sometimes late, sometimes twice."""
        wall = trade.at + self._random.uniform(0.01, 0.2)
        chance = self._random.random()
        if chance < 0.04:
            wall += self._random.uniform(1, 90)
        tick = self._tick(trade)
        yield Step(wall, "market_tick", tick)
        if chance > 0.96 and trade.code != NO_TOTAL:
            yield Step(wall + self._random.uniform(0.001, 60), "market_tick", tick)
        if chance > 0.8:
            bid = {"code": trade.code, "bid_price": [trade.price - 1], "ask_price": [trade.price]}
            yield Step(wall + 0.001, "market_bidask", bid)


def record(steps: list[Step], folder: Path, more: Sequence[tuple[float, bytes]] = ()) -> list[Path]:
    """Write what a gateway records of `steps`; the files, in order of time.

    `more` are further lines, each with its time.
    """
    calendar, files = Calendar(), {}
    lines = [(step.wall, _line(step)) for step in steps if not step.other]
    for wall, made in sorted([*lines, *more]):
        files.setdefault(f"{calendar.trading_part(wall)}.jsonl.zst", []).append(made)
    for name, made in files.items():
        frames = [compress(b"".join(made[at : at + 100])) for at in range(0, len(made), 100)]
        (folder / name).write_bytes(b"".join(frames))
    return [folder / name for name in files]


def _line(step: Step) -> bytes:
    if step.name is None:
        return head_line(step.wall, "0.1.0")
    payload = json.dumps([step.name, dict(step.value)], separators=(",", ":"))
    return line(step.wall, payload.encode())


if __name__ == "__main__":
    for each in record(MadeUpDay().steps, Path(sys.argv[1])):
        print(each)
