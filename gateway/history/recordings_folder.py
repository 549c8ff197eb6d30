"""The folder of recordings: its settings, the names of its files, which old ones are removed.

Names are `2026-11-30-day.jsonl.zst`, `2026-12-01-night.jsonl.zst`, `2026-12-01-night.2.jsonl.zst`.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

import attrs

if TYPE_CHECKING:
    from pathlib import Path

SUFFIX = ".jsonl.zst"
_NAME = re.compile(r"(\d{4}-\d\d-\d\d)-(night|day)(?:\.([1-9]\d?))?" + re.escape(SUFFIX), re.ASCII)


class Name(NamedTuple):
    """What the name of a recording says."""

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
        """What to sort by, for the order of time."""
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


# -- What the recorder can be told.


@attrs.frozen(kw_only=True)
class RecordSettings:
    """Where events are recorded, whose, and how long that is kept."""

    folder: Path
    days: int = 30
    """Recordings of earlier trading days are removed; 0: none is."""
    max_bytes: int = 10 << 30
    """The oldest recordings are removed beyond this; 0: no bound."""
    everybody: bool = False
    """Record events of all clients; else only those of the present worker and the gateway."""


# -- Removes old recordings: by days, and by bytes.


def prune(
    folder: Path, today: date, *, days: int, max_bytes: int, keep: tuple[date, str]
) -> list[tuple[Path, str]]:
    """Remove what is over the bounds, the oldest first; returns what was removed, and why.

    Trading days more than `days` before the newest finished one go, and the oldest while all of
    them have more than `max_bytes`; 0 is no bound.  A finished one of a day after `today` counts
    as one of `today`.  So a clock that jumps far ahead does not remove everything.  The days are
    those of the names: times of files change when they are copied.  The files of `keep`, the
    present trading day and part, stay, and so does every file that is no recording.  What can't
    be removed is left for the next time.  Raises OSError where the folder can't be read.
    """
    removed = []
    found = recordings(folder)
    sizes = {}
    for _, path in found:
        with suppress(OSError):
            sizes[path] = path.lstat().st_size
    total = sum(sizes.values())
    finished = [name.day for name, _ in found if (name.day, name.part) != keep]
    newest = min(today, max(finished, default=today))
    for name, path in found:
        if (name.day, name.part) == keep or path not in sizes:
            continue
        if days and name.day < newest - timedelta(days=days):
            why = f"older than {days} days"
        elif max_bytes and total > max_bytes:
            why = f"all of them had more than {max_bytes} bytes"
        else:
            continue
        with suppress(OSError):
            path.unlink()
            total -= sizes[path]
            removed.append((path, why))
    return removed
