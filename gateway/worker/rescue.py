"""Ends a worker whose guardian was killed."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable

INTERVAL = 0.1
"""Seconds between two looks."""


class Rescue:
    """SIGTERM and SIGKILL, with their patiences, for the session of a lost worker.

    The kernel sent it SIGINT when its guardian died.  `done` is called when nothing of
    the session is left; what left the session and the guardian's care can't be found.
    """

    def __init__(
        self, reactor: Any, session: int, patience: tuple[float, ...], done: Callable[[], None]
    ) -> None:
        _, interrupt, terminate, _ = patience
        self._reactor = reactor
        self._session = session
        self._done = done
        now = reactor.seconds()
        self._steps = [
            (now + interrupt, signal.SIGTERM),
            (now + interrupt + terminate, signal.SIGKILL),
        ]
        self._look()

    def kill(self) -> None:
        """Don't wait any longer."""
        self._steps = [(0.0, signal.SIGKILL)]

    def _look(self) -> None:
        left = self._members()
        if not left:
            self._done()
            return
        while self._steps and self._steps[0][0] <= self._reactor.seconds():
            _, number = self._steps.pop(0)
            for pid in left:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)
                    os.kill(pid, signal.SIGCONT)
        self._reactor.callLater(INTERVAL, self._look)

    def _members(self) -> list[int]:
        """The living processes of the session."""
        with suppress(ChildProcessError):  # as PID 1 the gateway inherits the orphan
            os.waitpid(self._session, os.WNOHANG)
        found = []
        for pid in psutil.pids():
            with suppress(ProcessLookupError, psutil.Error):
                if os.getsid(pid) == self._session and _alive(pid):
                    found.append(pid)
        return found


def _alive(pid: int) -> bool:
    return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
