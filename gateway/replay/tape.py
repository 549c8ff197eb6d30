"""The events of recordings, in their order; read as they are needed."""

from __future__ import annotations

import math
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple

import orjson

from gateway.common.times import LATEST
from gateway.engineio.packet import OVERHEAD
from gateway.history.reading import blocks, open_file
from gateway.history.recorded_lines import FORMAT, parse
from gateway.history.zstd_file import MAGIC, pieces
from gateway.market.events import CONTRACT, CONTRACTS_LOADED, OPTION_METADATA, READY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

LASTING: Final = frozenset((READY, CONTRACTS_LOADED, OPTION_METADATA, CONTRACT))
"""Events that hold for what comes after them: who begins in the middle is told them first."""
SLICE: Final = 20_000
"""Events that are passed over at a time."""
BLOCK: Final = 1 << 20
"""Bytes of plain lines that are read at a time."""
_LASTING: Final = frozenset(name.encode() for name in LASTING)
_TIME, _EVENT, _END = b'{"t":', b',"e":[', b"]}"
"""Of a line of an event without attachments: before its time, behind it, and the end."""
MOST_TIME: Final = 40
"""Bytes up to the end of the time."""


class Entry(NamedTuple):
    """One event of a recording."""

    t: float
    """When it came, in seconds since 1970."""
    payload: bytes
    """The JSON array of its name and arguments."""
    attachments: tuple[bytes, ...] = ()


def _blocks(path: Path) -> Iterator[bytes]:
    """Lines of a recording, also of one as plain JSON lines (`tail --json`), many at a time."""
    with open_file(path) as file:
        is_packed = file.read(len(MAGIC)) == MAGIC
        file.seek(0)
        plain = chain(iter(partial(file.read, BLOCK), b""), (b"\n",))  # its last line may lack it
        yield from blocks(pieces(file) if is_packed else plain)


def _entries(block: bytes) -> Iterator[Entry]:
    """The events in lines.  Raises ValueError where one is damaged, after the events before."""
    for text in block.split(b"\n"):
        time = text[len(_TIME) : text.find(_EVENT, len(_TIME), MOST_TIME)]
        if text.startswith(_TIME) and time.replace(b".", b"", 1).isdigit() and text.endswith(_END):
            # Most are like this.
            entry = Entry(float(time), text[len(_TIME) + len(time) + len(_EVENT) - 1 : -1])
        elif not text or text.isspace():
            continue
        else:
            line = parse(text)
            if line.recording is not None and line.recording.get("format") != FORMAT:
                raise ValueError(f"it has the format {line.recording['format']!r}, not {FORMAT}")
            if line.payload is None:
                continue
            entry = Entry(line.t, line.payload, line.attachments)
        if not 0 <= entry.t <= LATEST:
            raise ValueError(f"{entry.t:.15g} is no time in seconds since 1970")
        yield entry


def _is_over(block: bytes, t: float) -> bool:
    """Whether nothing in these lines counts from `t` on: the last event is of before it, and none
    is of those that hold."""
    begin = block.rfind(b"\n", 0, -1) + 1 + len(_TIME)
    time = block[begin : block.find(_EVENT, begin, begin + MOST_TIME)]
    if not time.replace(b".", b"", 1).isdigit() or float(time) >= t:
        return False
    return not any(b'["%b"' % name in block for name in _LASTING)


class Tape:
    """The events of `paths`, the recording that begins first before the others.

    `warn(text)` is told of a recording that can't be read to its end.  Raises ValueError where
    there is no event at all.
    """

    _entries: Iterator[Entry | None]
    _next: Entry | None

    def __init__(self, paths: Sequence[Path], warn: Callable[[str], object]) -> None:
        self._warn = warn
        self._over = -math.inf
        """Events of before this time are passed over, many at once."""
        begins = {path: first for path in paths if (first := next(self._read(path), None))}
        self._paths = sorted(begins, key=lambda path: begins[path].t)
        if not self._paths:
            raise ValueError(f"there is no event in {', '.join(map(str, paths))}")
        self.begins = begins[self._paths[0]].t
        """When its first event came, in seconds since 1970."""
        for _ in self.seek(self.begins):
            pass

    @property
    def next_time(self) -> float | None:
        """When the next event came; None: there is none."""
        return None if self._next is None else self._next.t

    def take(self, until: float, most: int) -> Iterator[Entry]:
        """The next events that came up to `until`; the one that reaches `most` bytes is the last.

        Bytes are as the gateway's log counts them.
        """
        while self._next is not None and self._next.t <= until and most > 0:
            entry = self._next
            most -= len(entry.payload) + OVERHEAD
            self._next = next(self._entries, None)
            yield entry

    def seek(self, t: float) -> Iterator[list[Entry]]:
        """Go to the first event of `t` or later.

        Yields empty lists while events are passed over; and at the end the newest of those passed
        over that hold for what comes, in their order.
        """
        self._next = None
        self._over = t
        self._entries = (entry for path in self._paths for entry in self._read(path))
        lasting: dict[object, Entry] = {}
        passed = 0
        for entry in self._entries:
            if entry is not None and entry.t >= t:
                self._next = entry
                break
            if entry is not None:
                name = entry.payload[2 : entry.payload.find(b'"', 2)]
                if name in _LASTING:
                    key = name, _code_of(entry.payload)
                    lasting.pop(key, None)  # the newest comes last
                    lasting[key] = entry
                passed += 1
            if entry is None or passed % SLICE == 0:
                yield []
        self._over = -math.inf
        yield list(lasting.values())

    def _read(self, path: Path) -> Iterator[Entry | None]:
        """The events of a recording; None for many at once that nobody needs."""
        try:
            for block in _blocks(path):
                if _is_over(block, self._over):
                    yield None
                else:
                    yield from _entries(block)
        except (OSError, ValueError) as error:
            self._warn(f"{path} is read no further: {error}")


def _code_of(payload: bytes) -> object:
    try:
        value = orjson.loads(payload)
    except ValueError:
        return None
    code = value[1].get("code") if len(value) > 1 and isinstance(value[1], dict) else None
    return code if isinstance(code, str) else None
