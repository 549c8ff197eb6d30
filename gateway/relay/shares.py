"""A bound that many share: who takes the most of it is the first to lose something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable

Key = TypeVar("Key", bound="Hashable")
Value = TypeVar("Value")


class Shares(Generic[Key, Value]):
    """At most `most` values by their keys, each put by an owner.

    When there is no room, the oldest value of the owner that has the most of them is
    dropped.  So no one owner can push out what others put.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._owners: dict[Key, str] = {}
        self._values: dict[str, dict[Key, Value]] = {}

    def __len__(self) -> int:
        return len(self._owners)

    def put(self, owner: str, key: Key, value: Value) -> None:
        """Keep `value` by `key`, in place of what was there."""
        self.pop(key)
        if len(self) >= self._most:
            largest = max(self._values.values(), key=len)
            self.pop(next(iter(largest)))
        self._owners[key] = owner
        self._values.setdefault(owner, {})[key] = value

    def get(self, key: Key) -> Value | None:
        """The value of `key`; None: there is none."""
        owner = self._owners.get(key)
        return None if owner is None else self._values[owner][key]

    def pop(self, key: Key) -> Value | None:
        """Remove the value of `key`; None: there is none."""
        owner = self._owners.pop(key, None)
        if owner is None:
            return None
        values = self._values[owner]
        value = values.pop(key)
        if not values:
            del self._values[owner]
        return value
