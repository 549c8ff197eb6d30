"""What is looked at once a second: the calendar, the heartbeat, the files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from gateway.common.attempt import Look
from gateway.worker.calendar.timetable import Timetable
from gateway.worker.lifecycle.states import BackingOff, Fatal, Running, Starting
from gateway.worker.sources import SourceWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.worker.calendar.timetable import Memory
    from gateway.worker.lifecycle.broker_limits import BrokerLimits
    from gateway.worker.lifecycle.gate import Check
    from gateway.worker.lifecycle.lifecycle import Lifecycle
    from gateway.worker.lifecycle.protocols import WorkerRun
    from gateway.worker.process.launch import Launcher
    from gateway.worker.settings import WorkerSettings

_log = Logger(namespace="gateway.worker")

INTERVAL = 1.0
NAMED = 5
"""Files that changed which are named."""


class PeriodicChecks:
    """Looks at calendar, heartbeat and files once a second, and does what has become due.

    `wall` gives seconds since 1970.  Each of `also` is called with the worker while it lives;
    `memory` is the timetable's.
    """

    def __init__(
        self,
        reactor: Any,
        settings: WorkerSettings,
        *,
        lifecycle: Lifecycle,
        limits: BrokerLimits,
        launcher: Launcher,
        wall: Callable[[], float],
        also: Sequence[Callable[[WorkerRun], object]] = (),
        memory: Memory | None = None,
    ) -> None:
        self._settings = settings
        self._lifecycle = lifecycle
        self._limits = limits
        self._also = also
        self._timetable = Timetable(settings, lifecycle, wall, memory)
        self._watch = (
            SourceWatch(launcher.main, lambda: launcher.sources().files) if settings.dev else None
        )
        self.hold: Check = self._timetable.hold
        """A check of the gate."""
        self._looks = (
            Look("Looking at the calendar", self._timetable.look),
            Look("Looking at the heartbeat", self._look_at_the_heartbeat),
            Look("Looking at the files", self._look_at_the_files),
        )
        self._looking = LoopingCall(self.look)
        self._looking.clock = reactor

    def begin(self, *, wanted: bool = True) -> None:
        """Start the worker, if it is wanted, when the calendar allows it; look from now on."""
        self._timetable.begin(wanted=wanted)
        self._looking.start(INTERVAL, now=False)

    def took_over(self) -> None:
        """A worker goes on that a gateway before this one has started."""
        self._timetable.took_over()

    def end(self) -> None:
        """Look no longer."""
        if self._looking.running:
            self._looking.stop()

    def status(self) -> dict[str, Any]:
        """For `/status`."""
        return self._timetable.status()

    @property
    def in_session(self) -> bool:
        """Whether a window of `--sessions` is open, or there is none."""
        return self._timetable.is_open

    @property
    def reopens(self) -> float | None:
        """When the worker starts that is down because no session is open; None: it is not."""
        return self._timetable.reopens

    def look(self) -> None:
        """Do what has become due; a look that fails harms no other, and is tried again."""
        for look in self._looks:
            look()

    def _look_at_the_heartbeat(self) -> None:
        worker = self._lifecycle.worker
        if worker is not None and worker.alive:
            if worker.vitals.hung:
                self._lifecycle.renew("its heartbeat is late", states=(Running,))
            if (worker.vitals.ready_for or 0) >= self._settings.stable:
                self._limits.reset_pause()
            for look in self._also:
                look(worker)

    def _look_at_the_files(self) -> None:
        changed = self._watch.changed() if self._watch is not None else []
        if self._watch is None or not changed:
            return
        names = ", ".join(path.name for path in changed[:NAMED])
        if wrong := self._watch.fault():
            _log.warn(
                "{names} changed, but can't be run ({wrong}): the worker stays as it is",
                tag="Python",
                names=names,
                wrong=wrong,
            )
            return
        states = (Starting, Running, BackingOff, Fatal)
        self._lifecycle.renew(f"{names} changed", states=states, cured=True)
