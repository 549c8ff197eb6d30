"""A port for the worker, kept over restarts, where it can't have the usual one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.logger import Logger

if TYPE_CHECKING:
    from pathlib import Path

HIGHEST = 65535

_log = Logger(namespace="gateway")


class KeptPort:
    """The number of a port in the file `path`; whatever else is there counts as none."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> int:
        """The number that was kept; 0: none."""
        try:
            text = self._path.read_bytes()[:8].strip()
        except OSError:
            return 0
        number = int(text) if text.isdigit() else 0
        return number if number <= HIGHEST else 0

    def keep(self, number: int) -> None:
        """Write `number`; where no file can be kept, the log says so."""
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
