"""Runs one source for one gateway, from the first word to the last."""

from __future__ import annotations

import queue
import random
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from gateway.client.bounded import bounded
from gateway.client.console import log
from gateway.client.source import MissingPackage

if TYPE_CHECKING:
    from gateway.client.connection import Gateway
    from gateway.client.source import Source

HEARTBEAT, JITTER = 10.0, 1.0
"""Seconds between two heartbeats, about."""
SNAPSHOT_EVERY = 10.0
LOGOUT_PATIENCE = 5.0
"""Seconds; with a snapshot under way and what `Gateway.close` waits for they stay within the
supervisor's 10 s after SIGINT."""


class Stopped(Exception):  # noqa: N818  # no error: somebody asked for the end
    """SIGINT or SIGTERM arrived."""


class Worker:
    """Runs one source for one gateway until `stop` yields the reason to end."""

    def __init__(
        self, gateway: Gateway, source: Source, stop: queue.SimpleQueue[Exception]
    ) -> None:
        self._gateway = gateway
        self._source = source
        self._stop = stop

    def run(self) -> int:
        """Serve; then log out, say the last words, and return the exit status."""
        status = 0
        try:
            self._gateway.tell("python_status", {"status": "connected"})
            self._gateway.start()
            self._serve()
        except Stopped as reason:
            log.info("stopping: %s", reason)
        except Exception as error:
            status = 3 if isinstance(error, MissingPackage) else 1
            log.error("%s: %s", type(error).__name__, error, exc_info=status == 1)
            self._gateway.complain(error, self._source.service)
        if not bounded("logging out", self._source.close, LOGOUT_PATIENCE):
            status = status or 1
        self._gateway.emit("python_status", {"status": "stopped", "exit_status": status})
        self._gateway.close()
        return status

    def _serve(self) -> NoReturn:
        while not self._gateway.connected:
            self._pause(0.05)
        for _ in self._source.open():
            self._pause(0)
        heartbeat = snapshot = time.monotonic()
        while True:
            now = time.monotonic()
            if heartbeat <= now:
                self._heartbeat()
                heartbeat = now + HEARTBEAT + random.uniform(-JITTER, JITTER)  # noqa: S311
            if snapshot <= now:
                self._source.snapshot()
                snapshot = now + SNAPSHOT_EVERY
            due = min(heartbeat, snapshot, self._source.step(now))
            self._pause(max(0, due - time.monotonic()))

    def _pause(self, seconds: float) -> None:
        with suppress(queue.Empty):
            raise self._stop.get(timeout=seconds)

    def _heartbeat(self) -> None:
        state = self._source.state()
        status = "running" if state["shioaji_connected"] else "waiting"
        connected = {"gateway_connected": self._gateway.connected}
        self._gateway.emit("heartbeat", {"status": status, **state, **connected})
