"""Files of zstd frames: written one whole frame after the other, read up to a cut end.

Each frame has a checksum.  Any zstd reader takes a file of many frames (RFC 8878, section 3).
"""

from __future__ import annotations

import fcntl
import os
import stat
import sys
from contextlib import suppress
from errno import EINVAL
from typing import TYPE_CHECKING, BinaryIO, Final

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAGIC: Final = b"\x28\xb5\x2f\xfd"
"""The first bytes of a frame; no text in UTF-8 holds them."""
LEVEL: Final = 3
CHUNK: Final = 1 << 18
PIECE: Final = 1 << 20
"""Most bytes that are decompressed at a time: a small file may hold very many."""
WINDOW: Final = 4 << 20
"""Bytes at the end of a file in which its last frame is looked for first."""
_OPTIONS: Final[dict[int, int]] = {
    zstd.CompressionParameter.compression_level: LEVEL,
    zstd.CompressionParameter.checksum_flag: 1,
}


def compress(data: bytes) -> bytes:
    """One frame that holds `data`.  It lets go of the interpreter meanwhile."""
    return zstd.compress(data, options=_OPTIONS)


def pieces(stream: BinaryIO) -> Iterator[bytes]:
    """What `stream` holds, decompressed, in pieces; a cut end is left out.

    Raises ValueError for what is no zstd, and where a frame is damaged.
    """
    decompressor = zstd.ZstdDecompressor()
    while chunk := stream.read(CHUNK):
        while chunk or not decompressor.needs_input:
            try:
                found = decompressor.decompress(chunk, PIECE)
            except zstd.ZstdError as error:
                raise ValueError(
                    f"the file is damaged before byte {stream.tell()}: {error}"
                ) from None
            if found:
                yield found
            chunk = decompressor.unused_data if decompressor.eof else b""
            if decompressor.eof:
                decompressor = zstd.ZstdDecompressor()


def whole_end(file: int) -> int:
    """Where the last whole frame of the file with this descriptor ends; 0: it has none."""
    size = os.fstat(file).st_size
    window = WINDOW
    while True:
        start = max(0, size - window)
        data = os.pread(file, size - start, start)
        at = data.rfind(MAGIC)
        while at >= 0:
            length = _whole(data, at)
            if length:
                return start + at + length
            at = data.rfind(MAGIC, 0, at + len(MAGIC) - 1)
        if start == 0:
            return 0
        window *= 4


def _whole(data: bytes, at: int) -> int:
    """The bytes of the whole frame that begins at `at`; 0: there is none."""
    view = memoryview(data)[at:]
    try:
        length = zstd.get_frame_size(view)
        decompressor, rest = zstd.ZstdDecompressor(), view[:length]
        while not decompressor.eof:  # at the end it looks at the checksum
            decompressor.decompress(rest, PIECE)
            rest = rest[:0]
    except zstd.ZstdError:
        return 0
    return length


class FrameFile:
    """A file of frames, open for more, which no other process writes meanwhile.

    The constructor makes the file, readable for its owner alone, or goes on behind the last whole
    frame of the one that is there.  It raises OSError; BlockingIOError where another process has
    it; `ForeignFileError` where it holds something else than frames.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = _open(path)
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.end = whole_end(self.file)
            """Bytes of whole frames."""
            size = os.fstat(self.file).st_size
            if size and not self.end and os.pread(self.file, 4, 0) != MAGIC[: min(size, 4)]:
                raise ForeignFileError(f"{path} is no recording")
        except BaseException:
            os.close(self.file)
            raise

    def first(self) -> bytes:
        """The first 64 KiB or less of what the file holds."""
        with os.fdopen(os.dup(self.file), "rb") as stream:
            stream.seek(0)
            return next(pieces(stream), b"")[: 1 << 16]

    def write(self, frame: bytes) -> None:
        """Append a whole frame, and wait until it is on the disk.

        Raises OSError; then the file is as before, and it can be tried again.
        """
        try:
            if os.fstat(self.file).st_size != self.end:
                os.ftruncate(self.file, self.end)
            at, rest = self.end, memoryview(frame)
            while rest:
                written = os.pwrite(self.file, rest, at)
                at, rest = at + written, rest[written:]
            os.fdatasync(self.file)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self.file, self.end)
            raise
        self.end = at

    @property
    def is_in_place(self) -> bool:
        """Whether the file is still the one with its name, and none of our frames was cut off."""
        try:
            ours, named = os.fstat(self.file), os.stat(self.path)  # noqa: PTH116
        except OSError:
            return False
        return os.path.samestat(ours, named) and named.st_size >= self.end

    def close(self) -> None:
        """Let go of the file."""
        os.close(self.file)


class ForeignFileError(Exception):
    """The file holds something else, which is left alone."""


def _open(path: Path) -> int:
    """Open or make a file.  Raises OSError, also for what is no file, such as a pipe."""
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        file = os.open(path, flags)
    except FileNotFoundError:
        file = os.open(path, flags | os.O_CREAT, 0o600)
        _sync(path.parent)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(EINVAL, "it is no file", str(path))
    return file


def _sync(folder: Path) -> None:
    """Keep the name of a new file over a power cut, where the file system can do that."""
    with suppress(OSError):
        file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(file)
        finally:
            os.close(file)
