"""The end of one worker: asked for, waited for, and told when it does not come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from twisted.logger import Logger

from gateway.common.guard import AGAIN, Countdown, attempt
from gateway.contract import WorkerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.worker.lifecycle.protocols import WorkerRun

_log = Logger(namespace="gateway.worker")

STUCK: Final = 10.0
"""Seconds past all patience after which a worker counts as not to be ended."""


class Termination:
    """Sees to it that a worker that is to end does end, or that it is said that it can't be.

    `patience` is what the guardian takes to end it, `strays` what it takes to end its children,
    in seconds.  `stuck(error)` is called when it outlives both, again and again.
    """

    def __init__(
        self,
        reactor: Any,
        worker: WorkerRun,
        *,
        patience: float,
        strays: float,
        stuck: Callable[[WorkerError], None],
    ) -> None:
        self._worker = worker
        self._patience = patience
        self._strays = strays
        self._stuck = stuck
        self._overdue = Countdown(reactor, "Looking after a worker that does not end", self._look)
        self._again = Countdown(reactor, "Ending the worker", self.ask)

    def ask(self) -> None:
        """End it, with its tree; may be said again, and is, soon, if that raises."""
        if not self._overdue.active:
            self.expect(self._patience)
        if attempt("Ending the worker", self._worker.end) is not None:
            self._again.begin(AGAIN)

    def expect(self, patience: float = 0.0) -> None:
        """What is left of it must be gone after `patience`."""
        self._overdue.begin(patience + self._strays + STUCK)

    def done(self) -> None:
        """Nobody waits for its end any more."""
        self._overdue.cancel()
        self._again.cancel()

    def _look(self) -> None:
        error = WorkerError("The old worker can't be ended", self._worker.stuck_details)
        _log.error("{error}", tag="Python", error=str(error))
        self._overdue.begin(STUCK)
        self.ask()
        self._stuck(error)
