"""Ends a worker whose guardian was killed."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from gateway.common.attempt import Countdown

if TYPE_CHECKING:
    from collections.abc import Callable

INTERVAL = 0.1
"""Seconds between two looks."""


class OrphanedWorker:
    """What a guardian that was killed leaves: it gets the signals, each with its patience.

    It is the session that `worker` leads, and whoever else of its tree still holds the lock
    (`holders`); what left the session and closed its descriptors can't be found any more.
    `interrupted`: the kernel sent SIGINT to the worker when its guardian died.  `sent` is told each
    signal, `gone` is called when the worker is gone, `done` when nothing is left.
    """

    def __init__(
        self,
        reactor: Any,
        worker: int,
        patience: tuple[float, ...],
        *,
        interrupted: bool,
        holders: Callable[[], list[int]] = list,
        sent: Callable[[str], object] = str,
        gone: Callable[[], None],
        done: Callable[[], None],
    ) -> None:
        interrupt, terminate, self._strays = patience
        self._reactor = reactor
        self._worker = worker
        self._holders = holders
        self._sent = sent
        self._gone: Callable[[], None] | None = gone
        self._done = done
        self._plan(interrupt, terminate)
        if not interrupted:
            self._steps.insert(0, (reactor.seconds(), signal.SIGINT))
        what = "Looking for what a killed guardian left"
        self._timer = Countdown(reactor, what, self._look, again=INTERVAL)
        self._timer.begin(0)

    def kill(self) -> None:
        """Don't wait any longer."""
        self._plan(0, 0)

    def _plan(self, interrupt: float, terminate: float) -> None:
        now = self._reactor.seconds()
        self._steps = [
            (now + interrupt, signal.SIGTERM),
            (now + interrupt + terminate, signal.SIGKILL),
        ]

    def _look(self) -> None:
        left = self._members()
        if self._gone is not None and self._worker not in left:
            gone, self._gone = self._gone, None
            gone()
            self._plan(0, self._strays)
        if not left:
            self._done()
            return
        while self._steps and self._steps[0][0] <= self._reactor.seconds():
            _, number = self._steps.pop(0)
            if self._gone is not None:
                self._sent(number.name)
            for pid in left:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)
                    os.kill(pid, signal.SIGCONT)
        self._timer.begin(INTERVAL)

    def _members(self) -> list[int]:
        """The living processes of the session, and the holders of the lock."""
        import psutil  # noqa: PLC0415  # by need

        with suppress(ChildProcessError):  # as PID 1 the gateway inherits the orphan
            os.waitpid(self._worker, os.WNOHANG)
        found = set(self._holders())
        for pid in psutil.pids():
            with suppress(ProcessLookupError, psutil.Error):
                if os.getsid(pid) == self._worker and _alive(pid):
                    found.add(pid)
        return list(found)


def _alive(pid: int) -> bool:
    import psutil  # noqa: PLC0415  # by need

    return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
