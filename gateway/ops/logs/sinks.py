"""What log lines are written to: files that are rotated, the system's log; counts lost lines."""

from __future__ import annotations

import os
import socket
import stat
import time
from contextlib import suppress
from threading import RLock
from typing import TYPE_CHECKING, Final, Protocol

from gateway.ops.logs.stream import LogStream, is_stream

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gateway.options import Settings


class LogFile:
    """Appends to `path`.  Raises OSError where it can't be opened.

    Only its owner can read it.  Others may rename or delete it (logrotate): the next line goes to
    a new file.  They may truncate it: lines are appended (O_APPEND).  When it is larger than `size`
    bytes it is renamed to `path`.1 (0: never), and `keep` of the renamed files are kept.
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
        """Open the file again; where that fails the open one stays in use."""
        self._renew()

    def _open(self) -> int:
        """Without waiting: somebody may have put a pipe there."""
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
        """Rename the files; where that fails the present one stays in use."""
        with suppress(OSError):
            for number in range(self._keep, 1, -1):
                with suppress(FileNotFoundError):
                    self._old(number - 1).replace(self._old(number))
            self._path.replace(self._old(1))
            self._renew()

    def _old(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


# -- Where lines go.  No error there (a full disk, a closed pipe) stops the gateway.


class File(Protocol):
    """What a line is written to."""

    def write(self, data: bytes) -> object:
        """Write all of `data`.  Raises OSError or ValueError."""
        ...


class Descriptor:
    """Writes to a file descriptor, unbuffered: a line that failed is not written later."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._descriptor, data) :]


def log_file(path: Path, settings: Settings, stream: Callable[[int], File] | None = None) -> File:
    """A file that only its owner reads, rotated by size.  Raises OSError.

    `path` may be a terminal or a pipe, too, such as /dev/stdout; `stream` as for `descriptor_file`.
    """
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(path.stat().st_mode):
            return descriptor_file(os.open(path, os.O_WRONLY | os.O_NOCTTY), stream)
    return LogFile(path, settings.log_size, settings.log_keep)


def descriptor_file(descriptor: int, stream: Callable[[int], File] | None = None) -> File:
    """A file that is open already; `stream` makes one that never waits of what may have no room."""
    if stream is not None and is_stream(descriptor):
        return stream(descriptor)
    return Descriptor(descriptor)


def _note(lost: int) -> str:
    return f"[Gateway] {lost} log lines could not be written\n"


class LogOutput:
    """Writes lines to a file that may fail: lost lines are counted, and logged when it works again.

    `note(lost)` makes the line that says how many.
    """

    def __init__(self, file: File, note: Callable[[int], str] = _note) -> None:
        self._file = file
        self._note = note
        self._lost = 0
        self._lock = RLock()  # threads log, too
        if isinstance(file, LogStream):
            file.room, file.lost = self._say, self._lose

    def write(self, line: str) -> None:
        """Write `line`, or count it as lost."""
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
        """Write what waits, since the gateway ends; a reader has 3 s to take it."""
        if isinstance(self._file, LogStream):
            self._file.finish()

    def _say(self) -> None:
        """Log how many lines were lost, if any."""
        with self._lock:
            if self._lost:
                with suppress(OSError, ValueError):
                    self._file.write(self._note(self._lost).encode())
                    self._lost = 0

    def _lose(self, lines: int) -> None:
        with self._lock:
            self._lost += lines


# -- The system's log, which may be slow, restarted, or missing.

SOCKET: Final = "/dev/log"
PRIORITY: Final = 1 << 3 | 6
"""Facility user, severity info (RFC 3164)."""


class Syslog:
    """Sends each line as a datagram to `path`, under the name `prefix`.

    It never waits: the C library's syslog() would wait for a daemon that hangs.
    """

    def __init__(self, prefix: str, path: str = SOCKET) -> None:
        self._prefix = prefix
        self._path = path
        self._socket: socket.socket | None = None

    def write(self, data: bytes) -> None:
        """Send all lines of `data`.  Raises OSError when not all of them were sent."""
        for line in data.decode().splitlines():
            now = time.strftime("%b %e %H:%M:%S")
            text = f"<{PRIORITY}>{now} {self._prefix}[{os.getpid()}]: {line}"
            self._send(text.encode())

    def _send(self, message: bytes) -> None:
        if self._socket is not None:
            try:
                self._socket.send(message)
            except BlockingIOError:
                raise
            except OSError:  # it was restarted
                self._close()
            else:
                return
        self._open().send(message)

    def _open(self) -> socket.socket:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        made.setblocking(False)
        try:
            made.connect(self._path)
        except OSError:
            made.close()
            raise
        self._socket = made
        return made

    def _close(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                self._socket.close()
            self._socket = None
