"""The names of recordings: `2026-11-30-day.jsonl.zst`, `2026-12-01-night.jsonl.zst`."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

SUFFIX = ".jsonl.zst"
_NAME = re.compile(r"(\d{4}-\d\d-\d\d)-(night|day)(?:\.([1-9]\d?))?" + re.escape(SUFFIX), re.ASCII)


class Name(NamedTuple):
    """What the name of a recording says.  Names in order of time are sorted by `order`."""

    day: date
    """The trading day."""
    part: str
    """`night`, which comes first, or `day`."""
    number: int = 1
    """2 and more: a further file of the same part, since the one before could not be used."""

    def __str__(self) -> str:
        number = f".{self.number}" if self.number > 1 else ""
        return f"{self.day}-{self.part}{number}{SUFFIX}"

    @property
    def order(self) -> tuple[date, bool, int]:
        """What to sort by."""
        return self.day, self.part == "day", self.number

    @classmethod
    def parse(cls, text: str) -> Name | None:
        """The name with this text; None: it is no recording's."""
        found = _NAME.fullmatch(text)
        if found is None:
            return None
        try:
            day = date.fromisoformat(found[1])
        except ValueError:
            return None
        return cls(day, found[2], int(found[3] or 1))


def recordings(folder: Path) -> list[tuple[Name, Path]]:
    """The recordings in `folder`, the oldest first.  Raises OSError."""
    found = ((Name.parse(each.name), each) for each in folder.iterdir())
    named = [(name, path) for name, path in found if name is not None]
    return sorted(named, key=lambda each: each[0].order)
