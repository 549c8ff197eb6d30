"""Tells people that a worker does not become ready: its login may hang in native code."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.worker.lifecycle.interfaces import Worker

UNREADY, READY = "unready", "ready"
"""What browsers are told, as the status of the gateway's own `python_status`."""


class ReadyWatch:
    """Looks at a worker about once a second, and tells once a start.

    A worker has `within` seconds (0: any time).  Nobody is told when it `may_wait`: without
    credentials, or while no session is open, it can't become ready, or need not.
    `tell(status)` gets `UNREADY`, and `READY` when a worker is ready after that.
    """

    def __init__(
        self, within: float, may_wait: Callable[[Worker], bool], tell: Callable[[str], object]
    ) -> None:
        self._within = within
        self._may_wait = may_wait
        self._tell = tell
        self._told_of: int | None = None
        self._is_known = False

    def overdue(self, worker: Worker | None) -> bool:
        """Whether people were told of `worker`, and it is still not ready."""
        return (
            worker is not None
            and worker.generation == self._told_of
            and not worker.vitals.was_ready
        )

    def look(self, worker: Worker) -> None:
        """Tell what is to be told of `worker`, whose process lives."""
        if worker.vitals.was_ready:
            if self._is_known:
                self._is_known = False
                self._tell(READY)
        elif self._is_late(worker) and not self._may_wait(worker):
            self._told_of = worker.generation
            self._is_known = True
            self._tell(UNREADY)

    def _is_late(self, worker: Worker) -> bool:
        return 0 < self._within <= worker.vitals.lived and worker.generation != self._told_of
