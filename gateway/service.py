"""The running gateway: what starts, what stops, in which order; and its process."""

from __future__ import annotations

import os
import resource
import signal
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from twisted.application.service import Service
from twisted.internet.base import ReactorBase
from twisted.internet.defer import Deferred, ensureDeferred, maybeDeferred
from twisted.logger import Logger
from twisted.python import log as legacy
from twisted.python.components import Componentized

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twisted.logger import LogEvent

DESCRIPTORS = 65536
"""More would only slow down children that close all they could have."""


class Step(NamedTuple):
    """Something to be done, perhaps by a Deferred."""

    what: str
    do: Callable[[], Any]


class Gateway(Service):
    """Does the steps of `starting` and of `stopping` one after the other.

    A step that fails is logged, and the next one is done all the same.
    """

    _log = Logger()

    def __init__(self, starting: Sequence[Step], stopping: Sequence[Step]) -> None:
        self._starting = starting
        self._stopping = stopping
        self.observer: Callable[[LogEvent], None] | None = None
        """What twistd logs by; None: by its own."""

    def setServiceParent(self, parent: Any) -> None:
        super().setServiceParent(parent)
        if isinstance(parent, Componentized) and self.observer is not None:
            parent.setComponent(legacy.ILogObserver, self.observer)

    def startService(self) -> None:
        super().startService()
        ensureDeferred(self._do(self._starting))

    def stopService(self) -> Deferred[None]:
        super().stopService()
        self._log.info("Stopping")
        return ensureDeferred(self._do(self._stopping))

    async def _do(self, steps: Sequence[Step]) -> None:
        for step in steps:
            try:
                await maybeDeferred(step.do)
            except Exception:
                self._log.failure("{what} failed", what=step.what)


def settle_in(reactor: Any) -> None:
    """Make the process fit for a gateway.

    No core dumps, which would hold keys; enough descriptors, since each client takes one;
    timers that no change of the clock moves; and a second SIGINT or SIGTERM ends it at once.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= soft < DESCRIPTORS:
        wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    if isinstance(reactor, ReactorBase) and not reactor.getDelayedCalls():
        reactor.seconds = time.monotonic
    reactor.addSystemEventTrigger("before", "shutdown", _end_at_next_signal)


def _end_at_next_signal() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)


def _end(number: int, _frame: object) -> None:
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    os._exit(128 + number)  # a container's first process does not die of a default signal
