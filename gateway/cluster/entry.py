"""One entry of the log, as Redis gives it; `scripts.py` says what there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gateway.cluster.places import Place
from gateway.cluster.resp import pairs

if TYPE_CHECKING:
    from collections.abc import Sequence


class Entry(NamedTuple):
    """An entry: where it begins, the place behind it, and its fields by name."""

    start: Place
    place: Place
    told: dict[bytes, bytes]

    @classmethod
    def of(cls, id: bytes, fields: Sequence[bytes]) -> Entry:
        """The entry `id`.  Raises ValueError for what is none."""
        place, told = _place(id), pairs(fields)
        return cls(Place(place.epoch, place.number - int(told.get(b"c", 0))), place, told)

    @property
    def begins_epoch(self) -> bool:
        """Whether a new epoch begins with it."""
        return self.told.get(b"k") == b"e"

    @property
    def after(self) -> Place:
        """Up to where the log has to be read before it."""
        if not self.begins_epoch:
            return self.start
        end = self.told[b"e"]  # where the epoch before it ended
        return _place(end) if end else Place(0, 0)


def _place(id: bytes) -> Place:
    epoch, _, number = id.partition(b"-")
    return Place(int(epoch), int(number))
