"""Removes old recordings: by days, and by bytes."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from gateway.history.names import recordings

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path


def prune(
    folder: Path, today: date, *, days: int, max_bytes: int, keep: tuple[date, str]
) -> list[tuple[Path, str]]:
    """Remove what is over the bounds, the oldest first; returns what was removed, and why.

    Trading days more than `days` before `today` go, and the oldest while all of them have more
    than `max_bytes`; 0 is no bound.  The days are those of the names: times of files change when
    they are copied.  The files of `keep`, the present trading day and part, stay, and so does
    every file that is no recording.  What can't be removed is left for the next time.  Raises
    OSError where the folder can't be read.
    """
    removed = []
    found = recordings(folder)
    sizes = {}
    for _, path in found:
        with suppress(OSError):
            sizes[path] = path.lstat().st_size
    total = sum(sizes.values())
    for name, path in found:
        if (name.day, name.part) == keep or path not in sizes:
            continue
        if days and name.day < today - timedelta(days=days):
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
