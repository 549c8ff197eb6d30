"""A log file that only its owner reads, rotated by size, whatever others do to it."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class LogFile:
    """Appends to `path`.  Raises OSError where it can't be opened.

    Others may rename or delete the file (logrotate): the next line goes to a new one.  They
    may truncate it: lines are appended to what there is (O_APPEND).  `size` is the one, in
    bytes, past which it is rotated (0: never): the newest old one is `path`.1, and `keep` are
    kept.
    """

    def __init__(self, path: Path, size: int = 0, keep: int = 5) -> None:
        self._path = path.absolute()
        self._size = size
        self._keep = keep
        self._descriptor = self._open()

    def write(self, data: bytes) -> None:
        """Append all of `data`, or nothing.  Raises OSError."""
        length = self._length()
        if length is None:
            length = self._renew()
        if self._size and length and length + len(data) > self._size:
            self._rotate()
        left = data
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError:
            self._take_back(len(data) - len(left))
            raise

    def reload(self) -> None:
        """Open the file anew; where that can't be done, what was open stays."""
        self._renew()

    def _open(self) -> int:
        """Never wait for it: somebody may have put a pipe there."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
        return os.open(self._path, flags, 0o600)

    def _length(self) -> int | None:
        """The bytes in the file; None when it is not the one at `path`."""
        ours = os.fstat(self._descriptor)
        try:
            there = self._path.stat()
        except OSError:
            return None
        return ours.st_size if os.path.samestat(ours, there) else None

    def _renew(self) -> int:
        """Open what is at `path` now, if anything can be opened there; its length."""
        with suppress(OSError):
            descriptor = self._open()
            os.close(self._descriptor)
            self._descriptor = descriptor
        return os.fstat(self._descriptor).st_size

    def _take_back(self, count: int) -> None:
        """Cut off the last `count` bytes: the next line must not go on where a half one ends.

        Only while they are the last ones: others may append, too.
        """
        with suppress(OSError):
            end = os.lseek(self._descriptor, 0, os.SEEK_CUR)  # where our last write ended
            if count and os.fstat(self._descriptor).st_size == end:
                os.ftruncate(self._descriptor, end - count)

    def _rotate(self) -> None:
        """Where the files can't be renamed the present one goes on."""
        with suppress(OSError):
            for number in range(self._keep, 1, -1):
                with suppress(FileNotFoundError):
                    self._old(number - 1).replace(self._old(number))
            self._path.replace(self._old(1))
            self._renew()

    def _old(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")
