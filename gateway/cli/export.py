"""`export`: bars of recordings, made in the very way in which a running gateway makes its bars.

The recorded events go to a `BarKeeper` of their own, which keeps its bars in a temporary file; so
memory is bounded however long the recordings are.
"""

from __future__ import annotations

import csv
import sys
import tempfile
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from gateway.cli.errors import CommandError
from gateway.common.escape import escape_line
from gateway.engineio.packet import Packet
from gateway.history.bar_keeper import NAMES_HEARD, BarKeeper
from gateway.history.bar_query import COLUMNS, FOREVER, BarQuestion
from gateway.history.event_thread import Gap
from gateway.history.reading import raw_lines, read
from gateway.history.recorded_lines import parse
from gateway.history.recordings_folder import recordings
from gateway.market.hours import TAIPEI, Calendar

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator

    from gateway.history.bar_book import BarBook
    from gateway.history.recorded_lines import Line

DAYS = 36_500
"""Bars of all times are kept: what was recorded is of the past."""
FLUSH = 20_000
"""Events after which bars go from memory to the file."""
FIELDS = ("code", *COLUMNS, "partial")

_NAME = b'"e":["'
_HEARD = frozenset(name.encode() for name in NAMES_HEARD)


class RecordedEvent(NamedTuple):
    """An event as `BarKeeper.take` takes it (`HeardEvent`)."""

    name: str | float
    wall: float
    packets: tuple[Packet]
    code: str | None = None
    size: int = 0
    trusted: bool = True
    current: bool = True


class RecordedBars:
    """The bars of recordings; `warn(text)` tells what is in none of them.

    Raises CommandError where the temporary file in `folder` can't be written.
    """

    def __init__(self, folder: Path, calendar: Calendar, warn: Callable[[str], object]) -> None:
        self._wall = 0.0
        self._events = 0
        self._keeper = BarKeeper(
            calendar,
            folder / "bars.sqlite",
            days=DAYS,
            wall=lambda: self._wall,
            log=warn,
            on_problem=_fail,
        )
        self._keeper.begin()

    @property
    def book(self) -> BarBook:
        """The bars; demonstrations, which are not recorded, are not among them."""
        return self._keeper.book

    def take(self, lines: Iterable[bytes]) -> None:
        """Add the events in `lines`, after all that came before.  Raises ValueError."""
        try:
            for line in lines:
                at = line.find(_NAME) + len(_NAME)
                name = line[at : line.find(b'"', at)]
                if name in _HEARD or at < len(_NAME) or b"\\" in name:
                    self._hear(parse(line), name.decode(errors="replace"))
        finally:
            self._flush()

    def _hear(self, found: Line, name: str) -> None:
        self._wall = found.t
        if found.payload is None:  # a start, or a gap: what came in between was not heard
            self._keeper.gap(Gap(found.t, found.t, 0))
        elif not found.other:
            if name not in NAMES_HEARD:  # written in another way
                name = orjson.loads(found.payload)[0]
            self._keeper.take([RecordedEvent(name, found.t, (Packet(found.payload),))])
        self._events += 1
        if self._events % FLUSH == 0:
            self._flush()

    def _flush(self) -> None:
        self.book.builder.seconds = {}  # nobody asks for them
        self.book.flush()

    def close(self) -> None:
        self._keeper.close()


def rows(book: BarBook, code: str, interval: str) -> Iterator[tuple[Any, ...]]:
    """The bars of `code`, each with the values of `FIELDS`; the oldest first."""
    ends = [FOREVER]
    while (page := _page(book, BarQuestion(code, interval, end=ends[-1])))["cut"]:
        times = page["bars"]["time"]
        if not times:
            break
        ends.append(times[0])
    yield from _rows(page)
    for begin, end in pairwise(reversed(ends)):
        yield from _rows(_page(book, BarQuestion(code, interval, begin=begin, end=end)))


def _page(book: BarBook, question: BarQuestion) -> dict[str, Any]:
    answer = book.answer(question)
    if answer is None:
        raise CommandError(f"the temporary file of bars can't be read: {book.problem}")
    found: dict[str, Any] = orjson.loads(answer.body)
    return found


def _rows(page: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    partial = set(page["partial"])
    for time, *values in zip(*(page["bars"][name] for name in COLUMNS), strict=True):
        text = datetime.fromtimestamp(time, TAIPEI).isoformat()
        yield (page["code"], text, *values, int(time in partial))


def _fail(problem: str) -> None:
    if problem:
        raise CommandError(
            f"the temporary file of bars: {problem}; export fewer recordings at a time, or name a"
            " folder with more room by TMPDIR"
        )


# -- The command.


def run(options: argparse.Namespace) -> int:
    """Write the bars; returns 1 if a recording is damaged.  Raises CommandError."""
    try:
        calendar = Calendar(options.holiday_file)
    except ValueError as error:
        raise CommandError(str(error), status=2) from None
    paths, is_damaged = _recordings(options.files)
    if options.output is not None and any(map(partial(_is_same, options.output), paths)):
        raise CommandError(f"{options.output} is a recording, and would be lost", status=2)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sjgateway-")))
        bars = RecordedBars(folder, calendar, _warn)
        stack.callback(bars.close)
        for path in paths:
            try:
                bars.take(raw_lines(path))
            except ValueError as error:
                _warn(f"{path}: {error}; what is before that counts")
                is_damaged = True
            except OSError as error:
                raise CommandError(f"{path} can't be read: {error.strerror}") from None
        codes = options.codes or bars.book.listed
        found = (row for code in codes for row in rows(bars.book, code, options.bars))
        _write(found, options)
    return 1 if is_damaged else 0


def _write(found: Iterable[tuple[Any, ...]], options: argparse.Namespace) -> None:
    write = _write_json if options.json else _write_csv
    if options.output is None:
        write(found, sys.stdout)
        return
    try:
        with options.output.open("w", encoding="utf-8", newline="") as stream:
            write(found, stream)
    except OSError as error:
        raise CommandError(f"{options.output} can't be written: {error.strerror}") from None


def _write_csv(found: Iterable[tuple[Any, ...]], stream: Any) -> None:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(FIELDS)
    writer.writerows(found)


def _write_json(found: Iterable[tuple[Any, ...]], stream: Any) -> None:
    for row in found:
        stream.write(orjson.dumps(dict(zip(FIELDS, row, strict=True))).decode() + "\n")


def _recordings(paths: Iterable[Path]) -> tuple[list[Path], bool]:
    """The recordings in files and folders, the oldest first, each once; whether one of a folder is
    unusable.

    Raises CommandError.
    """
    found: list[tuple[float, Path]] = []
    is_damaged = False
    for path in paths:
        try:
            if not path.is_dir():
                found.append((_begin(path), path))
                continue
            inside = recordings(path)
        except ValueError as error:
            raise CommandError(f"{path} is no recording: {error}") from None
        except OSError as error:
            raise CommandError(f"{path} can't be read: {error.strerror}") from None
        if not inside:
            raise CommandError(f"there is no recording in {path}")
        for _, each in inside:
            try:
                found.append((_begin(each), each))
            except (ValueError, OSError) as error:
                _warn(f"{each} is left out: {error}")
                is_damaged = True
    return [path for _, path in sorted(set(found))], is_damaged


def _begin(path: Path) -> float:
    """When a recording begins.  Raises OSError or ValueError."""
    return next((line.t for line in read(path)), 0.0)


def _is_same(output: Path, path: Path) -> bool:
    return output.exists() and output.samefile(path)


def _warn(text: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(f"sjgateway: {escape_line(text)}\n")
