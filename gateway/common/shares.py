"""Bounds that many owners share: the owner that uses the most loses something first."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator

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

    def items(self) -> Iterator[tuple[str, Key, Value]]:
        """Each owner, key and value."""
        for owner, values in self._values.items():
            for key, value in values.items():
                yield owner, key, value

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


# -- Which of the names that come from outside are counted by themselves.

OTHER = "other"
"""Stands for all names that are not counted one by one."""
MAX_LENGTH = 100
"""Characters of a name that is counted by itself."""
SHARE = 5
"""One address has at most a fifth of the places of strangers."""


class Places:
    """Places for names, bounded in number: a name that has one keeps it.

    `known` names have one from the beginning.  Others get one as they come: `most` for names of
    trusted senders, and `most` for names of strangers, of which each address has only a share.
    So strangers take places only from strangers.
    """

    def __init__(self, known: Iterable[str], most: int) -> None:
        self.taken = set(known)
        """The names that have a place."""
        self._most = most
        self._trusted = 0
        self._strangers: Counter[str] = Counter()
        self._theirs: set[str] = set()

    def of(self, name: str, owner: str) -> str:
        """`name`, or `OTHER` if it has no place; `owner`: the sender's address, "" if trusted."""
        if name in self.taken and (owner or name not in self._theirs):
            return name
        if len(name) > MAX_LENGTH:
            return OTHER
        if not owner:
            return self._keep(name)
        if self._strangers.total() < self._most and self._strangers[owner] < self._most // SHARE:
            self._strangers[owner] += 1
            self._theirs.add(name)
            self.taken.add(name)
            return name
        return OTHER

    def _keep(self, name: str) -> str:
        """Give `name` a place of the trusted, also if strangers used it first."""
        if self._trusted == self._most:
            return name if name in self.taken else OTHER
        self._trusted += 1
        self._theirs.discard(name)
        self.taken.add(name)
        return name
