"""What log, browsers, `/health`, `/readyz` and `/status` are told; it changes nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
from twisted.logger import Logger, LogLevel

from gateway.common.times import iso
from gateway.market.events import WORKER_STATUS
from gateway.worker.lifecycle.classification import ADVICE
from gateway.worker.readiness.overdue import UNCONNECTED, UNREADY

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.worker.calendar.periodic_checks import PeriodicChecks
    from gateway.worker.keys.store import CredentialStore
    from gateway.worker.lifecycle.broker_limits import BrokerLimits
    from gateway.worker.lifecycle.exits import Exit, PastExit
    from gateway.worker.lifecycle.lifecycle import Lifecycle
    from gateway.worker.lifecycle.protocols import WorkerRun
    from gateway.worker.process.installed import Program
    from gateway.worker.process.usage import Usage
    from gateway.worker.readiness.overdue import LateWorkerChecks

_log = Logger(namespace="gateway.worker")

WITH_EXIT = frozenset(("stopped", "exited", "backoff", "fatal"))
"""States in which there is no worker: they tell how the last one ended."""
MAX_STDERR_LINE = 500
"""Characters of a line of stderr that browsers are told."""


class WorkerReport:
    """Reads the life-cycle and the parts around it, and says it as JSON values.

    `now` is always seconds since 1970.  `shown_url()` is the gateway's URL as it may be shown.
    `program()` is what was started last, if anything.  `mark`: see `WorkerSettings`.
    """

    def __init__(
        self,
        lifecycle: Lifecycle,
        limits: BrokerLimits,
        *,
        checks: PeriodicChecks,
        overdue: LateWorkerChecks,
        keys: CredentialStore,
        usage: Usage,
        shown_url: Callable[[], str],
        program: Callable[[], Program | None],
        mark: str = "",
    ) -> None:
        self._marks = {mark: True} if mark else {}
        self._lifecycle = lifecycle
        self._limits = limits
        self._checks = checks
        self._overdue = overdue
        self._keys = keys
        self._usage = usage
        self._shown_url = shown_url
        self._program = program

    def event(self, now: float, status: str | None = None) -> dict[str, Any]:
        """The one argument of `python_status`; every key is always there.

        `status`: None: the state; or what else has happened, such as `exited`.
        """
        lifecycle = self._lifecycle
        status = status or lifecycle.state.name
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
            "stderr": [line[:MAX_STDERR_LINE] for line in worker.last_stderr]
            if worker and ended
            else [],
            "nextStartAt": iso(planned[0]) if planned else None,
            "nextStartIn": round(planned[1], 3) if planned else None,
            "restarts": self.restarts,
            "budget": self._limits.budget(),
            "timestamp": iso(now),
            **self._marks,
        }

    def health(self) -> dict[str, Any]:
        """What `/health` tells besides its three fields: how the worker is, and its mark."""
        lifecycle = self._lifecycle
        return {
            "state": lifecycle.state.name,
            "since": iso(lifecycle.state.since),
            "restarts": self.restarts,
            "lastExit": next(map(_exit, lifecycle.last_exits), None),
            **self._marks,
        }

    def readiness(self) -> dict[str, Any]:
        """What `/readyz` tells: why the worker is ready or not."""
        worker = self._lifecycle.live_worker
        if worker is None:
            return {"reason": f"the worker is {self._lifecycle.state.name}", **self._marks}
        return {"reason": worker.vitals.lacking or "the worker is ready", **self._marks}

    def status(self, now: float) -> dict[str, Any]:
        """The worker's part of `/status`: as `health`, and the process, the plans and the past."""
        lifecycle = self._lifecycle
        worker, alive = lifecycle.worker, lifecycle.live_worker
        pid = alive.pid if alive else None
        planned = self._planned(now)
        hold = self._limits.hold(person=True)
        exits = [{**_exit(each), "lastLine": each.end.last_line} for each in lifecycle.last_exits]
        return {
            **self.health(),
            "lastExit": exits[0] if exits else None,
            "generation": lifecycle.generation,
            "nextStartAt": iso(planned[0]) if planned else None,
            "nextStartIn": round(planned[1], 3) if planned else None,
            "budget": self._limits.budget(),
            "heldBy": lifecycle.state.held_by or None,
            "pausedFor": round(hold.seconds, 3) if hold else None,
            "exits": exits,
            "running": alive is not None,
            "ready": alive is not None and alive.vitals.ready,
            **self._overdue.status(worker),
            "overriddenKeys": self._keys.overridden,
            "broker": self._broker(now),
            "program": (program := self._program()) and attrs.asdict(program),
            "pid": pid,
            "guardianPid": worker.guardian if worker else None,
            "uptime": round(alive.vitals.lived, 3) if alive else None,
            "adoptedAt": self._adopted_at(now),
            **self._usage.of(pid),
            "schedule": self._checks.status(),
        }

    @property
    def restarts(self) -> int:
        """Starts after the first."""
        return max(0, self._lifecycle.generation - 1)

    def _adopted_at(self, now: float) -> str | None:
        """When the worker was taken over from the gateway before; None: it is our own, or gone."""
        worker = self._lifecycle.live_worker
        if worker is None or worker.adopted is None:
            return None
        return iso(now - worker.vitals.lived + worker.adopted)

    def _broker(self, now: float) -> dict[str, Any]:
        """What the worker says of its session with the broker; None: nothing, or there is none."""
        worker = self._lifecycle.live_worker
        if worker is None:
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
        opens = self._checks.reopens
        return None if opens is None else (opens, opens - now)

    def _message(self, now: float, status: str, ended: Exit | None, cause: str | None) -> str:
        if status == UNREADY and self._lifecycle.worker is not None:
            lived = self._lifecycle.worker.vitals.lived
            return f"The worker is not ready {lived:.0f} s after its start; its login may hang"
        if status == UNCONNECTED:
            return self._overdue.not_connected(self._lifecycle.worker, self._shown_url())
        end = "" if ended is None else str(ended) + (f" ({cause})" if cause else "")
        state = self._lifecycle.state
        starts_in, held_by = state.starts_in, state.held_by
        if starts_in is not None and (end or held_by):
            why = "; ".join(filter(None, (end and f"it {end}", held_by)))
            return f"The worker is to start in {starts_in:.1f} s: {why}"
        if status == state.name and held_by:
            return f"The worker is not started now: {held_by}"
        opens = self._planned(now)
        if status == "stopped" and opens:
            return f"The worker is down until its session opens: {iso(opens[0])}"
        if ended is None:
            worker = self._lifecycle.live_worker
            over = worker and worker.adopted is not None and status == state.name == "running"
            how = ": taken over from the gateway before this one, without a login" if over else ""
            return f"The worker is {status}{how}"
        if status == "fatal":
            return f"The worker stays down until someone starts it: it {end}"
        return f"The worker {end}" if status == "exited" else f"The worker is {status}"


class WorkerNews:
    """Tells the log and the browsers what has happened; the `LifecycleListener`.

    `event(status)` makes the argument of `python_status`, where `status` None is the present
    state; `emit(name, argument)` tells browsers.
    """

    def __init__(
        self,
        event: Callable[[str | None], dict[str, Any]],
        emit: Callable[[str, dict[str, Any]], object],
    ) -> None:
        self._event = event
        self._emit = emit

    def state_changed(self) -> None:
        """The state is another one, or the planned start is."""
        self.tell()

    def worker_exited(self, worker: WorkerRun) -> None:
        """The process of `worker` is gone."""
        self.tell("exited")

    def tell(self, status: str | None = None) -> None:
        """Tell `status`, the present state by default."""
        event = self._event(status)
        level = LogLevel.warn if event["status"] in (UNREADY, UNCONNECTED) else LogLevel.info
        _log.emit(level, "{message}", message=event["message"], tag="Python")
        try:
            self._emit(WORKER_STATUS, event)
        except Exception:
            _log.failure("The browsers could not be told", tag="Python")


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
