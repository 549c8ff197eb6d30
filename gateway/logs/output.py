"""Where lines go.  Nothing that happens there (a full disk, a closed pipe) stops us."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from threading import RLock
from typing import TYPE_CHECKING, Any, Protocol

from gateway.logs.file import LogFile
from gateway.logs.stream import Stream, is_stream

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gateway.config import Settings


class File(Protocol):
    """What a line is written to."""

    def write(self, data: bytes) -> object:
        """Take all of `data`; OSError or ValueError: it could not."""
        ...


class Descriptor:
    """Unbuffered, so that a line that was refused does not come back later."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._descriptor, data) :]


def log_file(path: Path, settings: Settings, reactor: Any = None) -> File:
    """A file that only its owner reads, rotated by size.  Raises OSError.

    `path` may be a terminal or a pipe, too, such as /dev/stdout.
    """
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(path.stat().st_mode):
            return descriptor_file(os.open(path, os.O_WRONLY | os.O_NOCTTY), reactor)
    return LogFile(path, settings.log_size, settings.log_keep)


def descriptor_file(descriptor: int, reactor: Any = None) -> File:
    """What is open already; `reactor` tells when there is room again."""
    if reactor is not None and is_stream(descriptor):
        return Stream(descriptor, reactor)
    return Descriptor(descriptor)


def _note(lost: int) -> str:
    return f"[Gateway] {lost} log lines could not be written\n"


class Output:
    """A file that may fail: what it could not take is counted, and said when it can.

    `note(lost)` makes the line that says so.
    """

    def __init__(self, file: File, note: Callable[[int], str] = _note) -> None:
        self._file = file
        self._note = note
        self._lost = 0
        self._lock = RLock()  # threads log, too
        if isinstance(file, Stream):
            file.room, file.lost = self._say, self._lose

    def write(self, line: str) -> None:
        """Write `line`, or count it."""
        with self._lock:
            try:
                self._say()
                self._file.write(line.encode())
            except (OSError, ValueError):
                self._lose(1)

    def reload(self) -> None:
        """Open the log file anew, if there is one."""
        if isinstance(self._file, LogFile):
            with self._lock:
                self._file.reload()

    def finish(self) -> None:
        """The gateway ends: what waits is written, if somebody reads it soon."""
        if isinstance(self._file, Stream):
            self._file.finish()

    def _say(self) -> None:
        """Say what was lost, if anything."""
        with self._lock:
            if self._lost:
                with suppress(OSError, ValueError):
                    self._file.write(self._note(self._lost).encode())
                    self._lost = 0

    def _lose(self, lines: int) -> None:
        with self._lock:
            self._lost += lines
