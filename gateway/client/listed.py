"""How many strikes the exchange lists, of which a feed seldom follows all."""

from __future__ import annotations

from contextlib import suppress
from typing import Any


class ListedStrikes:
    """Counts those that `api`, the library's, knows, once for each product."""

    def __init__(self, api: Any) -> None:
        self._api = api
        self._products: dict[str, dict[str, int]] = {}

    def event(self, facts: dict[str, Any]) -> dict[str, Any]:
        """`facts` as `contract_event` makes them, for an option with `listed_strikes` besides."""
        product, day = facts.get("category"), facts.get("delivery_date")
        if product is None or day is None or "strike_price" not in facts:
            return facts
        if product not in self._products:
            self._products[product] = {}
            with suppress(Exception):  # each version has its own groups: one without it tells none
                self._products[product] = self._count(product)
        count = self._products[product].get(day, 0)
        return {**facts, "listed_strikes": count} if count else facts

    def _count(self, product: str) -> dict[str, int]:
        """By day of delivery."""
        strikes: dict[str, set[float]] = {}
        for each in getattr(self._api.Contracts.Options, product):
            day = str(each.delivery_date).replace("/", "-")
            strikes.setdefault(day, set()).add(float(each.strike_price))
        return {day: len(found) for day, found in strikes.items()}
