"""A folder as a reader of the documents has it, and what is typed there."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Final

from tests.commands.documents import ROOT
from tests.patience import PATIENCE
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

OURS: Final = ("SJGATEWAY_", "GATEWAY_", "PYTHON", "API_KEY", "SECRET_KEY", "SJ_")
"""Variables that a reader does not have begin so."""
ENDS: Final = (0, -signal.SIGINT, 128 + signal.SIGINT)
"""How a gateway, or the shell that it was typed into, ends after Ctrl-C."""
PORTS: Final = "3001|3002|6379|8000"
"""Those of the documents."""
RECORDING: Final = "2026-11-30-day.jsonl.zst"


def clone(folder: Path) -> Desk:
    """A desk with a clone's files, its `.venv` and a recording; pip says only what it would do."""
    (folder / ".venv").symlink_to(sys.prefix)
    for name in ("examples", "deploy"):
        made = shutil.ignore_patterns("node_modules", "dist")
        shutil.copytree(ROOT / name, folder / name, ignore=made)
    shutil.copy(ROOT / "main.py", folder)
    (folder / "recordings").mkdir()
    shutil.copy(ROOT / "examples" / RECORDING, folder / "recordings")
    path = f"{folder / '.venv' / 'bin'}:{os.environ['PATH']}"  # some commands name no folder
    return Desk(folder, PATH=path, PIP_DRY_RUN="1")


class Desk:
    """A folder, and a shell in it.

    Ports are free ones in the place of those that the documents name.
    """

    shell: Sequence[str] = ("bash", "-c")
    """The command that runs a command."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder = folder
        self.ports = {number: str(free_port()) for number in PORTS.split("|")}
        """By the numbers of the documents."""
        home = folder / "home"
        home.mkdir()
        kept = {name: text for name, text in os.environ.items() if not name.startswith(OURS)}
        self._environ = {
            **kept,
            "HOME": str(home),
            "XDG_STATE_HOME": str(home / "state"),
            "PYTHONUNBUFFERED": "1",
            "SJGATEWAY_PORT": self.ports["3001"],
            "TOKEN": "a-token-of-ours",
            **variables,
        }

    def _here(self, command: str) -> str:
        """The command with the ports of this desk."""
        command = command.replace("redis-server", "redis-server --port 6379")
        command = command.replace("redis://localhost", "redis://localhost:6379")
        command = command.replace("gateway tail", "gateway tail --url http://localhost:3001")
        command = re.sub(PORTS, lambda match: self.ports[match[0]], command)
        return command.replace("COMMAND", "tail")

    def type(self, command: str) -> str:
        """What a command prints on stdout; it must succeed."""
        done = subprocess.run(
            [*self.shell, self._here(command)], cwd=self.folder, env=self._environ,
            stdin=subprocess.DEVNULL, capture_output=True,
            text=True, check=False, timeout=PATIENCE,
        )  # fmt: skip
        assert not done.returncode, f"{command} fails:\n{done.stdout}{done.stderr}"
        return done.stdout

    @contextmanager
    def going_on(self, command: str) -> Iterator[Running]:
        """Within the block a command goes on, which Ctrl-C ends then."""
        with TemporaryFile("w+") as log:
            process = subprocess.Popen(
                [*self.shell, self._here(command)], cwd=self.folder, env=self._environ,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
            running = Running(command, process, log)
            try:
                yield running
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGINT)
                running.end()

    @contextmanager
    def gateway(
        self, command: str, route: str = "/readyz", *, patience: float = PATIENCE
    ) -> Iterator[Running]:
        """Within the block a gateway runs, of which that route answers 200 after a while."""
        port = self.ports["3002" if "3002" in command else "3001"]
        with self.going_on(command) as running:
            url = f"http://127.0.0.1:{port}{route}"
            running.until(lambda: answer(url) == 200, patience)
            yield running
        assert running.status in ENDS, f"{command} ends with {running.status}"


class Running:
    """A command that goes on."""

    def __init__(self, command: str, process: subprocess.Popen[bytes], log: IO[str]) -> None:
        self.status: int | None = None
        """Its exit status, when it has ended."""
        self._command = command
        self._process = process
        self._log = log

    def said(self) -> str:
        self._log.seek(0)
        return self._log.read()

    def until(self, condition: Callable[[], object], patience: float = PATIENCE) -> None:
        """Wait for so many seconds at most; it must not end meanwhile."""
        deadline = time.monotonic() + patience
        while not condition():
            ended = self._process.poll() is not None or time.monotonic() > deadline
            assert not ended, f"{self._command}:\n{self.said()}"
            time.sleep(0.05)

    def end(self) -> None:
        """Wait for its end, which was asked for."""
        try:
            self.status = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            raise AssertionError(f"{self._command} does not end:\n{self.said()}") from None


def answer(url: str) -> int:
    """The status of what is answered there; 0: nothing."""
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as found:
            return int(found.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0
