"""Which events replace which: the one key function."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

NAMES = frozenset(
    (
        "shioaji_ready",
        "python_status",
        "heartbeat",
        "contracts_loaded",
        "option_metadata",
        "market_snapshot",
        "market_tick",
        "market_bidask",
    )
)


@attrs.frozen
class Keys:
    """An event's key: its name, and a field of its object argument where it has one.

    Only events of the given names with exactly one argument, an object, have a key; of
    two events with equal keys the newer makes the older worthless.
    """

    names: frozenset[str] = NAMES
    field: str = "code"

    def of(self, value: Sequence[object]) -> Hashable | None:
        """The key of the event `[name, ...arguments]`; None where it has none."""
        name = value[0]
        if name in self.names and len(value) == 2 and isinstance(value[1], dict):
            code = value[1].get(self.field)
            return name, code if isinstance(code, str) else None
        return None
