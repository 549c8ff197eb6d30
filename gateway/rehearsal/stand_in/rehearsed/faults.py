"""Faults of the script, and which logins were refused.

A refusal is noted in a file before it happens: the worker that is started after it finds the note,
and gets in.
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
    """Which refusals happened, over all starts of the worker in one rehearsal (`name`)."""

    def __init__(self, path: str, name: str) -> None:
        self._path = path
        self._name = name

    def __contains__(self, fault: Fault) -> bool:
        return self._line(fault) in self._read()

    def add(self, fault: Fault) -> None:
        """Note that one happens; notes of other rehearsals are dropped."""
        known = [line for line in self._read() if line.startswith(self._name)]
        flags = os.O_WRONLY | os.O_TRUNC | os.O_CREAT | os.O_CLOEXEC
        with os.fdopen(os.open(self._path, flags, 0o600), "w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in (*known, self._line(fault)))

    def _read(self) -> list[str]:
        try:
            with open(self._path, encoding="utf-8") as file:  # noqa: PTH123
                return file.read().splitlines()
        except FileNotFoundError:
            return []

    def _line(self, fault: Fault) -> str:
        return f"{self._name} {fault.text}"
