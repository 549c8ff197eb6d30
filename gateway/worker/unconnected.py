"""Tells people that a worker does not connect to the gateway, and what the reason may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.worker.lifecycle.interfaces import Worker

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
"""Seconds until it is asked again whether the worker has connected: that is dear."""


class ConnectionWatch:
    """Looks at a worker about once a second, and tells once a start.

    A worker has `within` seconds.  One that has spoken is connected; of a silent one
    `is_connected()` says it.  `why(worker)` is one of `REASONS`.  `tell(status)` gets
    `UNCONNECTED`, and `CONNECTED` when the worker has connected after that.
    """

    def __init__(
        self,
        within: float,
        is_connected: Callable[[], bool],
        why: Callable[[Worker], str],
        tell: Callable[[str], object],
    ) -> None:
        self._within = within
        self._is_connected = is_connected
        self._why = why
        self._tell = tell
        self._reason: tuple[int, str] | None = None
        self._connected = 0
        self._due = 0.0

    def reason(self, worker: Worker | None) -> str | None:
        """Why `worker` is likely not to be connected; None: it is, or nobody was told of it."""
        told = (
            worker is not None and self._reason is not None and self._reason[0] == worker.generation
        )
        return self._reason[1] if told and self._reason is not None else None

    def look(self, worker: Worker) -> None:
        """Tell what is to be told of `worker`, whose process lives."""
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
