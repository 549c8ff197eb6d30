"""The process: its limits, clock, signals, memory and orphans, and what SIGHUP reads again.

Nothing here is done before the service starts.  In an application of somebody else only the
limits are set and memory is given back: see `Gateway`.
"""

from __future__ import annotations

import ctypes
import gc
import os
import resource
import signal
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from twisted.application.service import Service
from twisted.internet.process import reapAllProcesses, reapProcessHandlers
from twisted.logger import Logger

from gateway.app.service import periodic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gateway.system.system import System
    from gateway.system.turn_end import TurnEnd

DESCRIPTORS = 65536
"""More would only slow down children that close all they could have."""
TERMINAL = "/dev/tty"
"""The terminal that controls this process: it can be opened while there is one (tty(4))."""

_log = Logger(namespace="gateway")


def process_services(
    reactor: Any,
    reload: Callable[[], None],
    clients: Callable[[], int],
    *,
    system: System,
    turn_end: TurnEnd,
    is_alone: bool,
) -> Iterator[Service]:
    """The services for the process; `clients()` is how many there are.

    `is_alone`: the process runs nothing but the gateway.
    """
    yield ProcessLimits()
    if is_alone:
        yield OwnProcess(reactor, reload, system, turn_end)
        # Children before we start any are left from a hand-over.
        if os.getpid() == 1 or system.dead_child() is not None:
            reap = partial(reap_orphans, system)
            yield periodic(reactor, "Collecting orphans", REAP_INTERVAL, reap)
    yield periodic(reactor, "Giving memory back", TRIM_INTERVAL, MemoryTrimmer(clients).look)


class ProcessLimits(Service):
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
    """Takes over a process that runs nothing but the gateway, when it starts.

    `time.monotonic` becomes the reactor's clock, and it calls what is ready directly.  SIGHUP calls
    `reload`, and the second SIGINT or SIGTERM ends the process at once.  What was made so far
    lives to the end, and no collection of garbage looks at it again: in a storm of clients that
    would stop everything for 0.1 s.
    """

    name = "the process of our own"

    def __init__(
        self, reactor: Any, reload: Callable[[], None], system: System, turn_end: TurnEnd
    ) -> None:
        self._reactor = reactor
        self._system = system
        self._turn_end = turn_end
        self._reload = reload

    def startService(self) -> None:
        super().startService()
        use_monotonic_clock(self._reactor)
        self._system.poll_directly(self._reactor, self._turn_end)
        self._reactor.addSystemEventTrigger("before", "shutdown", _end_at_next_signal)
        heed_hangup(self._reactor, self._reload)
        gc.freeze()


def use_monotonic_clock(reactor: Any) -> None:
    """Make `time.monotonic` the reactor's clock, which no change of the wall clock moves.

    Calls that were planned before are still made at their time.  Times of the old clock cannot
    be compared with times of the new one.
    """
    step = time.monotonic() - reactor.seconds()
    for call in reactor.getDelayedCalls():
        call.delay(step)
    reactor.seconds = time.monotonic


def _end_at_next_signal() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)


def _end(number: int, _frame: object) -> None:
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    os._exit(128 + number)  # a container's first process does not die of a default signal


# -- SIGHUP: read again what may have changed on disk, or end with the terminal.


class Step(NamedTuple):
    """One thing that SIGHUP reads again: a name for the log, and the function that does it."""

    what: str
    do: Callable[[], object]


class Reloads:
    """Does all steps at SIGHUP; one that raises is logged, and the others are done.

    `steps` is the one list: whoever has something to read again adds to it.
    """

    def __init__(self, *steps: Step) -> None:
        self.steps = list(steps)

    def __call__(self) -> None:
        """Do all of them."""
        for step in self.steps:
            try:
                step.do()
            except Exception as error:
                _log.error(
                    "{what} failed, what was known before holds: {error}",
                    what=step.what,
                    error=error,
                )
        _log.info("Reloaded: {what}", what=", ".join(step.what for step in self.steps))


def heed_hangup(reactor: Any, reload: Callable[[], None]) -> None:
    """Call `reload` at each SIGHUP from now on.

    A process in the foreground gets that signal also when its terminal is closed; then it ends
    as by SIGTERM, unless it was started with the signal ignored (nohup).
    """
    stays = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN or not _has_terminal()

    def heed() -> None:
        if stays or _has_terminal():
            reload()
        else:
            _log.info("The terminal was closed")
            os.kill(os.getpid(), signal.SIGTERM)

    signal.signal(signal.SIGHUP, lambda *_: reactor.callFromThread(heed))


def _has_terminal() -> bool:
    try:
        os.close(os.open(TERMINAL, os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


# -- Memory.  What clients held is freed at once when they leave, but Python and the C library keep
# it for later use, and the system counts it as the gateway's.

TRIM_INTERVAL: Final = 10.0
"""Seconds between two calls of `MemoryTrimmer.look`."""
CROWD: Final = 50
"""Clients: of fewer the memory is not worth the time."""


class MemoryTrimmer:
    """Calls `give_back` when half of at least `CROWD` clients have left.

    `count()` is the number of clients.
    """

    def __init__(
        self,
        count: Callable[[], int],
        give_back: Callable[[], object] | None = None,
    ) -> None:
        self._count = count
        self._give_back = give_back or trim_now
        self._most = 0

    def look(self) -> None:
        """To be called every `TRIM_INTERVAL` seconds."""
        count = self._count()
        self._most = max(self._most, count)
        if self._most >= CROWD and count <= self._most / 2:
            self._most = count
            self._give_back()


def trim_now() -> None:
    """Collect garbage and trim the heap: about 10 ms for each 50,000 objects that are in use."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


# -- Orphans.  The kernel hands them to process 1, which the gateway is in a container; and after a
# hand-over there are children of the program before.  The reactor collects only what it started
# itself: the others would stay as zombies until the process ends.

REAP_INTERVAL: Final = 1.0
"""Seconds between two looks; a look is one system call while no process has ended."""


def reap_orphans(system: System) -> None:
    """Collect the children that ended and that the reactor did not start."""
    reapAllProcesses()
    while (pid := system.dead_child()) and pid not in reapProcessHandlers:
        os.waitpid(pid, os.WNOHANG)
