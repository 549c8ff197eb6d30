"""Development: has main.py, or a Python file beside it, changed?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.worker.errors import LaunchError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Stamps = dict[str, tuple[int, int]]


class Watch:
    """Looks at the Python files beside `main()`, which may raise LaunchError: no files."""

    def __init__(self, main: Callable[[], Path]) -> None:
        self._main = main
        self._known = self._seen = self._stamps()

    def changed(self) -> bool:
        """Whether files changed since it was last true, and now rest.

        To be called about once a second: an editor writes a file in several steps.
        """
        before, self._seen = self._seen, self._stamps()
        if self._seen == self._known or self._seen != before:
            return False
        self._known = self._seen
        return True

    def _stamps(self) -> Stamps:
        stamps: Stamps = {}
        try:
            files = self._main().parent.glob("*.py")
        except (LaunchError, OSError):
            return stamps
        for path in files:
            try:
                status = path.stat()
            except OSError:
                continue  # gone meanwhile
            stamps[path.name] = status.st_mtime_ns, status.st_size
        return stamps
