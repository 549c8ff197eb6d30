"""Where lines go.  Nothing that happens there (a full disk, a closed pipe) stops us."""

from __future__ import annotations

import os
import syslog
from typing import TYPE_CHECKING, Protocol

from twisted.python.logfile import LogFile

if TYPE_CHECKING:
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


class Syslog:
    """The system's log; it puts its own time before each line."""

    def __init__(self, prefix: str) -> None:
        syslog.openlog(prefix, syslog.LOG_PID)

    def write(self, data: bytes) -> None:
        for line in data.decode().splitlines():
            syslog.syslog(line)


def log_file(path: Path, settings: Settings) -> File:
    """A file that only its owner reads, rotated by size.  Raises OSError."""
    rotating: File = LogFile.fromFullPath(
        str(path),
        rotateLength=settings.log_size or None,
        maxRotatedFiles=settings.log_keep,
        defaultMode=0o600,
    )
    return rotating


class Output:
    """A file that may fail: what it could not take is counted, and said when it can."""

    def __init__(self, file: File) -> None:
        self._file = file
        self._lost = 0

    def write(self, line: str) -> None:
        """Write `line`, or count it."""
        note = f"[Gateway] {self._lost} log lines could not be written\n" if self._lost else ""
        try:
            self._file.write((note + line).encode())
        except (OSError, ValueError):
            self._lost += 1
        else:
            self._lost = 0
