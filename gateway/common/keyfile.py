"""A secret that outlives the process: random bytes in a file of the state folder."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from secrets import token_bytes, token_hex
from typing import TYPE_CHECKING

from twisted.logger import Logger

if TYPE_CHECKING:
    from pathlib import Path

_log = Logger(namespace="gateway")

SIZE = 32
"""Bytes."""


class KeyFile:
    """A call returns the bytes in `path`; the file is made when there is none.

    Gateways that share the folder share the key.  Only the owner may read it.  A file that
    others can read or write, or that is damaged, is replaced.  If no file can be kept, the key
    lasts as long as the process, and a warning is logged once.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._key: bytes | None = None

    def __call__(self) -> bytes:
        if self._key is None:
            try:
                self._key = self._read() or self._make()
            except OSError as error:
                _log.warn(
                    "{path} can't be kept ({why}): clients that are cut off while the gateway"
                    " restarts can't go on where they were",
                    path=self._path,
                    why=error.strerror,
                )
                self._key = token_bytes(SIZE)
        return self._key

    def _read(self) -> bytes | None:
        with suppress(FileNotFoundError):
            # Somebody may have put a pipe there, which would be waited for.
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            file = os.open(self._path, flags)
            with os.fdopen(file, "rb") as stream:
                found = os.fstat(file)
                private = stat.S_IMODE(found.st_mode) & 0o077 == 0 and found.st_uid == os.geteuid()
                if private and stat.S_ISREG(found.st_mode) and found.st_size == SIZE:
                    return stream.read()
            self._path.unlink()
        return None

    def _make(self) -> bytes:
        """Write a key whole; what another gateway wrote meanwhile counts."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self._path.with_name(f"{self._path.name}.{token_hex(8)}")
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(file, "wb") as stream:
                stream.write(token_bytes(SIZE))
            with suppress(FileExistsError):
                os.link(draft, self._path)
        finally:
            draft.unlink()
        return self._path.read_bytes()
