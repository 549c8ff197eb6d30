"""The bytes of a memory that outlives its process: how they are written, and what is believed.

    page of the header | half 0 | half 1

A *segment* is everything since one checkpoint.  Segments are counted from 1, and number n is in
half n % 2: the newest one and the one before it are there.  A segment is a row of *blocks*, each
a length, a checksum and a body; the body's first byte is its kind.  The first block names the log
and says what must be the same for the memory to be believed; a mark ends the checkpoint.

Checksums (Adler-32, which looks nothing up: a table would have to come into the cache each time)
are chained: each continues the one before it, from a first block that has the segment's
number.  So a block that is damaged, missing, or left over from an older segment ends the row.
The header's word `HEAD` counts the bytes that are written; it is one store of eight bytes, which
a killed process has done or has not done.  Where the row ends before it, something is lost, and
nothing is believed.  Where the row goes on, its process was killed between block and word, and
the block counts.

Data that were written whole can still be false: after a power cut the disk has some pages and
lacks others.  So the name of the boot is part of the first block, unless the last block says
that the memory was closed and synced.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from zlib import adler32

import attrs
import orjson

if TYPE_CHECKING:
    from collections.abc import Sequence

VERSION: Final = 2
MAGIC: Final = b"SJMEMORY"
PAGE: Final = 4096
"""Bytes of the header."""
_HEADER = struct.Struct("<8sIIQ")
HEAD: Final = 8
"""The word of the header that says how far is written: segment * size of a half + bytes."""
ALIVE: Final = 9
"""The word with the time of the last sign of life, in milliseconds since 1970."""

_FRAME = struct.Struct("<II")
_pack_frame = _FRAME.pack_into
FRAME: Final = _FRAME.size

NAMES, SNAPSHOT, NOTE, READY, EVENTS, ATTACHED, CLOSED = b"CSNZEAX"
"""Kinds of blocks: of a checkpoint the first, values, notes and the last; and of what follows."""


class UnusableError(ValueError):
    """A memory that can't be believed; the text says why."""


class Names(NamedTuple):
    """What a segment's first block says."""

    segment: int
    """Its number."""
    namespace: str
    epoch: str
    boot: str
    """The machine's boot in which it was written."""
    file: int
    """The number of its file: a copy is as old as nobody knows."""
    position: int
    """Of the segment's first event."""


@attrs.frozen
class Segment:
    """One segment that was read."""

    names: Names
    blocks: list[bytes]
    """The bodies of its blocks, without the first: each begins with its kind."""
    used: int
    """Bytes."""


@attrs.frozen
class Contents:
    """What a memory holds: the newest segment, and the one before it as far as it is intact."""

    newest: Segment
    before: Segment | None
    alive: float
    """The last sign of life, in seconds since 1970."""
    closed: bool
    """Whether it was closed in good order."""


class Ring:
    """Writes blocks into `buffer`, `PAGE` and two halves of `size` bytes each, all zeros.

    `buffer` may be an mmap of a file.  Closing it afterwards needs `release` before.
    """

    def __init__(self, buffer: Any, size: int) -> None:
        self.size = size
        self._buffer = buffer
        self._words = memoryview(buffer)[:PAGE].cast("Q")
        self._segment = 0
        self._start = self._at = self._end = self._base = 0
        self._sum = 0
        header = _HEADER.pack(MAGIC, VERSION, 0, size)
        buffer[: len(header)] = _HEADER.pack(MAGIC, VERSION, adler32(header), size)

    @property
    def room(self) -> int:
        """Bytes of the largest body that still goes into this segment."""
        return self._end - self._at - FRAME

    @property
    def used(self) -> int:
        """Bytes of this segment."""
        return self._at - self._start

    def begin(self) -> int:
        """Begin a segment in place of the last but one; `commit` makes it the newest.

        Returns its number.
        """
        self._segment += 1
        self._start = self._at = PAGE + self._segment % 2 * self.size
        self._end = self._start + self.size
        self._base = self._segment * self.size - self._start
        self._sum = 0
        return self._segment

    def add(self, body: bytes) -> None:
        """Write a block, for which there must be `room`; `commit` makes it count."""
        total = self._sum = adler32(body, self._sum)
        at = self._at
        start = at + FRAME
        end = self._at = start + len(body)
        _pack_frame(self._buffer, at, len(body), total)
        self._buffer[start:end] = body

    def extend(self, bodies: Sequence[bytes]) -> None:
        """`add` each of many, for all of which there must be room."""
        pieces: list[bytes] = []
        total = self._sum
        for body in bodies:
            total = adler32(body, total)
            pieces += _FRAME.pack(len(body), total), body
        data, self._sum = b"".join(pieces), total
        self._buffer[self._at : self._at + len(data)] = data
        self._at += len(data)

    def commit(self) -> None:
        """All that was added counts from now on."""
        self._words[HEAD] = self._base + self._at

    def put(self, body: bytes) -> bool:
        """`add` and `commit` in one, for the path of every turn; False: there is no room."""
        at = self._at
        start = at + FRAME
        end = start + len(body)
        if end > self._end:
            return False
        total = self._sum = adler32(body, self._sum)
        _pack_frame(self._buffer, at, end - start, total)
        self._buffer[start:end] = body
        self._at = end
        self._words[HEAD] = self._base + end
        return True

    def sign(self, milliseconds: int) -> None:
        """Note that its process lives."""
        self._words[ALIVE] = milliseconds

    def spoil(self) -> None:
        """Have nothing of it believed."""
        self._words[HEAD] = 2**64 - 1

    def release(self) -> None:
        """Let go of the buffer."""
        self._words.release()


def read(data: bytes, *, namespace: str, boot: str, file: int) -> Contents:
    """What the memory `data` holds.  Raises `UnusableError`.

    `namespace`, `boot` and `file` are as they should be now.
    """
    size = _read_header(data)
    words = memoryview(data)[:PAGE].cast("Q")
    halves = [_read_half(data, at, at + size) for at in (PAGE, PAGE + size)]
    found = sorted(filter(None, halves), key=lambda each: each.names.segment)
    if not found:
        raise UnusableError("it is damaged")
    newest, names = found[-1], found[-1].names
    if words[HEAD] > names.segment * size + newest.used:
        raise UnusableError("it is damaged, or was cut off")
    if names.namespace != namespace or names.file != file:
        raise UnusableError("it is a copy, or of another namespace")
    closed = newest.blocks[-1][0] == CLOSED
    if not closed and (not boot or names.boot != boot):
        raise UnusableError("the machine was started anew meanwhile")
    before = found[0] if len(found) > 1 else None
    if before is not None and before.names.segment != names.segment - 1:
        before = None
    return Contents(newest, before, words[ALIVE] / 1000, closed)


def _read_header(data: bytes) -> int:
    """The size of a half."""
    if len(data) < PAGE:
        raise UnusableError("it was cut off")
    magic, version, told, size = _HEADER.unpack_from(data)
    if magic != MAGIC:
        raise UnusableError("it is something else")
    if version != VERSION:
        raise UnusableError(f"it is of version {version}, and this is {VERSION}")
    if told != adler32(_HEADER.pack(magic, version, 0, size)):
        raise UnusableError("it is damaged")
    if len(data) != PAGE + 2 * size:
        raise UnusableError("it was cut off")
    return int(size)


def _read_half(data: bytes, start: int, end: int) -> Segment | None:
    """The segment between `start` and `end`; None: there is no whole checkpoint."""
    blocks, used = _blocks(data, start, end)
    if not blocks or blocks[0][0] != NAMES or bytes((READY,)) not in blocks:
        return None
    return Segment(Names(*orjson.loads(blocks[0][1:])), blocks[1:], used)


def _blocks(data: bytes, start: int, end: int) -> tuple[list[bytes], int]:
    """The bodies of a segment's blocks, up to the first that is not as it was written.

    And the bytes that they take.  There may be tens of thousands.
    """
    found, total, at, unpack = [], 0, start, _FRAME.unpack_from
    while at + FRAME < end:
        length, told = unpack(data, at)
        after = at + FRAME + length
        body = data[at + FRAME : after]
        total = adler32(body, total)
        if not length or after > end or told != total:
            break
        found.append(body)
        at = after
    return found, at - start


def names_block(names: Names) -> bytes:
    """The body of a segment's first block."""
    return bytes((NAMES,)) + orjson.dumps(tuple(names))
