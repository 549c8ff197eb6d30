"""How contracts are found: `api.Contracts.Futures.TXF.TXFR1`, `api.Contracts.Stocks["2330"]`."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from rehearsed.record import text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rehearsed.contracts import Contract

PRODUCT = re.compile(r"[A-Z]{2}[A-Z\d]")
"""Such as TXO."""
KINDS = ("Stocks", "Futures", "Options", "Indexs")


class Group:
    """Contracts of one exchange or product; `strict`: one that does not exist is a KeyError."""

    def __init__(self, contracts: Iterable[Contract], *, strict: bool) -> None:
        self._contracts = list(contracts)
        self._strict = strict

    def __iter__(self) -> Iterator[Contract]:
        return iter(self._contracts)

    def __len__(self) -> int:
        return len(self._contracts)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.keys()]

    def keys(self) -> list[str]:
        return [each.code for each in self._contracts]

    def values(self) -> list[Contract]:
        return list(self._contracts)

    def items(self) -> list[tuple[str, Contract]]:
        return [(each.code, each) for each in self._contracts]

    def get(self, key: str, default: Any = None) -> Any:
        return next((each for each in self._contracts if key in (each.code, each.symbol)), default)

    def __getitem__(self, key: str) -> Any:
        found = self.get(key)
        if found is None and self._strict:
            raise KeyError(key)
        return found

    def __getattr__(self, name: str) -> Any:
        found = None if name.startswith("_") else self.get(name)
        if found is None:
            raise AttributeError(name)
        return found


class Category(Group):
    """Contracts of one kind, with a group for each product or exchange."""

    def __iter__(self) -> Iterator[Any]:
        """The groups, not the contracts."""
        return (getattr(self, name) for name in self.keys())

    def keys(self) -> list[str]:
        """The names of the groups: exchanges, or products."""
        return sorted(
            {
                text(each.exchange) if each.kind in {"Stocks", "Indexs"} else each.category
                for each in self._contracts
            }
        )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        group = self._of(name)
        if group or PRODUCT.fullmatch(name):  # of a product that was not recorded there is none
            return Group(group, strict=self._strict)
        return super().__getattr__(name)

    def __getitem__(self, key: str) -> Any:
        if not self._strict and self.get(key) is None and (group := self._of(key)):
            return Group(group, strict=False)
        return super().__getitem__(key)

    def _of(self, name: str) -> list[Contract]:
        return [each for each in self._contracts if name in (each.category, text(each.exchange))]


class Groups(SimpleNamespace):
    """`api.Contracts`."""

    status = "Fetched"

    def __iter__(self) -> Iterator[tuple[str, Category]]:
        """The kinds, by their names."""
        return ((kind, getattr(self, kind)) for kind in KINDS)


def groups(contracts: Iterable[Contract], *, strict: bool) -> Groups:
    """All contracts, by their kinds."""
    every = list(contracts)
    return Groups(
        **{
            kind: Category((each for each in every if each.kind == kind), strict=strict)
            for kind in KINDS
        }
    )
