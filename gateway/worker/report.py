"""What browsers, `/health` and `/status` are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.worker.lifecycle.classification import ADVICE
from gateway.worker.times import iso
from gateway.worker.unready import UNREADY

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.worker.keeper import Keeper
    from gateway.worker.lifecycle.broker_limits import BrokerLimits
    from gateway.worker.lifecycle.exits import Ending, Exit

WITH_EXIT = frozenset(("stopped", "exited", "backoff", "fatal"))
"""States in which there is no worker: they tell how the last one ended."""
WORDS = 500
"""Characters of a line of stderr that browsers are told."""


class Reporter:
    """Reads the keeper and the limits."""

    def __init__(
        self,
        keeper: Keeper,
        limits: BrokerLimits,
        reopens: Callable[[], float | None] = lambda: None,
    ) -> None:
        self._keeper = keeper
        self._limits = limits
        self._reopens = reopens

    def event(self, now: float, status: str) -> dict[str, Any]:
        """The one argument of `python_status`; every key is always there.

        `status` is the state, or `exited` for an exit that was asked for.
        """
        keeper = self._keeper
        run = keeper.run
        ended = run.exit if run and status in WITH_EXIT else None
        cause = run.cause if run and ended else None
        planned = self._planned(now)
        return {
            "status": status,
            "message": self._message(now, status, ended, cause),
            "pid": run.pid if run and run.alive else None,
            "generation": keeper.generation,
            "exitCode": ended and ended.code,
            "signal": ended and ended.signal,
            "asked": ended and ended.asked,
            "class": cause,
            "advice": ADVICE.get(cause or ""),
            "stderr": [line[:WORDS] for line in run.last_words] if run and ended else [],
            "nextStartAt": iso(planned[0]) if planned else None,
            "nextStartIn": round(planned[1], 3) if planned else None,
            "restarts": self.restarts,
            "budget": self._limits.budget(),
            "timestamp": iso(now),
        }

    def health(self) -> dict[str, Any]:
        """What `/health` tells besides its three fields."""
        keeper = self._keeper
        return {
            "state": keeper.state,
            "since": iso(keeper.since),
            "restarts": self.restarts,
            "lastExit": next(map(_exit, keeper.history), None),
        }

    def status(self, now: float) -> dict[str, Any]:
        """As `health`, and the plans and the past."""
        keeper = self._keeper
        planned = self._planned(now)
        hold = self._limits.hold(person=True)
        return {
            **self.health(),
            "generation": keeper.generation,
            "nextStartAt": iso(planned[0]) if planned else None,
            "nextStartIn": round(planned[1], 3) if planned else None,
            "budget": self._limits.budget(),
            "heldBy": keeper.held_by or None,
            "pausedFor": round(hold.seconds, 3) if hold else None,
            "exits": list(map(_exit, keeper.history)),
        }

    @property
    def restarts(self) -> int:
        """Starts after the first."""
        return max(0, self._keeper.generation - 1)

    def broker(self, now: float) -> dict[str, Any]:
        """What the worker says of its session with the broker; None: nothing, or there is none."""
        run = self._keeper.run
        if run is None or not run.alive:
            return {"connected": None, "since": None}
        lasted = run.vitals.broker_for
        return {
            "connected": run.vitals.broker,
            "since": None if lasted is None else iso(now - lasted),
        }

    def _planned(self, now: float) -> tuple[float, float] | None:
        """When the next start is planned: seconds since 1970, and from `now`."""
        opens = self._reopens()
        return self._keeper.next_start or (None if opens is None else (opens, opens - now))

    def _message(self, now: float, status: str, ended: Exit | None, cause: str | None) -> str:
        if status == UNREADY and self._keeper.run is not None:
            lived = self._keeper.run.vitals.lived
            return f"The worker is not ready {lived:.0f} s after its start; its login may hang"
        end = "" if ended is None else str(ended) + (f" ({cause})" if cause else "")
        planned, held_by = self._keeper.next_start, self._keeper.held_by
        if planned and (end or held_by):
            why = "; ".join(filter(None, (end and f"it {end}", held_by)))
            return f"The worker is to start in {planned[1]:.1f} s: {why}"
        opens = self._planned(now)
        if status == "stopped" and opens:
            return f"The worker is down until its session opens: {iso(opens[0])}"
        if ended is None:
            return f"The worker is {status}"
        if status == "fatal":
            return f"The worker stays down until someone starts it: it {end}"
        return f"The worker {end}" if status == "exited" else f"The worker is {status}"


def _exit(ending: Ending) -> dict[str, Any]:
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
