"""The process, where it is ours: its limits, its clock, its signals.

Nothing here is done before the service starts, and nothing at all in an application that
somebody else wrote: see `Gateway`.
"""

from __future__ import annotations

import os
import resource
import signal
import time
from typing import TYPE_CHECKING, Any

from twisted.application.service import Service

from gateway.app.reload import heed_hangup

if TYPE_CHECKING:
    from collections.abc import Callable

DESCRIPTORS = 65536
"""More would only slow down children that close all they could have."""


class Limits(Service):
    """Sets the limits of the process when it starts.

    No core dumps, which would hold keys; and enough descriptors, since each client takes one.
    """

    name = "the limits"

    def startService(self) -> None:
        super().startService()
        _, hard = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if 0 <= soft < DESCRIPTORS:
            wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class OwnProcess(Service):
    """Makes a process fit that runs nothing but the gateway, when it starts.

    `clock` becomes the reactor's, SIGHUP calls `reload`, and the second SIGINT or SIGTERM ends
    the process at once.
    """

    name = "the process of our own"

    def __init__(
        self, reactor: Any, clock: Callable[[], float], reload: Callable[[], None]
    ) -> None:
        self._reactor = reactor
        self._clock = clock
        self._reload = reload

    def startService(self) -> None:
        super().startService()
        self._reactor.seconds = self._clock
        self._reactor.addSystemEventTrigger("before", "shutdown", _end_at_next_signal)
        heed_hangup(self._reactor, self._reload)


def steady_clock(now: float) -> Callable[[], float]:
    """A clock in seconds that goes on from `now`, and that no change of the wall clock moves."""
    offset = now - time.monotonic()
    return lambda: time.monotonic() + offset


def _end_at_next_signal() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)


def _end(number: int, _frame: object) -> None:
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    os._exit(128 + number)  # a container's first process does not die of a default signal
