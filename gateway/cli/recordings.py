"""`recordings`: what is recorded in a folder.

Each file is read from its beginning to its end, since nothing else says what is in it; a line is
printed for each as soon as it was read.
"""

from __future__ import annotations

import os
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs
import orjson

from gateway.cli.errors import CommandError
from gateway.common.escape import escape_line
from gateway.history.reading import open_file, raw_lines
from gateway.history.recorded_lines import parse
from gateway.history.recordings_folder import recordings
from gateway.history.zstd_file import whole_end
from gateway.market.hours import TAIPEI

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable
    from pathlib import Path

    from gateway.history.recorded_lines import GapFields
    from gateway.history.recordings_folder import Name

MOST_CODES = 20_000
"""Codes that are told apart in one file; others are not counted."""
MOST_GAPS = 1000
"""Gaps of one file that are kept."""
SHOWN_GAPS = 5
"""Gaps of one file that are shown to people."""

COLUMNS = "{:27} {:14} {:14} {:>11} {:>6} {:>10}"
_CODE = b'"code":"'


@attrs.define
class Contents:
    """What one recording holds."""

    name: Name
    size: int = 0
    """In bytes, compressed."""
    events: int = 0
    first: float | None = None
    """The time of the first line, in seconds since 1970; None: there is none."""
    last: float | None = None
    codes: set[str] = attrs.Factory(set)
    starts: int = 0
    """How often a gateway began to write into it."""
    missing: int = 0
    """Events that were not recorded."""
    gaps: list[dict[str, Any]] = attrs.Factory(list)
    """`from`, `until`, `events`, `reason`; at most `MOST_GAPS`."""
    gap_count: int = 0
    cut: int = 0
    """Bytes at the end that are no whole frame: being written, or cut off."""
    damage: str = ""
    """Why it can't be read to its end; "": it can."""

    def take(self, lines: Iterable[bytes]) -> None:
        """Count `lines`.  Raises ValueError where one is none of a recording."""
        known: set[bytes] = set()
        line = b""
        try:
            for line in lines:
                # Most lines are quotes of few codes: of those no more is read than the code.
                at = line.find(_CODE) + len(_CODE)
                if at >= len(_CODE) and line[at : line.find(b'"', at)] in known:
                    self.events += 1
                else:
                    self._read(line, known)
        finally:
            if line:
                self._saw(parse(line).t)

    def _read(self, line: bytes, known: set[bytes]) -> None:
        found = parse(line)
        if found.recording is not None:
            self.starts += 1
        elif found.gap is not None:
            self._miss(found.t, found.gap)
        elif found.payload is not None:
            self.events += 1
            code = code_of(found.payload)
            if code is not None and len(self.codes) < MOST_CODES:
                self.codes.add(code)
                known.add(code.encode())
        self._saw(found.t)

    def _saw(self, t: float) -> None:
        if self.first is None:
            self.first = t
        self.last = t

    def _miss(self, since: float, gap: GapFields) -> None:
        self.gap_count += 1
        self.missing += gap["events"]
        if len(self.gaps) < MOST_GAPS:
            self.gaps.append({"from": since, **gap})


def code_of(payload: bytes) -> str | None:
    """The code of an event: that of its first argument, where it has one."""
    try:
        argument = orjson.loads(payload)[1]
    except (ValueError, IndexError):
        return None
    code = argument.get("code") if isinstance(argument, dict) else None
    return code if isinstance(code, str) else None


def contents(name: Name, path: Path) -> Contents:
    """What the recording holds, as far as it can be read.  Raises OSError."""
    found = Contents(name)
    with open_file(path) as stream:
        whole = whole_end(stream.fileno())
        found.size = os.fstat(stream.fileno()).st_size  # afterwards: it may grow meanwhile
        found.cut = found.size - whole
    try:
        found.take(raw_lines(path))
    except ValueError as error:
        found.damage = str(error)
    return found


# -- The command.


def run(options: argparse.Namespace) -> int:
    """List the recordings; returns 1 if one is damaged.  Raises CommandError."""
    folder: Path = options.folder
    try:
        listed = recordings(folder)
    except OSError as error:
        raise CommandError(f"the folder {folder} can't be read: {error.strerror}") from None
    if not listed:
        raise CommandError(
            f"there is no recording in {folder}: 'twistd -n sjgateway --record {folder}' makes them"
        )
    if not options.json:
        _print(COLUMNS.format("recording", "from", "to", "events", "codes", "bytes"))
    is_damaged = False
    for name, path in listed:
        try:
            found = contents(name, path)
        except FileNotFoundError:
            continue  # too old, and removed meanwhile
        except OSError as error:
            found = Contents(name, damage=f"it can't be read: {error.strerror}")
        is_damaged = is_damaged or bool(found.damage)
        for line in [_json(found)] if options.json else _text(found):
            _print(line)
    return 1 if is_damaged else 0


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _json(found: Contents) -> str:
    told = {
        "file": str(found.name),
        "day": str(found.name.day),
        "part": found.name.part,
        "first": found.first,
        "last": found.last,
        "events": found.events,
        "codes": sorted(found.codes),
        "starts": found.starts,
        "missing": found.missing,
        "gaps": found.gaps,
        "bytes": found.size,
        "cut": found.cut,
        "damage": found.damage,
    }
    return orjson.dumps(told).decode()


def _text(found: Contents) -> Iterable[str]:
    yield COLUMNS.format(
        str(found.name),
        _moment(found.first),
        _moment(found.last),
        f"{found.events:,}",
        f"{len(found.codes):,}",
        f"{found.size:,}",
    )
    if found.gap_count:
        yield f"    {found.missing:,} events are missing (gaps: {found.gap_count:,}):"
        for gap in found.gaps[:SHOWN_GAPS]:
            until = _moment(gap["until"])
            yield escape_line(
                f"    {_moment(gap['from'])} to {until}: {gap['events']:,} ({gap['reason']})"
            )
        if found.gap_count > SHOWN_GAPS:
            yield f"    ... and {found.gap_count - SHOWN_GAPS:,} more"
    if found.damage:
        yield escape_line(f"    damaged, what is before that is counted: {found.damage}")
    elif found.cut:
        yield f"    its last {found.cut:,} bytes are not whole: cut off, or just being written"


def _moment(t: float | None) -> str:
    """On the clock of Taipei."""
    if t is None:
        return "-"
    return datetime.fromtimestamp(t, TAIPEI).strftime("%m-%d %H:%M:%S")
