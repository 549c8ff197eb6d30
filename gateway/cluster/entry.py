"""One entry of the log, as Redis gives it; `scripts.py` says what there is."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from gateway.cluster.places import Place
from gateway.cluster.resp import pairs

if TYPE_CHECKING:
    from collections.abc import Sequence

_new = tuple.__new__  # half the cost of a named tuple's own constructor


class Entry(NamedTuple):
    """An entry: where it begins, the place behind it, and its fields by name."""

    start: Place
    place: Place
    told: dict[bytes, bytes]

    @classmethod
    def of(cls, id: bytes, fields: Sequence[bytes]) -> Entry:
        """The entry `id`; one that no gateway wrote takes no places."""
        place, told = _place(id), pairs(fields)
        count = told.get(b"c", b"")
        epoch, number = place
        places = int(count) if count.isdigit() else 0
        return _new(cls, (_new(Place, (epoch, number - places)), place, told))

    @property
    def begins_epoch(self) -> bool:
        """Whether a new epoch begins with it."""
        return self.told.get(b"k") == b"e"

    @property
    def after(self) -> Place:
        """Up to where the log has to be read before it."""
        if not self.begins_epoch:
            return self.start
        with suppress(ValueError):
            return _place(self.told.get(b"e", b""))  # where the epoch before it ended
        return Place(0, 0)


def _place(id: bytes) -> Place:
    epoch, _, number = id.partition(b"-")
    return _new(Place, (int(epoch), int(number)))
