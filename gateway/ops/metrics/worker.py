"""Metrics of the worker."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from gateway.market.events import WORKER_STATUS
from gateway.ops.metrics.families import counter, gauge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from prometheus_client.metrics_core import Metric

STATES = ("stopped", "starting", "running", "stopping", "exited", "backoff", "fatal")
ASKED = "asked"
"""The label of exits that the gateway had asked for."""


class WorkerMetrics:
    """Reads the supervisor's `status()`, and counts exits by the events that it publishes."""

    def __init__(self, status: Callable[[], Mapping[str, Any]]) -> None:
        self._status = status
        self._exits: Counter[str] = Counter()

    def published(self, name: str, value: Mapping[str, Any]) -> None:
        """The gateway published the event `name` with the argument `value`."""
        if name == WORKER_STATUS and value["status"] == "exited":
            self._exits[ASKED if value["asked"] else value["class"]] += 1

    def collect(self) -> Iterator[Metric]:
        status = self._status()
        budget = status["budget"]
        states = {state: float(state == status["state"]) for state in STATES}
        yield gauge("worker_state", "The worker's state: 1 for the present one", states, "state")
        yield gauge("worker_up", "Whether the worker runs: 1 or 0", float(status["running"]))
        yield gauge("worker_ready", "Whether the worker is ready: 1 or 0", float(status["ready"]))
        yield gauge(
            "worker_in_session",
            "Whether a window of --sessions is open, or there is none: 1 or 0",
            float(status["schedule"]["inSession"]),
        )
        yield gauge(
            "worker_broker_connected",
            "Whether the worker has its session with the broker: 1 or 0",
            _number(status["broker"]["connected"]),
        )
        yield gauge("worker_uptime_seconds", "Since the worker's start", status["uptime"])
        yield counter("worker_restarts", "Starts of the worker after the first", status["restarts"])
        yield counter("worker_exits", "Ends of the worker by class", self._exits, "class")
        yield gauge("worker_starts_today", "Starts in the ledger's trading day", budget["used"])
        saved = budget["saved"]
        yield gauge("worker_logins_saved_today", "Workers taken over without a login", saved)
        yield gauge("worker_budget", "Starts that a trading day may have", budget["limit"])
        yield gauge(
            "worker_pause_seconds", "Left of the broker's pause", status["pausedFor"] or 0.0
        )
        yield gauge("worker_next_start_seconds", "Until the planned start", status["nextStartIn"])


def _number(yes: bool | None) -> float | None:
    """None stays None: then there is no sample."""
    return None if yes is None else float(yes)
