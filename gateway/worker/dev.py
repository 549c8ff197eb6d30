"""Development: have the worker's own files changed, and do they compile?"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from gateway.worker.errors import LaunchError
from gateway.worker.sources import fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

Stamps = dict["Path", tuple[int, int]]


class Watch:
    """Looks at the Python files beside `main()`, and at those that it leads to (`sources()`).

    Both may raise LaunchError: there are none.
    """

    def __init__(
        self, main: Callable[[], Path], sources: Callable[[], Iterable[Path]] = tuple
    ) -> None:
        self._main = main
        self._sources = sources
        self._led_to: frozenset[Path] = frozenset()
        self._followed: Stamps | None = None
        self._known = self._seen = self._stamps()
        self._pending: set[Path] = set()

    def changed(self) -> list[Path]:
        """The files that changed since it last named some, once they rest.

        To be called about once a second: an editor writes a file in several steps.
        """
        before, self._seen = self._seen, self._stamps()
        if self._seen == self._known or self._seen != before:
            return []
        known, self._known = self._known, self._seen
        changed = sorted({path for path, _ in known.items() ^ self._seen.items()})
        self._pending.update(changed)
        return changed

    def fault(self) -> str:
        """What does not compile of all that changed since this was ""; the worker runs what
        was there before."""
        for path in sorted(self._pending):
            if wrong := fault(path):
                return wrong
        self._pending.clear()
        return ""

    def _stamps(self) -> Stamps:
        """As they are now; where main.py leads to is found out again when one of them changed."""
        try:
            stamps = self._look()
            if stamps != self._followed:
                self._led_to = frozenset(self._sources())
                stamps = self._followed = self._look()
        except LaunchError:
            return {}
        return stamps

    def _look(self) -> Stamps:
        stamps: Stamps = {}
        for path in {*self._main().parent.glob("*.py"), *self._led_to}:
            with suppress(OSError):  # gone meanwhile
                status = path.stat()
                stamps[path] = status.st_mtime_ns, status.st_size
        return stamps
