"""What is done about a worker that is late or silent.

People are told when it does not become ready (its login may hang in native code) or does not
connect.  When its feed is silent while the market trades it is restarted, if that is wanted.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from gateway.contract import LaunchError
from gateway.market.events import FEED_STATUS
from gateway.market.freshness import SILENT
from gateway.worker.keys.own_files import OwnEnv

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from gateway.worker.lifecycle.protocols import WorkerRun
    from gateway.worker.settings import WorkerSettings

UNREADY, READY = "unready", "ready"
"""What browsers are told, as the status of the gateway's own `python_status`."""


class ReadyWatch:
    """Tells people, at most once a start, of a worker that does not become ready.

    It has `within` seconds (0: any time).  Nobody is told when it `may_wait`: without
    credentials, or while no session is open, it can't become ready, or need not.
    `tell(status)` gets `UNREADY`, and `READY` when a worker is ready after that.
    """

    def __init__(
        self, within: float, may_wait: Callable[[WorkerRun], bool], tell: Callable[[str], object]
    ) -> None:
        self._within = within
        self._may_wait = may_wait
        self._tell = tell
        self._told_of: int | None = None
        self._is_known = False

    def overdue(self, worker: WorkerRun | None) -> bool:
        """Whether people were told of `worker`, and it is still not ready."""
        return (
            worker is not None
            and worker.generation == self._told_of
            and not worker.vitals.was_ready
        )

    def look(self, worker: WorkerRun) -> None:
        """Warn once if `worker`, whose process lives, is late, and say when it no longer is."""
        if worker.vitals.was_ready:
            if self._is_known:
                self._is_known = False
                self._tell(READY)
        elif self._is_late(worker) and not self._may_wait(worker):
            self._told_of = worker.generation
            self._is_known = True
            self._tell(UNREADY)

    def _is_late(self, worker: WorkerRun) -> bool:
        return 0 < self._within <= worker.vitals.lived and worker.generation != self._told_of


# -- Tells people that a worker does not connect to the gateway, and what the reason may be.

UNCONNECTED, CONNECTED = "unconnected", "connected"
"""What browsers are told, as the status of the gateway's own `python_status`."""

ENGINEIO3, PROXY, URL = "engineio3", "proxy", "url"
REASONS: Final = {
    ENGINEIO3: "a client on this machine speaks Engine.IO 3, perhaps it is the worker's: --eio3"
    " lets it in",
    PROXY: "a .env beside main.py names a proxy: add NO_PROXY=localhost,127.0.0.1 there",
    URL: "it may use another URL than that of GATEWAY_URL, {url}",
}
"""The likely reason, by the word for it in `/status`."""

AGAIN: Final = 5.0
"""Seconds until it is asked again whether the worker has connected: the question is costly."""


class ConnectionWatch:
    """Tells people, at most once a start, of a worker that does not connect to the gateway.

    It has `within` seconds.  A worker that has spoken is connected; of a silent one
    `is_connected()` says it.  `why(worker)` is one of `REASONS`.  `tell(status)` gets
    `UNCONNECTED`, and `CONNECTED` when the worker has connected after that.
    """

    def __init__(
        self,
        within: float,
        is_connected: Callable[[], bool],
        why: Callable[[WorkerRun], str],
        tell: Callable[[str], object],
    ) -> None:
        self._within = within
        self._is_connected = is_connected
        self._why = why
        self._tell = tell
        self._reason: tuple[int, str] | None = None
        self._connected = 0
        self._due = 0.0

    def reason(self, worker: WorkerRun | None) -> str | None:
        """The likely reason why `worker` is not connected; None: nobody was told that it is not."""
        told = (
            worker is not None and self._reason is not None and self._reason[0] == worker.generation
        )
        return self._reason[1] if told and self._reason is not None else None

    def look(self, worker: WorkerRun) -> None:
        """Warn once if `worker`, whose process lives, has not connected in time."""
        if worker.generation == self._connected or worker.vitals.lived < self._within:
            return
        if not worker.vitals.has_spoken:
            if self.reason(worker) and worker.vitals.lived < self._due:
                return
            self._due = worker.vitals.lived + AGAIN
            if not self._is_connected():
                known = self.reason(worker)
                self._reason = worker.generation, self._why(worker)  # more may be known by now
                if not known:
                    self._tell(UNCONNECTED)
                return
        self._connected = worker.generation
        if self.reason(worker):
            self._reason = None
            self._tell(CONNECTED)


def names_proxy(variables: Mapping[str, str]) -> bool:
    """Whether a worker with these `variables` asks a proxy for the gateway, too."""
    lower = {name.lower(): value for name, value in variables.items()}
    proxied = any(lower.get(name) for name in ("http_proxy", "all_proxy"))
    return proxied and not any(
        host.strip() in ("*", "localhost") for host in lower.get("no_proxy", "").split(",")
    )


# -- A worker that is late: it is not ready, or has not connected, and why that may be.


class LateWorkerChecks:
    """Finds a worker that is not ready or not connected in time; `tell(status)` tells people.

    `folder()` is that of main.py; it may raise LaunchError.  `may_wait(worker)` says whether a
    worker need not be ready now; for `is_connected` and `spoke_version_3` see
    `Supervisor`.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        tell: Callable[[str], object],
        *,
        folder: Callable[[], Path],
        may_wait: Callable[[WorkerRun], bool],
        is_connected: Callable[[], bool],
        spoke_version_3: Callable[[float], bool],
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._spoke_version_3 = spoke_version_3
        self._readiness = ReadyWatch(settings.ready_within, may_wait, tell)
        self._connection = ConnectionWatch(
            settings.connected_within, is_connected, self._why_unconnected, tell
        )
        self.looks: list[Callable[[WorkerRun], object]] = [
            self._readiness.look,
            self._connection.look,
        ]
        """What looks at a worker whose process lives."""

    def status(self, worker: WorkerRun | None) -> dict[str, Any]:
        """For `/status`."""
        return {
            "unready": self._readiness.overdue(worker),
            "unconnected": self._connection.reason(worker),
        }

    def not_connected(self, worker: WorkerRun | None, url: str) -> str:
        """What to tell of `worker` that has not connected to `url`, as may be shown."""
        why = REASONS[self._connection.reason(worker) or URL]
        within = self._settings.connected_within
        return f"The worker has not connected {within:.0f} s after its start: {why.format(url=url)}"

    def _why_unconnected(self, worker: WorkerRun) -> str:
        if self._spoke_version_3(worker.vitals.lived):
            return ENGINEIO3
        with suppress(LaunchError, OSError):
            if names_proxy(OwnEnv(self._folder()).values):
                return PROXY
        return URL


# -- A feed that is silent while its market trades.

MOST_DOUBLINGS = 10
"""Of the wait for the next restart."""


class SilentFeeds:
    """Hears what browsers are told of feeds.

    A feed that is silent for `after` seconds (0: for any time) restarts the worker.  When that
    did not help, the next restart comes after twice that time, and so on: each is a login, and
    none helps on a holiday that is not in the calendar.  `renew(reason)` restarts through the
    gate, within the budget.
    """

    def __init__(self, reactor: Any, after: float, renew: Callable[[str], object]) -> None:
        self._reactor = reactor
        self._after = after
        self._renew = renew
        self._waiting: dict[str, Any] = {}

    def told(self, name: str, value: Mapping[str, Any]) -> None:
        """Browsers are told `value`, the argument of the gateway's event `name`."""
        if name != FEED_STATUS or self._after <= 0:
            return
        market = value["market"]
        if value["status"] == "stale" and value["reason"] == SILENT:
            if market not in self._waiting:
                self._wait(market, 0)
        elif value["status"] != "stale" and market in self._waiting:
            self._waiting.pop(market).cancel()

    def stop(self) -> None:
        """Restart nothing any more."""
        for each in self._waiting.values():
            each.cancel()
        self._waiting.clear()

    def _wait(self, market: str, restarts: int) -> None:
        pause = self._after * 2.0 ** min(restarts, MOST_DOUBLINGS)
        self._waiting[market] = self._reactor.callLater(pause, self._act, market, restarts)

    def _act(self, market: str, restarts: int) -> None:
        self._wait(market, restarts + 1)
        self._renew(f"the feed of {market} is silent although the market trades")
