"""Waits for the worker that a gateway before this one left."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import psutil
from twisted.logger import Logger

from gateway.common.guard import attempt
from gateway.worker.lifecycle.gate import Hold
from gateway.worker.rescue import Rescue

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.worker.claim import Claim

_log = Logger(namespace="gateway.worker")

INTERVAL = 0.2
"""Seconds between two looks."""
REASON = "the previous worker is logging out"
SPARE = 5.0
"""Seconds that its end may take beyond all patience."""


class Predecessor:
    """Says whether the worker of a gateway that is gone is still there, and sees to its end.

    Its guardian ends it.  A guardian that was stopped is woken; where it was killed, too, the
    worker is ended from here, with `patience` as for one of our own.  `freed` is called when
    nothing is left that was said to be there.
    """

    def __init__(
        self,
        reactor: Any,
        claim: Claim,
        patience: tuple[float, float, float],
        freed: Callable[[], None],
    ) -> None:
        self._reactor = reactor
        self._claim = claim
        self._patience = patience
        self._freed = freed
        self._looking: Any = None
        self._expected = 0.0
        self._rescue: Rescue | None = None

    def hold(self, *, person: bool = False, force: bool = False) -> Hold | None:
        """A check of the gate, whoever asks: it is waited for from now on, if it is there.

        Raises OSError where it can't be told.
        """
        if self._claim.free:
            return None
        now = self._reactor.seconds()
        if self._looking is None:
            _log.warn("No worker is started yet: {reason}", tag="Python", reason=REASON)
            self._expected = now + sum(self._patience) + SPARE
            self._looking = self._reactor.callLater(0, self._look)
        return Hold(REASON, max(self._expected - now, SPARE))

    def end(self) -> None:
        """Wait no longer."""
        looking, self._looking = self._looking, None
        if looking is not None and looking.active():
            looking.cancel()

    def _look(self) -> None:
        self._looking = self._reactor.callLater(INTERVAL, self._look)
        gone: list[bool] = []
        attempt("Looking at the previous worker", lambda: gone.append(self._is_gone()))
        if gone == [True]:
            self.end()
            _log.info("The previous worker is gone", tag="Python")
            self._freed()

    def _is_gone(self) -> bool:
        if self._claim.free:
            return True
        self._see_to_its_end()
        return False

    def _see_to_its_end(self) -> None:
        holders = self._claim.holders()
        if not holders or self._rescue is not None:
            return
        if any(map(guards, holders)):
            for pid in filter(_stopped, holders):
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGCONT)
            return
        _log.warn(
            "The previous worker {pid} has lost its guardian: it is ended from here",
            tag="Python",
            pid=holders[0],
        )
        self._rescue = Rescue(
            self._reactor,
            holders[0],
            self._patience,
            holders=self._claim.holders,
            gone=lambda: None,
            done=self._done,
        )

    def _done(self) -> None:
        self._rescue = None


def guards(pid: int) -> bool:
    """Whether `pid` is a guardian."""
    with suppress(psutil.Error):
        words = psutil.Process(pid).cmdline()
        return words[1:3] == ["-I", "-S"] and words[3:4] != [] and "guardian" in words[3]
    return False


def _stopped(pid: int) -> bool:
    with suppress(psutil.Error):
        return bool(psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    return False
