"""What browsers, `/health` and `/status` are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.common.times import iso
from gateway.worker.lifecycle.classification import ADVICE
from gateway.worker.readiness.overdue import UNREADY

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.worker.lifecycle.broker_limits import BrokerLimits
    from gateway.worker.lifecycle.exits import Exit, PastExit
    from gateway.worker.lifecycle.lifecycle import Lifecycle

WITH_EXIT = frozenset(("stopped", "exited", "backoff", "fatal"))
"""States in which there is no worker: they tell how the last one ended."""
WORDS = 500
"""Characters of a line of stderr that browsers are told."""


class Reporter:
    """Reads the life-cycle and the broker's limits."""

    def __init__(
        self,
        lifecycle: Lifecycle,
        limits: BrokerLimits,
        reopens: Callable[[], float | None] = lambda: None,
    ) -> None:
        self._lifecycle = lifecycle
        self._limits = limits
        self._reopens = reopens

    def event(self, now: float, status: str) -> dict[str, Any]:
        """The one argument of `python_status`; every key is always there.

        `status` is the state, or `exited` for an exit that was asked for.
        """
        lifecycle = self._lifecycle
        worker = lifecycle.worker
        ended = worker.exit if worker and status in WITH_EXIT else None
        cause = worker.cause if worker and ended else None
        planned = self._planned(now)
        return {
            "status": status,
            "message": self._message(now, status, ended, cause),
            "pid": worker.pid if worker and worker.alive else None,
            "generation": lifecycle.generation,
            "exitCode": ended and ended.code,
            "signal": ended and ended.signal,
            "asked": ended and ended.asked,
            "class": cause,
            "advice": ADVICE.get(cause or ""),
            "stderr": [line[:WORDS] for line in worker.last_stderr] if worker and ended else [],
            "nextStartAt": iso(planned[0]) if planned else None,
            "nextStartIn": round(planned[1], 3) if planned else None,
            "restarts": self.restarts,
            "budget": self._limits.budget(),
            "timestamp": iso(now),
        }

    def health(self) -> dict[str, Any]:
        """What `/health` tells besides its three fields."""
        lifecycle = self._lifecycle
        return {
            "state": lifecycle.state.name,
            "since": iso(lifecycle.state.since),
            "restarts": self.restarts,
            "lastExit": next(map(_exit, lifecycle.history), None),
        }

    def status(self, now: float) -> dict[str, Any]:
        """As `health`, and the plans and the past."""
        lifecycle = self._lifecycle
        planned = self._planned(now)
        hold = self._limits.hold(person=True)
        return {
            **self.health(),
            "generation": lifecycle.generation,
            "nextStartAt": iso(planned[0]) if planned else None,
            "nextStartIn": round(planned[1], 3) if planned else None,
            "budget": self._limits.budget(),
            "heldBy": lifecycle.state.held_by or None,
            "pausedFor": round(hold.seconds, 3) if hold else None,
            "exits": list(map(_exit, lifecycle.history)),
        }

    @property
    def restarts(self) -> int:
        """Starts after the first."""
        return max(0, self._lifecycle.generation - 1)

    def broker(self, now: float) -> dict[str, Any]:
        """What the worker says of its session with the broker; None: nothing, or there is none."""
        worker = self._lifecycle.worker
        if worker is None or not worker.alive:
            return {"connected": None, "since": None}
        lasted = worker.vitals.broker_for
        return {
            "connected": worker.vitals.broker,
            "since": None if lasted is None else iso(now - lasted),
        }

    def _planned(self, now: float) -> tuple[float, float] | None:
        """When the next start is planned: seconds since 1970, and from `now`."""
        starts_in = self._lifecycle.state.starts_in
        if starts_in is not None:
            return now + starts_in, starts_in
        opens = self._reopens()
        return None if opens is None else (opens, opens - now)

    def _message(self, now: float, status: str, ended: Exit | None, cause: str | None) -> str:
        if status == UNREADY and self._lifecycle.worker is not None:
            lived = self._lifecycle.worker.vitals.lived
            return f"The worker is not ready {lived:.0f} s after its start; its login may hang"
        end = "" if ended is None else str(ended) + (f" ({cause})" if cause else "")
        state = self._lifecycle.state
        starts_in, held_by = state.starts_in, state.held_by
        if starts_in is not None and (end or held_by):
            why = "; ".join(filter(None, (end and f"it {end}", held_by)))
            return f"The worker is to start in {starts_in:.1f} s: {why}"
        opens = self._planned(now)
        if status == "stopped" and opens:
            return f"The worker is down until its session opens: {iso(opens[0])}"
        if ended is None:
            return f"The worker is {status}"
        if status == "fatal":
            return f"The worker stays down until someone starts it: it {end}"
        return f"The worker {end}" if status == "exited" else f"The worker is {status}"


def _exit(ending: PastExit) -> dict[str, Any]:
    when, end, cause = ending
    return {
        "at": iso(when),
        "pid": end.pid,
        "code": end.code,
        "signal": end.signal,
        "class": cause,
        "advice": ADVICE.get(cause or ""),
        "asked": end.asked,
        "sent": end.sent,
        "seconds": None if end.seconds is None else round(end.seconds, 3),
        "lived": round(end.lived, 3),
        "reason": str(end),
    }
