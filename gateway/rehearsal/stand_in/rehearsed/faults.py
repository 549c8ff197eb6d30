"""Faults of the script, and what is noted of a rehearsal over all starts of the worker.

Each fault happens once.  It is noted before: the worker that is started after it goes on behind it.
"""

from __future__ import annotations

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
    """A file of lines; `name` is that of the rehearsal, and notes of others do not count."""

    def __init__(self, path: str, name: str) -> None:
        self._path = path
        self._name = name

    def __contains__(self, text: str) -> bool:
        return text in self.read()

    def read(self) -> list[str]:
        """What was noted, in order."""
        try:
            with open(self._path, encoding="utf-8") as file:  # noqa: PTH123
                lines = file.read().splitlines()
        except FileNotFoundError:
            return []
        before = f"{self._name} "
        return [line[len(before) :] for line in lines if line.startswith(before)]

    def add(self, text: str) -> None:
        """Note a line; those of other rehearsals are dropped."""
        folder = os.path.dirname(self._path)  # noqa: PTH120
        os.makedirs(folder, mode=0o700, exist_ok=True)  # noqa: PTH103
        known = [*self.read(), text]
        flags = os.O_WRONLY | os.O_TRUNC | os.O_CREAT | os.O_CLOEXEC
        with os.fdopen(os.open(self._path, flags, 0o600), "w", encoding="utf-8") as file:
            file.writelines(f"{self._name} {line}\n" for line in known)
