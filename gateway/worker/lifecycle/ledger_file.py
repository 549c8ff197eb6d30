"""The ledger's file: its shape and version, and how gateways that share it write it.

What is here waits for the disk, and for other gateways: the ledger calls it in a thread.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pathlib import Path

Record = dict[str, Any]
Counts = Counter[tuple[str, str]]
"""Numbers by kind and day."""

KINDS: Final = ("days", "adoptions")
"""What is counted by day: starts, and workers of a gateway before that were taken over."""
DAYS_KEPT: Final = 8
VERSION: Final = 1
"""Of the file; one without a number is of version 1, too.  An entry more needs no other version:
who does not know it keeps it."""
LOCK_TRIES, LOCK_INTERVAL = 300, 0.01
"""Another gateway holds the lock while its disk writes."""


class VersionError(OSError):
    """The file is of a version that this gateway does not know: it is left alone."""


class LedgerFile:
    """`ledger.json` in `folder`; nothing is made before it is asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path = folder / "ledger.json"

    def make_folder(self) -> None:
        """Make the folder, for its owner alone.  Raises OSError."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def read(self) -> Record:
        """What the file holds.  Raises OSError, and ValueError for one that is damaged."""
        try:
            return checked(json.loads(self._path.read_text("utf-8")))
        except FileNotFoundError:
            return checked({"days": {}})
        except (ValueError, RecursionError):
            raise ValueError(f"{self._path} is damaged; today's count begins anew") from None

    def add(self, counts: Counts, others: Record) -> tuple[Record, str]:
        """Add `counts` to what the file holds by now, and put the entries `others` in it.

        `others["least"]` are counts by kind, of which there are to be no fewer.  Returns the new
        content, and how the old one was damaged; "": it was not.  Raises OSError.
        """
        self.make_folder()
        lock = os.open(self.folder / "ledger.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(lock)
            damaged = ""
            try:
                record = self.read()
            except ValueError as error:
                record, damaged = checked({"days": {}}), str(error)
            entries = {name: value for name, value in others.items() if name != "least"}
            record = {**record, **no_fewer(record, others.get("least", {})), **entries}
            kept = {
                kind: dict(sorted(total(record, counts, kind).items())[-DAYS_KEPT:])
                for kind in KINDS
            }
            record = {**record, **kept}
            self._write(record)
        finally:
            os.close(lock)
        return record, damaged

    def _write(self, record: Record) -> None:
        draft = self.folder / "ledger.json.new"
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(file, "w", encoding="utf-8") as stream:
            json.dump(record, stream)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(self._path)
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)  # the new name, too, outlives a power cut
        finally:
            os.close(folder)


def _lock(file: int) -> None:
    for _ in range(LOCK_TRIES):
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            held = error
            time.sleep(LOCK_INTERVAL)
    raise held


def checked(record: Any) -> Record:
    """`record` when it has the shape of a ledger; ValueError otherwise.

    Raises VersionError for a version that is not ours.
    """
    match record:
        case {"version": int(version)} if version != VERSION:
            raise VersionError(f"its version is {version}, and this gateway knows {VERSION}")
        case {"days": dict(days), **rest} if _are_counts(days):
            adoptions = rest.get("adoptions", {})
            pause = rest.get("pause", {"until": 0, "level": 0})
            scheduled = rest.get("scheduled")
            newest = rest.get("newest", {"at": 0, "adopted": False})
            match pause, newest:
                case (
                    {"until": int() | float(), "level": int()},
                    {"at": int() | float(), "adopted": bool()},
                ) if isinstance(scheduled, int | float | None) and _are_counts(adoptions):
                    return {
                        **record,
                        "version": VERSION,
                        "days": days,
                        "adoptions": adoptions,
                        "pause": pause,
                        "scheduled": scheduled,
                        "newest": newest,
                    }
    raise ValueError("not a ledger")


def _are_counts(value: object) -> bool:
    return isinstance(value, dict) and all(type(count) is int for count in value.values())


def total(record: Record, counts: Counts, kind: str) -> Counter[str]:
    """The counts of one kind by day, those of `record` and `counts` together."""
    more = {day: count for (each, day), count in counts.items() if each == kind}
    return Counter(record[kind]) + Counter(more)


def no_fewer(record: Record, least: Record) -> Record:
    """The counts of `record`, where those of `least` are not higher."""
    return {
        kind: {
            day: max(record[kind].get(day, 0), counts.get(day, 0))
            for day in {**record[kind], **counts}
        }
        for kind, counts in least.items()
    }
