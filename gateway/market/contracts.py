"""What is known of each code: the answer of `GET /codes`, out of what the worker told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from gateway.market.events import CONTRACT, SNAPSHOT
from gateway.market.hours import MARKETS, SESSIONS, market_of
from gateway.market.tick_sizes import tick_sizes

if TYPE_CHECKING:
    from collections.abc import Iterable

TEXTS: Final = (
    "target_code",
    "name",
    "exchange",
    "category",
    "delivery_date",
    "option_right",
    "underlying_code",
)
NUMBERS: Final = (
    "reference",
    "limit_up",
    "limit_down",
    "unit",
    "strike_price",
    "listed_strikes",
    "tick_size",
)
"""The fields of `market_contract` that are told on, besides `code`."""
OF_SNAPSHOT: Final = frozenset(("name", "exchange", "reference", "limit_up", "limit_down"))
"""The fields that `market_snapshot` has, too; those of `market_contract` win."""
MOST: Final = 2000
"""Codes in one answer."""
MAX_LENGTH: Final = 100
"""Characters of a code, or of a text about it."""

Facts = dict[str, Any]


def describe(told: Iterable[tuple[str, str, bytes]]) -> dict[str, Facts]:
    """By code, what `told` says: the name, the code and the JSON array of events.

    Each code has `market`, those of `TEXTS` and `NUMBERS` that were told, and `tick`, the pairs of
    `tick_sizes`, if it is known.  What can't be read is left out.
    """
    codes: dict[str, Facts] = {}
    contracts: list[tuple[str, Facts]] = []
    for name, code, payload in told:
        if len(code) > MAX_LENGTH or (code not in codes and len(codes) >= MOST):
            continue
        facts = codes.setdefault(code, {})
        if name == SNAPSHOT:
            found = _facts(payload)
            facts.update((each, found[each]) for each in OF_SNAPSHOT & found.keys())
        elif name == CONTRACT:
            contracts.append((code, _facts(payload)))
    for code, found in contracts:
        codes[code].update(found)
    for code, facts in codes.items():
        facts["market"] = market_of(code)
        sizes = tick_sizes({**facts, "code": code})
        if sizes is not None:
            facts["tick"] = sizes
    return codes


def sessions() -> dict[str, dict[str, list[tuple[str, str]]]]:
    """By market, when its `sessions` begin and end, such as 08:45 and 13:45 in Taipei."""
    return {
        market: {
            "sessions": [
                (f"{each.window.start:%H:%M}", f"{each.window.end:%H:%M}")
                for each in SESSIONS
                if each.market == market
            ]
        }
        for market in MARKETS
    }


def _facts(payload: bytes) -> Facts:
    """The fields of an event's object that have the type that they should have."""
    try:
        value = orjson.loads(payload)[1]
        found = {name: value.get(name) for name in (*TEXTS, *NUMBERS)}
    except (ValueError, IndexError, AttributeError, KeyError, TypeError):
        return {}
    return {
        name: each
        for name, each in found.items()
        if (name in TEXTS and isinstance(each, str) and 0 < len(each) <= MAX_LENGTH)
        or (name in NUMBERS and isinstance(each, int | float) and not isinstance(each, bool))
    }
