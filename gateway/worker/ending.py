"""Sees to it that a worker that is to end does end, or that it is said that it can't be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from twisted.logger import Logger

from gateway.common.guard import Countdown, attempt
from gateway.worker.errors import WorkerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.worker.run import Run
    from gateway.worker.settings import Settings

_log = Logger(namespace="gateway.worker")

STUCK: Final = 10.0
"""Seconds past all patience after which a worker counts as not to be ended."""


class Ending:
    """Tells `stuck` when the worker outlives all patience, and ends it again."""

    def __init__(
        self, reactor: Any, settings: Settings, stuck: Callable[[WorkerError], None]
    ) -> None:
        self._settings = settings
        self._stuck = stuck
        self._run: Run | None = None
        self._overdue = Countdown(reactor, "Looking after a worker that does not end", self._look)

    def begin(self, run: Run) -> None:
        """End it, with its tree."""
        told = self._settings
        interrupt = max(told.patience_login, told.patience_interrupt)
        self.expect(run, interrupt + told.patience_terminate)
        attempt("Ending the worker", run.end)

    def expect(self, run: Run, patience: float = 0.0) -> None:
        """What is left of it must be gone after `patience`."""
        self._run = run
        if not self._overdue.active:
            self._overdue.begin(patience + self._settings.patience_strays + STUCK)

    def done(self) -> None:
        """Nothing is left of it."""
        self._overdue.cancel()

    def _look(self) -> None:
        assert self._run is not None  # else nothing is expected
        error = WorkerError("The old worker can't be ended", self._run.plight)
        _log.error("{error}", tag="Python", error=str(error))
        self._overdue.begin(STUCK)
        attempt("Ending the worker", self._run.end)
        self._stuck(error)
