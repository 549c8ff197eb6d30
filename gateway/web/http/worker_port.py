"""The worker's port where it cannot be the usual one: it stays the same over restarts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.logger import Logger

if TYPE_CHECKING:
    from pathlib import Path

HIGHEST = 65535

_log = Logger(namespace="gateway")


class KeptPort:
    """The number of a port, kept in the file `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> int:
        """The number in the file; 0: there is no valid one."""
        try:
            text = self._path.read_bytes()[:8].strip()
        except OSError:
            return 0
        number = int(text) if text.isdigit() else 0
        return number if number <= HIGHEST else 0

    def keep(self, number: int) -> None:
        """Write `number`; a failure is only logged."""
        if self.read() == number:
            return
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path.write_text(f"{number}\n", encoding="ascii")
        except OSError as error:
            _log.warn(
                "{path} can't be written ({why}): the worker gets another port at each start",
                path=self._path,
                why=error.strerror,
            )
