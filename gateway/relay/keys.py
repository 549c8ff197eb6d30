"""What an event is about, and which events replace which: the one key function."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import attrs

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

NAMES = frozenset(
    (
        "shioaji_ready",
        "python_status",
        "feed_status",
        "heartbeat",
        "contracts_loaded",
        "option_metadata",
        "market_contract",
        "market_snapshot",
        "market_tick",
        "market_bidask",
    )
)

_CODES = (str, int, float, type(None))
"""Classes of codes that tell events apart; what has another one is never replaced."""


class Subject(NamedTuple):
    """What an event is about."""

    name: str | float
    code: str | None
    """The key field of its first argument, where that is an object with such a text."""
    key: Hashable | None
    """Of two events with equal keys the newer makes the older worthless; None: never."""


_new = tuple.__new__  # half the cost of a named tuple's own constructor


@attrs.frozen
class Keys:
    """Reads an event's subject.

    Only events of the given names with exactly one argument, an object, have a key:
    the name, and the text or number in `field` where there is one.
    """

    names: frozenset[str] = NAMES
    field: str = "code"

    def of(self, value: Sequence[object]) -> Subject:
        """The subject of the event `[name, ...arguments]`."""
        name: str | float = value[0]  # type: ignore[assignment]  # socketio checked it
        if len(value) < 2 or not isinstance(value[1], dict):
            return _new(Subject, (name, None, None))
        code = value[1].get(self.field)
        keyed = len(value) == 2 and name in self.names and code.__class__ in _CODES
        key = (name, code) if keyed else None
        return _new(Subject, (name, code if isinstance(code, str) else None, key))
