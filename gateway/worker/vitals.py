"""Signs of life of one worker process."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.worker.settings import Settings


class Vitals:
    """What the worker said of itself, and when; `clock` is monotonic."""

    def __init__(self, settings: Settings, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._clock = clock
        self._started = clock()
        self._connected = False
        self._ready: float | None = None
        self._beat: float | None = None

    def heard(self, name: str) -> None:
        """The worker sent the event `name`."""
        self._connected = True
        if name == "shioaji_ready":
            self._ready = self._clock() if self._ready is None else self._ready
            self._beat = self._clock()
        elif name == "heartbeat":
            self._beat = self._clock()

    def gone(self) -> None:
        """Its connection is lost."""
        self._connected = False

    @property
    def was_ready(self) -> bool:
        """It said so once."""
        return self._ready is not None

    @property
    def ready(self) -> bool:
        """It said so, is connected, and its heartbeat is not late."""
        return self.was_ready and self._connected and not self._late(self._settings.heartbeats_late)

    @property
    def ready_for(self) -> float | None:
        """Seconds since it was ready first."""
        return None if self._ready is None else self._clock() - self._ready

    @property
    def lived(self) -> float:
        """Seconds since its start."""
        return self._clock() - self._started

    @property
    def hung(self) -> bool:
        """The watchdog should restart it; never while it may still be logging in."""
        misses, grace = self._settings.watchdog, self._settings.watchdog_grace
        return misses > 0 and self.lived > grace and self._late(misses, not_before=grace)

    def _late(self, misses: int, not_before: float = 0) -> bool:
        last = max(self._beat or 0, self._started + not_before)
        return self._clock() - last > misses * self._settings.heartbeat
