"""Starts, stops and restarts by the calendar."""

from __future__ import annotations

from datetime import datetime
from math import inf
from typing import TYPE_CHECKING, Any, Protocol

from twisted.logger import Logger

from gateway.common.times import iso
from gateway.worker.calendar.schedule import Schedule, SessionWindows, zone
from gateway.worker.lifecycle.gate import Hold
from gateway.worker.lifecycle.states import Exited, Fatal, Running, Stopped, Stopping

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.worker.lifecycle.lifecycle import Lifecycle
    from gateway.worker.settings import WorkerSettings

FRESH = 120.0
"""A worker that was started less than these seconds ago is not restarted by the schedule."""
MISSED = 3600.0
"""Seconds for which a point that was missed is made up."""
LATE = 60.0
"""Seconds after which a point counts as missed."""

MOST_TOLD = 24
"""Points of the day that people are told."""

_log = Logger(namespace="gateway.worker")


class Memory(Protocol):
    """Keeps the last point of the schedule that was followed, in seconds since 1970."""

    @property
    def scheduled(self) -> float | None:
        """None: no point was followed yet."""
        ...

    def keep_scheduled(self, point: float) -> None:
        """Remember that `point` was followed."""
        ...


class Timetable:
    """Starts, stops and restarts the worker by the schedule and the session windows.

    `wall` gives seconds since 1970.  `memory` remembers over restarts of the gateway which
    point of the schedule was followed last.  Points may be missed because the machine slept or
    no gateway ran: one restart makes up for all those of the last hour.
    Raises ValueError for settings that make no sense.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        lifecycle: Lifecycle,
        wall: Callable[[], float],
        memory: Memory | None = None,
    ) -> None:
        timezone = zone(settings.timezone)
        self._zone = timezone
        self._memory = memory
        self._heeded = wall()
        self._point: float | None = None
        """The next point after `_heeded`, once it was looked for."""
        self._schedule = Schedule(settings.schedule, timezone)
        self._sessions = SessionWindows(settings.sessions, timezone)
        self._lifecycle = lifecycle
        self._wall = wall
        self._open = self._is_open(self._heeded)
        self._closed_by_us = False
        self._missed: float | None = None
        """The point for which the first start makes up."""

    def begin(self, *, wanted: bool = True) -> None:
        """The gateway starts: so does the worker if it is `wanted`, unless no session is open."""
        now = self._wall()
        if self._memory is not None and self._schedule:
            heeded = self._memory.scheduled or now
            missed = self._schedule.last(max(min(heeded, now), now - MISSED), now)
            if missed is not None and self._open and wanted:
                self._missed = missed
                _log.info(
                    "The restart scheduled for {point} was missed while there was no gateway:"
                    " this start makes up for it",
                    tag="Python",
                    point=self._text(missed),
                )
            self._heed(now)
        if not wanted:
            return
        if self._open:
            self._lifecycle.begin()
        else:
            self._closed_by_us = True

    def took_over(self) -> None:
        """A worker that was there goes on, instead of a start: what that made up for is due."""
        missed, self._missed = self._missed, None
        if missed is not None and not self._is_fresh():
            self._renew(missed)

    def look(self) -> None:
        """Do what has become due; to be called every few seconds."""
        now = self._wall()
        was_open, self._open = self._open, self._is_open(now)
        if was_open and not self._open:
            self._close()
        elif self._open and not was_open:
            self._reopen()
        elif self._schedule:
            self._look_at_the_schedule(now)

    def hold(self, *, person: bool = False, force: bool = False) -> Hold | None:
        """A check of the gate: machines start no worker while no session is open."""
        now = self._wall()
        if person or self._is_open(now):
            return None
        return Hold("no session is open", (self._sessions.next(now) or inf) - now)

    @property
    def is_open(self) -> bool:
        """Whether the worker is to be up, by the last look."""
        return self._open

    @property
    def reopens(self) -> float | None:
        """When the worker that was stopped because no window is open starts again."""
        down = isinstance(self._lifecycle.state, Stopping | Exited | Stopped)
        return self._sessions.next(self._wall()) if self._closed_by_us and down else None

    def status(self) -> dict[str, Any]:
        """For people: what comes next."""
        now = self._wall()
        restart = self._schedule.next(now)
        opens = self._sessions.next(now) if self._sessions else None
        return {
            "nextRestart": iso(restart) if restart else None,
            "restarts": list(map(iso, self._schedule.of_day(now, MOST_TOLD))),
            "inSession": self._open,
            "nextSession": iso(opens) if opens else None,
        }

    def _look_at_the_schedule(self, now: float) -> None:
        if now < self._heeded - MISSED:  # the clock was wrong, and was set
            self._heed(now)
        if self._point is None:
            self._point = self._schedule.next(self._heeded) or inf
        if now < self._point:
            return
        point = self._schedule.last(max(self._heeded, now - MISSED), now)
        self._heed(now if point is None else point)
        if point is None or self._is_fresh():
            return
        self._renew(point)

    def _renew(self, point: float) -> None:
        late = self._wall() - point > LATE
        reason = f"scheduled for {self._text(point)}, which was missed" if late else "scheduled"
        self._lifecycle.renew(reason, states=(Running, Fatal))

    def _heed(self, point: float) -> None:
        self._heeded, self._point = point, None
        if self._memory is not None:
            self._memory.keep_scheduled(point)

    def _text(self, point: float) -> str:
        return datetime.fromtimestamp(point, self._zone).strftime("%H:%M")

    def _is_open(self, now: float) -> bool:
        return not self._sessions or self._sessions.opened(now) is not None

    def _is_fresh(self) -> bool:
        worker = self._lifecycle.worker
        return worker is not None and worker.alive and worker.vitals.lived < FRESH

    def _close(self) -> None:
        if not isinstance(self._lifecycle.state, Stopped):
            self._closed_by_us = True
            self._lifecycle.stop()

    def _reopen(self) -> None:
        """What a person stopped stays stopped."""
        if self._closed_by_us and isinstance(self._lifecycle.state, Stopped):
            self._lifecycle.begin()
        self._closed_by_us = False
