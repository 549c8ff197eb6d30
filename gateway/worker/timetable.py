"""Starts, stops and restarts by the calendar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.worker.schedule import Schedule, Sessions, zone
from gateway.worker.times import iso

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.worker.keeper import Keeper
    from gateway.worker.settings import Settings

FRESH = 120.0
"""A worker that was started less than these seconds ago is not restarted by the schedule."""


class Timetable:
    """Raises ValueError for settings that make no sense.

    `wall` gives seconds since 1970.
    """

    def __init__(self, settings: Settings, keeper: Keeper, wall: Callable[[], float]) -> None:
        timezone = zone(settings.timezone)
        self._schedule = Schedule(settings.schedule, timezone)
        self._sessions = Sessions(settings.sessions, timezone)
        self._keeper = keeper
        self._wall = wall
        self._looked = wall()
        self._open = self._is_open(self._looked)
        self._closed_by_us = False

    def begin(self) -> None:
        """The gateway starts: so does the worker, unless no session is open."""
        if self._open:
            self._keeper.begin()
        else:
            self._closed_by_us = True

    def look(self) -> None:
        """Do what has become due; to be called every few seconds."""
        before, self._looked = self._looked, self._wall()
        was_open, self._open = self._open, self._is_open(self._looked)
        if was_open and not self._open:
            self._close()
        elif self._open and not was_open:
            self._reopen()
        elif self._schedule.due(before, self._looked) and not self._is_fresh():
            self._keeper.renew("scheduled", states=("running", "fatal"))

    @property
    def is_open(self) -> bool:
        """Whether the worker is to be up, by the last look."""
        return self._open

    @property
    def reopens(self) -> float | None:
        """When the worker that was stopped because no window is open starts again."""
        down = self._keeper.state in ("stopping", "exited", "stopped")
        return self._sessions.next(self._wall()) if self._closed_by_us and down else None

    def status(self) -> dict[str, Any]:
        """For people: what comes next."""
        now = self._wall()
        restart = self._schedule.next(now)
        opens = self._sessions.next(now) if self._sessions else None
        return {
            "nextRestart": iso(restart) if restart else None,
            "inSession": self._open,
            "nextSession": iso(opens) if opens else None,
        }

    def _is_open(self, now: float) -> bool:
        return not self._sessions or self._sessions.opened(now) is not None

    def _is_fresh(self) -> bool:
        run = self._keeper.run
        return run is not None and run.alive and run.vitals.lived < FRESH

    def _close(self) -> None:
        if self._keeper.state != "stopped":
            self._closed_by_us = True
            self._keeper.stop()

    def _reopen(self) -> None:
        """What a person stopped stays stopped."""
        if self._closed_by_us and self._keeper.state == "stopped":
            self._keeper.begin()
        self._closed_by_us = False
