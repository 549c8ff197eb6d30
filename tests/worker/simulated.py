"""A whole supervisor in memory: its processes, its clock and its faults are the test's."""

from __future__ import annotations

import builtins
import fcntl
import io
import json
import os
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import psutil
from twisted.internet.defer import maybeDeferred
from twisted.internet.error import ProcessDone
from twisted.python.failure import Failure

from gateway.common import attempt
from gateway.system.linux import Linux
from gateway.worker.process.guarded import LIFELINE, STATUS, STDERR, STDOUT
from gateway.worker.process.tenure import UNSHARED
from gateway.worker.settings import WorkerSettings
from gateway.worker.supervisor import Supervisor

from .fakes import Time

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.worker.process.tenure import Tenure

FIRST_PID = 2**22 + 1
"""No system has such processes: what is looked up of them is gone."""
CALLS = (
    *((os, name) for name in ("access", "chmod", "fchmod", "fstat", "fsync", "getsid", "kill")),
    *((os, name) for name in ("listdir", "lstat", "mkdir", "open", "read", "replace", "scandir")),
    *((os, name) for name in ("stat", "unlink", "waitpid")),
    (builtins, "open"),
    (io, "open"),
    (fcntl, "flock"),
    (psutil, "Process"),
    (psutil, "pids"),
)
"""What the supervisor asks of the system, directly or through the standard library."""
ASIDE = ("linecache.py", "traceback.py", "twisted/logger", "twisted/python/failure.py", "unittest")
"""Who asks for the log's or the test's sake."""


class Faults:
    """Lets calls raise; `fails(number)` says which, counted from 1."""

    def __init__(self, error: int) -> None:
        self.error = error
        self.count = 0
        self.sites: list[str] = []
        """Of each call: what was called, and from where."""
        self.failed: list[str] = []
        self.fails: Callable[[int], bool] = lambda _: False
        self.active = False
        self.thread = threading.get_ident()

    def wrap(self, name: str, call: Callable[..., object]) -> Callable[..., object]:
        call = getattr(call, "real", call)  # not that of another simulation in this test
        if name == "fsync":
            call = _no_disk

        def wrapped(*arguments: object, **words: object) -> object:
            if self.active and threading.get_ident() == self.thread:
                self.check(name)
            return call(*arguments, **words)

        wrapped.real = call
        return wrapped

    def check(self, name: str) -> None:
        """`name` is called, by us or by others."""
        caller = _caller()
        if caller is None:
            return
        self.count += 1
        self.sites.append(f"{name} from {caller}")
        if self.fails(self.count):
            self.failed.append(self.sites[-1])
            raise OSError(self.error, os.strerror(self.error))


def _no_disk(_: int) -> None:
    """A sync that costs nothing: no power is cut here."""


def _caller() -> str | None:
    """The line of ours that calls; None: who calls is somebody else."""
    frame = sys._getframe(2)
    while frame is not None:
        file = frame.f_code.co_filename
        if any(word in file for word in ASIDE):
            return None
        if "gateway/worker" in file:
            return f"{file.rpartition('/')[2]}:{frame.f_lineno}"
        frame = frame.f_back
    return None


class Child:
    """A guardian and its worker, as the reactor would show them."""

    def __init__(self, reactor: Reactor, protocol, pid: int) -> None:
        self.reactor = reactor
        self.protocol = protocol
        self.pid = pid
        self.worker: int | None = None
        self.heard: list[str] = []
        """The lines of the lifeline."""
        self.pipes = dict.fromkeys((LIFELINE, STDOUT, STDERR, STATUS), SimpleNamespace(doRead=int))

    # -- the transport ----------------------------------------------------------------

    def writeToChild(self, fd: int, data: bytes) -> None:
        self.reactor.faults.check("write")
        for line in data.decode().splitlines():
            self.heard.append(line)
            if line.startswith("{"):
                self.asked = json.loads(line)
                self.reactor.callLater(0.01, self.begin)
            elif line in ("stop", "kill"):
                self.reactor.callLater(0.01, self.end, 0)

    def closeChildFD(self, fd: int) -> None:
        self.reactor.faults.check("close")
        self.pipes.pop(fd, None)
        if fd == LIFELINE:
            self.reactor.callLater(0.01, self.end, 0)

    def signalProcess(self, number: int) -> None:
        """It is not asleep."""

    # -- what the test does -----------------------------------------------------------

    def begin(self) -> None:
        if self.pid is not None:
            self.worker = self.pid + 1
            self.reactor.born(self)
            self.report(f"started {self.worker}")

    def say(self, text: str, fd: int = STDERR) -> None:
        self.protocol.childDataReceived(fd, text.encode())

    def report(self, line: str) -> None:
        self.protocol.childDataReceived(STATUS, line.encode() + b"\n")

    def end(self, status: int) -> None:
        """The worker ends, and the guardian after it."""
        if self.worker is not None:
            self.worker = None
            self.report(f"exited {status}")
        self.vanish()

    def vanish(self) -> None:
        """The guardian is gone."""
        if self.pid is not None:
            self.pid = self.worker = None
            self.protocol.processExited(Failure(ProcessDone(0)))


class Reactor(Time):
    """A clock that makes children."""

    def __init__(self, faults: Faults) -> None:
        super().__init__()
        self.faults = faults
        self.children: list[Child] = []
        self.most = 0

    def spawnProcess(self, protocol, *_: object, **__: object) -> None:
        self.faults.check("spawn")
        child = Child(self, protocol, FIRST_PID + 2 * len(self.children))
        self.children.append(child)
        protocol.makeConnection(child)

    def born(self, child: Child) -> None:
        alive = [each for each in self.children if each.worker is not None]
        self.most = max(self.most, len(alive))


class Simulation:
    """A supervisor, the calls of which may fail; `test` patches them and cleans up."""

    def __init__(self, test, error: int, tenure: Tenure = UNSHARED, **changes: object) -> None:
        folder = Path(test.mktemp()).absolute()
        folder.mkdir()
        (folder / "main.py").write_text("import os\n")
        (folder / ".env").write_text("API_KEY=key-of-the-env\n")
        self.faults = Faults(error)
        for module, name in CALLS:
            test.patch(module, name, self.faults.wrap(name, getattr(module, name)))
        test.patch(attempt, "_log", SimpleNamespace(error=self._note, failure=self._note))
        self.logged: list[str] = []
        self.reactor = Reactor(self.faults)
        self.told: list[dict[str, object]] = []
        self.supervisor = Supervisor(
            self.reactor,
            WorkerSettings(
                state_dir=folder / "state",
                python=sys.executable,
                credentials_file=folder / "keys" / "keys.env",
                schedule=("0 9 * * *",),
                **changes,
            ),
            lambda _, value: self.told.append(value),
            environ={"PATH": ""},
            cwd=folder,
            wall=self.reactor.wall,
            random=lambda: 0.0,
            system=Linux(),
            tenure=tenure,
            in_thread=maybeDeferred,
        )

    def _note(self, text: str, **words: object) -> None:
        self.logged.append(text.format(**words))

    @property
    def child(self) -> Child | None:
        """The newest, if it lives."""
        alive = [child for child in self.reactor.children if child.pid is not None]
        return alive[-1] if alive else None

    def advance(self, seconds: float, step: float = 0.25) -> None:
        """Time passes, and then `/status` is asked."""
        self.reactor.pump([step] * int(seconds / step))
        self.supervisor.status()
        self.supervisor.health()

    def ask(self, answer) -> list[object]:
        outcome: list[object] = []
        answer.addCallbacks(outcome.append, lambda failure: outcome.append(failure.value))
        return outcome
