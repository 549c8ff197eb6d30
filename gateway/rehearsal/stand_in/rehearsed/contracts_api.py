"""`api.contracts` of 1.7: contracts by code, by root and by kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rehearsed.groups import Groups, groups
from rehearsed.record import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rehearsed.contracts import Contract


class ContractsApi(Groups):
    """All contracts, by their codes; each of them is its own `info`, too."""

    def __init__(self, contracts: Mapping[str, Contract]) -> None:
        super().__init__(**vars(groups(contracts.values(), strict=True)))
        self._all = contracts

    def get(self, code: str, region: Any = None) -> Contract | None:
        return self._all.get(code)

    def info(self, base: Any) -> Contract | None:
        return self._all.get(base.code)

    def futures(self, root: str, region: Any = None) -> Sequence[Contract]:
        return self._of("FUT", root)

    def options(self, root: str, region: Any = None) -> Sequence[Contract]:
        return self._of("OPT", root)

    def futures_roots(self, region: Any = None) -> Sequence[tuple[str, str]]:
        return self._roots("FUT")

    def option_roots(self, region: Any = None) -> Sequence[tuple[str, str]]:
        return self._roots("OPT")

    def list(self, kind: Any, region: Any = None) -> Sequence[Contract]:
        """Those of one kind, such as `STK`."""
        return [each for each in self._all.values() if each.security_type == plain(kind)]

    def _of(self, kind: str, root: str) -> Sequence[Contract]:
        return [each for each in self.list(kind) if each.root == root]

    def _roots(self, kind: str) -> Sequence[tuple[str, str]]:
        """Each root, with the name of its first contract."""
        found: dict[str, str] = {}
        for each in self.list(kind):
            found.setdefault(each.root, each.name)
        return list(found.items())
