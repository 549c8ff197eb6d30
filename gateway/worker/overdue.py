"""A worker that is late: it is not ready, or has not connected, and why that may be."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from gateway.worker.errors import LaunchError
from gateway.worker.own_env import OwnEnv
from gateway.worker.unconnected import ENGINEIO3, PROXY, REASONS, URL, ConnectionWatch, names_proxy
from gateway.worker.unready import ReadyWatch

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.worker.launch import Launcher
    from gateway.worker.lifecycle.interfaces import Worker
    from gateway.worker.settings import Settings


class Overdue:
    """Looks at a worker about once a second; `tell(status)` hears what people are to be told.

    `may_wait(worker)` says whether nobody misses a worker that is not ready; for `is_connected`
    and `spoke_version_3` see `Supervisor`.
    """

    def __init__(
        self,
        settings: Settings,
        launcher: Launcher,
        tell: Callable[[str], object],
        *,
        may_wait: Callable[[Worker], bool],
        is_connected: Callable[[], bool],
        spoke_version_3: Callable[[float], bool],
    ) -> None:
        self._settings = settings
        self._launcher = launcher
        self._spoke_version_3 = spoke_version_3
        self._readiness = ReadyWatch(settings.ready_within, may_wait, tell)
        self._connection = ConnectionWatch(
            settings.connected_within, is_connected, self._why_unconnected, tell
        )
        self.looks: list[Callable[[Worker], object]] = [self._readiness.look, self._connection.look]
        """What looks at a worker whose process lives."""

    def status(self, worker: Worker | None) -> dict[str, Any]:
        """For `/status`."""
        return {
            "unready": self._readiness.overdue(worker),
            "unconnected": self._connection.reason(worker),
        }

    def not_connected(self, worker: Worker | None, url: str) -> str:
        """What to tell of `worker` that has not connected to `url`, as may be shown."""
        why = REASONS[self._connection.reason(worker) or URL]
        within = self._settings.connected_within
        return f"The worker has not connected {within:.0f} s after its start: {why.format(url=url)}"

    def _why_unconnected(self, worker: Worker) -> str:
        if self._spoke_version_3(worker.vitals.lived):
            return ENGINEIO3
        with suppress(LaunchError, OSError):
            if names_proxy(OwnEnv(self._launcher.main().parent).values):
                return PROXY
        return URL
