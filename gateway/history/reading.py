"""Reads recordings, also one that is being written or whose end was cut off."""

from __future__ import annotations

import os
import stat
from errno import EINVAL
from typing import TYPE_CHECKING, BinaryIO

from gateway.history import recorded_lines
from gateway.history.zstd_file import pieces

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from gateway.history.recorded_lines import Line

MAX_LINE = 256 << 20
"""Most bytes of a line: beyond that the file is no recording."""


def open_file(path: Path) -> BinaryIO:
    """Open a recording to be read.  Raises OSError, also for a pipe, which would be waited for."""
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(EINVAL, "it is no file", str(path))
    return os.fdopen(file, "rb")


def raw_blocks(path: Path) -> Iterator[bytes]:
    """The lines of a recording, as many as are whole, in blocks of lines with their line ends.

    Raises OSError, and ValueError where the file is damaged, after the lines before that place.
    """
    with open_file(path) as stream:
        yield from blocks(pieces(stream))


def raw_lines(path: Path) -> Iterator[bytes]:
    """The lines without their line ends.  Raises as above."""
    for block in raw_blocks(path):
        yield from block[:-1].split(b"\n")


def blocks(parts: Iterable[bytes]) -> Iterator[bytes]:
    """What `parts` are together, in blocks of whole lines; what has no line end is left out.

    Raises ValueError where a line is longer than `MAX_LINE`.
    """
    begun: list[bytes] = []
    size = 0
    for part in parts:
        end = part.rfind(b"\n") + 1
        if end:
            yield b"".join((*begun, part[:end]))
            begun, size = [], 0
        begun.append(part[end:])
        size += len(part) - end
        if size > MAX_LINE:
            raise ValueError("a line has no end")


def read(path: Path) -> Iterator[Line]:
    """What the lines of a recording say, in order.  Raises OSError, or ValueError as above."""
    return map(recorded_lines.parse, raw_lines(path))
