"""The topics of quotes: what the event callback is told of a subscription."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rehearsed.contracts import Contract

_OF_QUOTES = {"tick": "TIC/v1", "bidask": "QUO/v1", "quote": "QUO/v2"}
_OF_INDEXES = {"tick": "I", "bidask": "O", "quote": "QUO/v1/IND/*"}
"""1.7 has but one kind of quotes of them, `quote`, and the older ones have not that one."""


def topic(kind: str, contract: Contract) -> str:
    """The topic of a subscription to `tick`, `bidask` or `quote`: `TIC/v1/FOP/*/TFE/TXFL6`."""
    if contract.kind == "Indexs":
        return f"{_OF_INDEXES[kind]}/{contract.exchange!s}/{contract.code}"
    market = "STK" if contract.kind == "Stocks" else "FOP"
    places = {"Futures": "TFE", "Options": "OPT"}
    place = places.get(contract.kind, str(contract.exchange))
    return f"{_OF_QUOTES[kind]}/{market}/*/{place}/{contract.target_code or contract.code}"
