"""Supervisors with real processes, and patiences short enough for tests."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from gateway.worker.process import usage
from gateway.worker.settings import WorkerSettings
from gateway.worker.supervisor import Supervisor
from tests.patience import PATIENCE
from tests.system.this import SYSTEM

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

CHILDREN = Path(__file__).parents[1] / "children"
KNOWN = ("trades", "is_connected", "spoke_version_3")
"""What a supervisor is told besides its settings."""
DEAF = {"patience_login": 0.2, "patience_interrupt": 0.2}
"""For workers that ignore SIGINT."""
SHORT = {**DEAF, "patience_terminate": 0.2}
"""For workers that ignore SIGTERM, too."""


async def soon(condition, what: str = "") -> Any:
    """Wait until `condition()` is true."""
    for _ in range(int(PATIENCE / 0.01)):
        result = condition()
        if result:
            return result
        await deferLater(reactor, 0.01)
    raise AssertionError(f"never came: {what or condition}")


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class RealTestCase(TestCase):
    """Makes supervisors and sees to it that nothing is left of them."""

    timeout = 2 * PATIENCE

    def setUp(self) -> None:
        # The machine's counter is that of other tests, too.
        self.patch(type(SYSTEM), "memory_kills", lambda _: ())
        self.patch(usage, "LOOK_INTERVAL", 0.02)
        self.patch(usage, "LOOKS", 3)

    def supervisor(self, script: str | Path, *arguments: str, **changes: Any) -> Supervisor:
        """One for `script` of tests/children, with its journal at `self.journal`."""
        self.folder = self.new_folder()
        self.journal = self.folder / "journal"
        self.events: list[dict[str, Any]] = []
        # A worker is not measured: the tracer, as it starts, may swallow an interrupt.
        inherited = {name: os.environ[name] for name in os.environ if "COVERAGE" not in name}
        environ = {**inherited, "JOURNAL": str(self.journal), **changes.pop("environ", {})}
        told = {name: changes.pop(name) for name in KNOWN if name in changes}
        given = {
            "state_dir": self.folder / "state",
            "main": CHILDREN / script,
            "python": sys.executable,
            "arguments": arguments,
            "patience_login": PATIENCE,
            "patience_interrupt": PATIENCE,
            "patience_terminate": PATIENCE,
            "patience_strays": 0.1,
            "settle": PATIENCE,
            "backoff_first": 0.1,
        }
        made = Supervisor(
            reactor,
            WorkerSettings(**{**given, **changes}),
            self.emit,
            environ=environ,
            cwd=self.folder,
            random=lambda: 0.0,
            system=SYSTEM,
            **told,
        )
        self.addCleanup(made.stop, now=True)
        return made

    def new_folder(self) -> Path:
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        return folder

    def emit(self, name: str, value: dict[str, Any]) -> None:
        self.assertEqual(name, "python_status")
        self.events.append(value)

    @property
    def told(self) -> list[str]:
        return [event["status"] for event in self.events]

    def noted(self, word: str) -> list[int]:
        """The pids that noted `word` in the journal."""
        if not self.journal.exists():
            return []
        lines = (line.split() for line in self.journal.read_text().splitlines())
        return [int(pid) for said, pid in lines if said == word]

    async def up(self, supervisor: Supervisor, word: str = "start") -> int:
        """Start it, wait until it runs and noted `word`; its pid."""
        supervisor.start()
        await soon(lambda: supervisor.state == "running" and self.noted(word), "a running worker")
        assert supervisor.pid is not None
        return supervisor.pid

    async def is_running(self, supervisor: Supervisor) -> None:
        await soon(lambda: supervisor.state == "running" and self.noted("start"))

    async def is_told(self, status: str, count: int = 1) -> dict[str, Any]:
        """Wait until browsers were told `status` for the `count`th time."""
        await soon(lambda: self.told.count(status) >= count, status)
        return [event for event in self.events if event["status"] == status][count - 1]


def outcome(deferred: Deferred[Any]) -> list[Any]:
    """A list that will hold the result, or the error."""
    results: list[Any] = []
    deferred.addCallbacks(results.append, lambda failure: results.append(failure.value))
    return results
