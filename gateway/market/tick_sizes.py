"""The smallest steps of prices, by price: what a page rounds to, and how many decimals it shows.

Sources: TWSE Operating Rules, article 62, and TPEx Rules Governing Securities Trading, article 36
(stocks); the rules of both on beneficial certificates and ETNs (funds); TAIFEX, contract
specifications of TXF, MXF, TMF, EXF, FXF, of TXO and of stock options, and Trading Rules for Single
Stock Futures (as the underlying security).  Warrants, bonds, and contracts that are not named here
have none: a page goes by the prices that it has seen.  A worker that knows better tells `tick_size`
in `market_contract`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

TickSizes = tuple[tuple[float | None, float], ...]
"""Pairs `(below, size)` in rising order: `size` is the step of prices under `below`; None: of all
that are left.  The sign of a price does not count."""

STOCK: Final[TickSizes] = ((10, 0.01), (50, 0.05), (100, 0.1), (500, 0.5), (1000, 1), (None, 5))
FUND: Final[TickSizes] = ((50, 0.01), (None, 0.05))
"""ETF, ETN and REIT."""
INDEX_OPTION: Final[TickSizes] = ((10, 0.1), (50, 0.5), (500, 1), (1000, 5), (None, 10))
STOCK_OPTION: Final[TickSizes] = (
    (5, 0.01),
    (15, 0.05),
    (50, 0.1),
    (150, 0.5),
    (1000, 1),
    (None, 5),
)
FUTURES: Final = {"TXF": 1, "MXF": 1, "TMF": 1, "EXF": 0.05, "FXF": 0.2}
"""By the first letters of the code."""

_FUND = re.compile(r"00[0-9A-Z]{2,4}|01[0-9]{3}T|02[0-9]{3,4}[A-Z]?")
_STOCK = re.compile(r"[1-9][0-9]{3}[A-Z]?")
_INDEX_OPTION = re.compile(r"TX[O1-5U-Z][0-9]{5}[A-X][0-9]")
_STOCK_OPTION = re.compile(r"(?!TEO|TFO|TGO)[A-Z]{2}[OABC][0-9]{5}[A-X][0-9]")
_FUTURE = re.compile(r"([A-Z0-9]{3})(?:[A-L][0-9]|R[1-9])")
_LARGEST: Final = 1e6


def tick_sizes(contract: Mapping[str, Any]) -> TickSizes | None:
    """The steps of a contract as `market_contract` tells it, which has a `code` at least.

    None: they are not known.
    """
    told = contract.get("tick_size")
    if isinstance(told, int | float) and not isinstance(told, bool) and 0 < told < _LARGEST:
        return ((None, told),)
    sizes = {_of(code) for code in contract["code"].split("/")}
    if len(sizes) > 1:  # a spread of contracts that are no pair
        return None
    underlying = contract.get("underlying_code")
    if sizes == {None} and isinstance(underlying, str) and _FUTURE.fullmatch(contract["code"]):
        return _security(underlying)
    return sizes.pop()


def _of(code: str) -> TickSizes | None:
    if _INDEX_OPTION.fullmatch(code):
        return INDEX_OPTION
    if _STOCK_OPTION.fullmatch(code):
        return STOCK_OPTION
    future = _FUTURE.fullmatch(code)
    if future and future[1] in FUTURES:
        return ((None, FUTURES[future[1]]),)
    return _security(code)


def _security(code: str) -> TickSizes | None:
    if _FUND.fullmatch(code):
        return FUND
    return STOCK if _STOCK.fullmatch(code) else None
