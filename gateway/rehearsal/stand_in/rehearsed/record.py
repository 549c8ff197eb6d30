"""Objects as the library gives them: attributes that can also be read as a mapping."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import ItemsView, KeysView


class Record(SimpleNamespace):
    """`record.code` and `record["code"]`; `{**record}` and `record.to_dict()` are its fields."""

    def __getitem__(self, name: str) -> Any:
        return vars(self)[name]

    def keys(self) -> KeysView[str]:
        return vars(self).keys()

    def items(self) -> ItemsView[str, Any]:
        return vars(self).items()

    def get(self, name: str, default: Any = None) -> Any:
        return vars(self).get(name, default)

    def to_dict(self, raw: bool = False) -> dict[str, Any]:
        return vars(self).copy()


def plain(value: Any) -> Any:
    """The value of an enumeration; anything else as it is."""
    return getattr(value, "value", value)


def text(value: Any) -> str:
    """As text; an enumeration's value, and nothing for None."""
    return "" if value is None else str(plain(value))
