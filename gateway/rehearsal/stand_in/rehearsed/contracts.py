"""Contracts of a recording, with what can be told of one from its code alone."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

from rehearsed.record import Record

CALLS, PUTS = "ABCDEFGHIJKL", "MNOPQRSTUVWX"
"""The months of futures and calls, and of puts."""
_FUTURE = re.compile(r"([A-Z]{2}[A-Z\d])([A-L])(\d)")
_OPTION = re.compile(r"([A-Z]{2}[A-Z\d])(\d{5})([A-X])(\d)")
_CONTINUOUS = re.compile(r"[A-Z]{2}[A-Z\d]R([1-9])")
_INDEX = re.compile(r"\d{3}|IX\d{4}")
"""Of 1.2, and of 1.7."""
WEDNESDAY = 2
KINDS = {"STK": "Stocks", "FUT": "Futures", "OPT": "Options", "IND": "Indexs"}
CHANGEABLE = {"exchange": ("TSE", "OTC", "OES", "TAIFEX"), "security_type": tuple(KINDS)}
"""What a worker may tell of these; anything else is no word of the broker's."""


CONTRACTS = ("BaseContract", "Contract", "Stock", "Future", "Option", "Index")
"""The names of the classes of contracts."""


class Contract(Record):
    """Of a future, an option, a stock or an index."""

    @property
    def kind(self) -> str:
        """Where it is found: `Stocks`, `Futures`, `Options` or `Indexs`."""
        return KINDS[str(self.security_type)]


def contract_of(facts: dict[str, Any], day: date) -> Contract:
    """A contract of a `market_contract`, of which any field but `code` may be missing.

    `day` is that of the recording: a code has only the last digit of its year.
    """
    code = facts["code"]
    index = _INDEX.fullmatch(code) is not None
    stock = index or code[0].isdigit()
    made: dict[str, Any] = {
        "name": code,
        "exchange": "TSE" if stock else "TAIFEX",
        "target_code": "",
        "category": "" if stock else code[:3],
        "currency": "TWD",
        "unit": 1000 if stock else 1,
        "security_type": "IND" if index else "STK" if stock else "FUT",
        "delivery_month": "",
        "delivery_date": "",
        "reference": 0.0,
        "limit_up": 0.0,
        "limit_down": 0.0,
        "update_date": day.strftime("%Y/%m/%d"),
    }
    if found := _OPTION.fullmatch(code):
        made["security_type"] = "OPT"
        made["strike_price"] = float(found[2])
        made["option_right"] = "C" if found[3] in CALLS else "P"
        made["delivery_date"] = _delivery((CALLS + PUTS).index(found[3]) % 12 + 1, found[4], day)
    elif found := _FUTURE.fullmatch(code):
        made["delivery_date"] = _delivery(CALLS.index(found[2]) + 1, found[3], day)
    elif found := _CONTINUOUS.fullmatch(code):
        made["delivery_date"] = _next(day, int(found[1]))
    given = {name: facts[name] for name in facts if _fits(name, facts[name], made)}
    made.update(given)
    made["delivery_date"] = made["delivery_date"].replace("-", "/")
    made["delivery_month"] = made["delivery_date"].replace("/", "")[:6]
    if not stock:  # as 1.7 calls them
        made.update(root=made["category"], multiplier=made["unit"])
    return Contract(**made, symbol=_symbol(made))


def _symbol(made: dict[str, Any]) -> str:
    """The name by which 1.2 has it, too: `TSE2330`, `TXF202612`, `TXO20261223000C`."""
    code, named = made["code"], f"{made['category']}{made['delivery_month']}"
    if made["security_type"] in {"STK", "IND"}:
        return f"{made['exchange']}{code}"
    if found := _OPTION.fullmatch(code):
        return f"{named}{found[2]}{made['option_right']}"
    return named if _FUTURE.fullmatch(code) else str(code)


def _fits(name: str, value: Any, made: dict[str, Any]) -> bool:
    """Whether a worker told this as the broker would."""
    if value in (None, "") or name == "symbol":
        return False
    default = made.get(name, value)
    is_number = isinstance(default, (int, float)) and isinstance(value, (int, float))
    return (is_number or isinstance(value, type(default))) and value in CHANGEABLE.get(
        name, (value,)
    )


def with_continuous(contracts: dict[str, Contract], day: date) -> None:
    """Add TXFR1 and TXFR2 and their like where only months were recorded."""
    months: dict[str, list[tuple[str, str]]] = {}
    for code, contract in contracts.items():
        if found := _FUTURE.fullmatch(code):
            months.setdefault(found[1], []).append((contract.delivery_date, code))
    for product, dates in months.items():
        for number, (_, code) in enumerate(sorted(dates)[:2], start=1):
            made = f"{product}R{number}"
            if made not in contracts:
                facts = {**contracts[code], "code": made, "target_code": code}
                contracts[made] = contract_of(facts, day)


def _delivery(month: int, digit: str, day: date) -> str:
    """That of a month of the first year from that of `day` on with this digit."""
    year = day.year + (int(digit) - day.year) % 10
    return _third_wednesday(year, month).strftime("%Y/%m/%d")


def _next(day: date, number: int) -> str:
    """The first (1) or a later delivery from `day` on."""
    begin = 12 * day.year + day.month - 1
    months = (divmod(begin + each, 12) for each in range(number + 1))
    dates = [_third_wednesday(year, month + 1) for year, month in months]
    return [each for each in dates if each >= day][number - 1].strftime("%Y/%m/%d")


def _third_wednesday(year: int, month: int) -> date:
    """The day of delivery."""
    first = date(year, month, 1)
    return first + timedelta(days=(WEDNESDAY - first.weekday()) % 7 + 14)
