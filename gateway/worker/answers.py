"""What is told of the worker; nothing here changes anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.worker.process.usage import tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.worker.calendar.periodic_checks import PeriodicChecks
    from gateway.worker.keys.store import CredentialStore
    from gateway.worker.lifecycle.lifecycle import Lifecycle
    from gateway.worker.process.output import WorkerOutput
    from gateway.worker.process.usage import Usage
    from gateway.worker.readiness.overdue import LateWorkerChecks
    from gateway.worker.report import Reporter


class Answers:
    """The supervisor's half that only reads; its other half makes the parts that are asked."""

    _lifecycle: Lifecycle
    _reporter: Reporter
    _overdue: LateWorkerChecks
    _keys: CredentialStore
    _usage: Usage
    _checks: PeriodicChecks
    _output: WorkerOutput
    _wall: Callable[[], float]

    @property
    def running(self) -> bool:
        """Whether a worker process lives."""
        worker = self._lifecycle.worker
        return worker is not None and worker.alive

    @property
    def ready(self) -> bool:
        """Whether it said so, is connected to us and the broker, and its heartbeat is not late."""
        worker = self._lifecycle.worker
        return worker is not None and worker.alive and worker.vitals.ready

    def readiness(self) -> dict[str, Any]:
        """For `/readyz`: why it is ready or not."""
        worker = self._lifecycle.worker
        if worker is None or not worker.alive:
            return {"reason": f"the worker is {self.state}"}
        return {"reason": worker.vitals.lacking or "the worker is ready"}

    @property
    def state(self) -> str:
        """stopped, starting, running, stopping, backoff, exited or fatal."""
        return self._lifecycle.state.name

    @property
    def pid(self) -> int | None:
        """The worker's pid."""
        worker = self._lifecycle.worker
        return worker.pid if worker and worker.alive else None

    @property
    def guardian_pid(self) -> int | None:
        """The root of the worker's process tree, strays included; None while there is none."""
        worker = self._lifecycle.worker
        return worker.guardian if worker else None

    @property
    def generation(self) -> int:
        """How many workers there were."""
        return self._lifecycle.generation

    def health(self) -> dict[str, Any]:
        """For `/health`: state, since, restarts, lastExit."""
        return self._reporter.health()

    def status(self) -> dict[str, Any]:
        """For `/status`."""
        worker = self._lifecycle.worker
        return {
            **self._reporter.status(self._wall()),
            "running": self.running,
            "ready": self.ready,
            **self._overdue.status(worker),
            "overriddenKeys": self._keys.overridden,
            "broker": self._reporter.broker(self._wall()),
            "pid": self.pid,
            "guardianPid": self.guardian_pid,
            "uptime": round(worker.vitals.lived, 3) if worker and worker.alive else None,
            **self._usage.of(self.pid),
            "schedule": self._checks.status(),
        }

    @property
    def log_position(self) -> int:
        """The number of the next line that the worker prints."""
        return self._output.position

    def log_tail(self, lines: int) -> list[str]:
        """The last lines the workers printed, redacted, oldest first."""
        return self._output.tail(lines)

    def process_tree(self) -> set[int]:
        """The pids of the worker and of all it started."""
        return tree(self.guardian_pid)
