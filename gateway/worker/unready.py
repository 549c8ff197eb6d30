"""Tells people that a worker does not become ready: its login may hang in native code."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.worker.run import Run

UNREADY, READY = "unready", "ready"
"""What browsers are told, as the status of the gateway's own `python_status`."""


class ReadyWatch:
    """Looks at a run about once a second, and tells once a start.

    A worker has `within` seconds (0: any time).  Nobody is told when it `may_wait`: without
    credentials, or while no session is open, it can't become ready, or need not.
    `tell(status)` gets `UNREADY`, and `READY` when a worker is ready after that.
    """

    def __init__(
        self, within: float, may_wait: Callable[[Run], bool], tell: Callable[[str], object]
    ) -> None:
        self._within = within
        self._may_wait = may_wait
        self._tell = tell
        self._told_of: int | None = None
        self._is_known = False

    def overdue(self, run: Run | None) -> bool:
        """Whether people were told of `run`, and it is still not ready."""
        return run is not None and run.generation == self._told_of and not run.vitals.was_ready

    def look(self, run: Run) -> None:
        """Tell what is to be told of `run`, whose process lives."""
        if run.vitals.was_ready:
            if self._is_known:
                self._is_known = False
                self._tell(READY)
        elif self._is_late(run) and not self._may_wait(run):
            self._told_of = run.generation
            self._is_known = True
            self._tell(UNREADY)

    def _is_late(self, run: Run) -> bool:
        return 0 < self._within <= run.vitals.lived and run.generation != self._told_of
