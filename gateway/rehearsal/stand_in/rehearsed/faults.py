"""Faults of the script, and what is noted of a rehearsal over all starts of the worker.

Each fault happens once.  It is noted before: the worker that is started after it goes on behind it.
"""

from __future__ import annotations

import fcntl
import os
from typing import NamedTuple


class Fault(NamedTuple):
    """What goes wrong, and when, in the recording's time."""

    at: float
    kind: str
    number: float
    """The status code of `login`; seconds of `hang` and `silence`."""
    text: str
    """As the script has it."""


class Notes:
    """A file of lines; `name` is that of the rehearsal, and notes of others do not count.

    Several sessions of one worker may read and write it at once.
    """

    def __init__(self, path: str, name: str) -> None:
        self._path = path
        self._name = name

    def read(self) -> list[str]:
        """What was noted, in order."""
        try:
            with open(self._path, "rb") as file:  # noqa: PTH123
                fcntl.flock(file, fcntl.LOCK_SH)
                return self._own(file.read())
        except FileNotFoundError:
            return []

    def add(self, text: str) -> bool:
        """Note a line; False: it was noted before.  Those of other rehearsals are dropped."""
        folder = os.path.dirname(self._path)  # noqa: PTH120
        os.makedirs(folder, mode=0o700, exist_ok=True)  # noqa: PTH103
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            known = self._own(os.pread(file, os.fstat(file).st_size, 0))
            if text in known:
                return False
            lines = "".join(f"{self._name} {line}\n" for line in (*known, text)).encode()
            os.pwrite(file, lines, 0)  # at no time is it empty
            os.ftruncate(file, len(lines))
            return True
        finally:
            os.close(file)

    def _own(self, content: bytes) -> list[str]:
        before = f"{self._name} "
        lines = content.decode(errors="replace").splitlines()
        return [line[len(before) :] for line in lines if line.startswith(before)]
