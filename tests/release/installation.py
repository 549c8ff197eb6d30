"""An environment that has nothing but the wheel and what it needs, and gateways that run there."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.patience import PATIENCE
from tests.ports import free_port
from tests.release.building import clean, expect, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

ENDS = (0, -signal.SIGTERM)
"""How twistd ends after SIGTERM: it may send the signal to itself again when all is done."""


@dataclass(frozen=True)
class Installation:
    """An environment in the folder `.venv` of `folder`."""

    folder: Path

    def program(self, name: str) -> str:
        return str(self.folder / ".venv" / "bin" / name)

    def pip(self, *arguments: str) -> None:
        run([self.program("python"), "-m", "pip", *arguments], self.folder)

    def twistd(self, *options: str) -> list[str]:
        return [self.program("twistd"), "-n", "--pidfile=", "sjgateway", *options]

    @property
    def shared(self) -> Path:
        """Its `share/sjgateway`."""
        return self.folder / ".venv" / "share" / "sjgateway"

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Nobody can write into it within the block; root can't without `BOUND`."""
        venv = self.program("..")
        run(["chmod", "-R", "a-w", venv], self.folder)
        try:
            yield
        finally:
            run(["chmod", "-R", "u+w", venv], self.folder)

    @contextmanager
    def gateway(
        self, home: Path, *options: str, before: Sequence[str] = (), ready: str = "/readyz"
    ) -> Iterator[Running]:
        """One that runs in the folder `here` of `home` until the end of the block.

        `before`: a command that runs the command which follows it.  `ready`: the route that answers
        200 when it can be used.  The folder must be as it was then.
        """
        port, folder = free_port(), home / "here"
        command = [*before, *self.twistd(*options, "--port", str(port))]
        there = sorted(folder.rglob("*"))
        with (home / "log").open("w") as log:
            process = subprocess.Popen(
                command, cwd=folder, env=at_home(home), stdout=log, stderr=log
            )
        running = Running(process, port, home / "log")
        try:
            running.until(f"{ready} that is 200", lambda: running.answer(ready) == 200)
            yield running
            process.send_signal(signal.SIGTERM)
            status = process.wait(PATIENCE)
            expect(status in ENDS, f"it ends with {status}:\n{running.said()}")
            own = [line for line in running.said().splitlines() if "[Python stderr]" not in line]
            expect("Traceback" not in "".join(own), running.said())
            left = set(folder.rglob("*")).difference(there)
            expect(not left, f"it left {left} in its folder")
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


@dataclass(frozen=True)
class Running:
    """A gateway in a process of its own."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def said(self) -> str:
        return self.log.read_text("utf-8", "replace")

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"{self.url}{path}", timeout=PATIENCE) as answer:
            return bytes(answer.read())

    def answer(self, path: str) -> int:
        """The status of the answer; 0: there was none."""
        try:
            self.get(path)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0
        return 200

    def worker(self) -> int:
        """Its process's number."""
        return int(json.loads(self.get("/status"))["pid"])

    def until(self, what: str, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            ended = self.process.poll() is not None or time.monotonic() > deadline
            expect(not ended, f"no {what}:\n{self.said()}")
            time.sleep(0.05)

    def hand_over(self, version: str) -> None:
        """Let what is installed now, of that version, take over."""
        begun = len(self.said())
        self.process.send_signal(signal.SIGUSR2)
        started = f"This is sjgateway {version},"
        self.until(f"hand-over to {version}", lambda: started in self.said()[begun:])
        self.until("/readyz that is 200", lambda: self.answer("/readyz") == 200)


def new_home(folder: Path) -> Path:
    """A user's folder, and an empty one in it, in which commands run."""
    (folder / "here").mkdir(parents=True)
    return folder


def at_home(home: Path) -> dict[str, str]:
    return {**clean(), "HOME": str(home), "XDG_STATE_HOME": str(home / "state")}


def first_line(command: list[str], folder: Path) -> str:
    """What a command that goes on for ever prints first."""
    with subprocess.Popen(command, cwd=folder, env=clean(), stdout=subprocess.PIPE) as listener:
        assert listener.stdout is not None
        late = threading.Timer(PATIENCE, listener.kill)
        late.start()
        line = listener.stdout.readline()
        listener.kill()
        late.cancel()
    expect(line, f"{' '.join(command)} prints nothing")
    return line.decode().rstrip()
