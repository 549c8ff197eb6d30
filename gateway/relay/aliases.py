"""Codes that name one thing: the interface of what knows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

NONE: Final[frozenset[str]] = frozenset()


class Aliases(Protocol):
    """Which codes name one thing, such as one contract; one object for each namespace.

    A filter by one code of a group gets the events under all of them.
    """

    @property
    def event(self) -> str | None:
        """The name of the event that tells codes; None: there is none."""
        ...

    @property
    def others(self) -> Mapping[str | None, frozenset[str]]:
        """By code, the other codes of its group; codes without others are left out."""
        ...

    def of(self, code: str | None) -> frozenset[str]:
        """The other codes of the group of `code`; empty: it has none."""
        ...

    def learn(self, payload: bytes) -> bool:
        """Learn from an event of that name, a JSON array; whether that changed anything.

        Called only for events of trusted senders.  Raises nothing, whatever `payload` is.
        """
        ...


class NoAliases:
    """The `Aliases` of a relay in which each code stands for itself."""

    event = None
    others: Mapping[str | None, frozenset[str]] = {}

    def of(self, code: str | None) -> frozenset[str]:
        """Nothing."""
        return NONE

    def learn(self, payload: bytes) -> bool:
        """Nothing: no event is handed in."""
        return False
