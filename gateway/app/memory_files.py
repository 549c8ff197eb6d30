"""The files in which the memories of the namespaces are: found, read, locked and made.

They are `memory-PORT.ring` in the state folder, one for each namespace, of which only the owner may
read anything.  A file is made whole beside its place, and then put there: so what a start finds
was written by one process alone.  It is filled with zeros before it is mapped, since a write to a
mapped page that the disk has no room for ends the process.  Room that is only allocated
(`posix_fallocate`) is not enough: the first write to each of its pages waits for the file system's
journal, up to 5 ms.

`memory-PORT.lock` is locked while a gateway uses them: another one of the same port does without.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from gateway.relay.ring import PAGE, Ring, UnusableError

if TYPE_CHECKING:
    from pathlib import Path

LARGEST: Final = 4 << 30
"""Bytes of a file that is read."""
ZEROS: Final = 1 << 20
"""Bytes that are written at once."""


class MemoryFiles:
    """The files of the gateway at `port` in `folder`; the `Place` of its memories.

    `boot` names the start of the machine; where it is empty, a file that was not closed is not
    believed.
    Methods raise OSError.
    """

    def __init__(self, folder: Path, port: int, boot: str) -> None:
        self._folder = folder
        self._stem = f"memory-{port}"
        self._lock: int | None = None
        self._maps: dict[str, tuple[mmap.mmap, int]] = {}
        self._draft: tuple[mmap.mmap, int] | None = None
        self.boot = boot

    def lock(self) -> bool:
        """Whether the files are ours from now on; the lock may have been removed meanwhile."""
        path = self._folder / f"{self._stem}.lock"
        if self._lock is not None:
            with suppress(FileNotFoundError):
                if os.path.samestat(path.lstat(), os.fstat(self._lock)):
                    return True
            os.close(self._lock)
            self._lock = None
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        lock = os.open(path, flags, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BaseException as error:
            os.close(lock)
            if isinstance(error, BlockingIOError):
                return False
            raise
        self._lock = lock
        return True

    def read(self, namespace: str) -> tuple[bytes, int]:
        """What is in the file of `namespace`, and the file's number.

        Raises UnusableError for a file that is not to be believed, FileNotFoundError for none.
        """
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        file = os.open(self._path(namespace), flags)
        with os.fdopen(file, "rb") as stream:
            found = os.fstat(file)
            if not stat.S_ISREG(found.st_mode):
                raise UnusableError("it is no file")
            if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
                raise UnusableError("others can read or write it, or own it")
            if found.st_size > LARGEST:
                raise UnusableError("it is too large")
            return stream.read(), found.st_ino

    def make(self, namespace: str, size: int) -> tuple[Ring, str, int]:
        """A ring with halves of `size` bytes, this boot, and the number of its file."""
        draft = self._draft_path(namespace)
        draft.unlink(missing_ok=True)
        length = PAGE + 2 * size
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.open(draft, flags, 0o600)
        try:
            _fill(file, length)
            self._draft = mmap.mmap(file, length), os.fstat(file).st_ino
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        finally:
            os.close(file)
        return Ring(self._draft[0], size), self.boot, self._draft[1]

    def publish(self, namespace: str) -> None:
        """Put the ring that was made last in its place."""
        assert self._draft is not None
        self._draft_path(namespace).replace(self._path(namespace))
        self._maps[namespace], self._draft = self._draft, None

    def discard(self, namespace: str) -> None:
        """Remove the file of `namespace`, if there is one, since it will not be true any more."""
        self._path(namespace).unlink(missing_ok=True)

    def is_there(self, namespace: str) -> bool:
        """Whether the file of `namespace` is the one that is written to."""
        made = self._maps.get(namespace)
        with suppress(OSError):
            return made is not None and self._path(namespace).lstat().st_ino == made[1]
        return False

    def sync(self) -> None:
        """Have everything on the disk."""
        for made, _ in self._maps.values():
            made.flush()

    def close(self) -> None:
        """Let others have the files."""
        self._maps.clear()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _path(self, namespace: str) -> Path:
        name = self._stem
        if namespace != "/":
            name += "-" + hashlib.sha256(namespace.encode()).hexdigest()[:16]
        return self._folder / f"{name}.ring"

    def _draft_path(self, namespace: str) -> Path:
        return self._path(namespace).with_suffix(".draft")


def _fill(file: int, length: int) -> None:
    """Write `length` zeros to `file`, which is empty."""
    zeros = memoryview(bytes(ZEROS))
    while length:
        length -= os.write(file, zeros[:length])
