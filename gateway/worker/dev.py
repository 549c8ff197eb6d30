"""Development: has main.py, or a Python file beside it, changed?"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

Stamps = dict[str, tuple[int, int]]


class Watch:
    """Looks at the Python files in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
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
        for path in self._folder.glob("*.py"):
            try:
                status = path.stat()
            except OSError:
                continue  # gone meanwhile
            stamps[path.name] = status.st_mtime_ns, status.st_size
        return stamps
