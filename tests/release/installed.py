"""What must be true where the wheel is installed: in an environment that has nothing else.

Each check returns what it saw, and raises `Wrong`.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway import __version__
from tests.patience import PATIENCE
from tests.ports import free_port
from tests.release.building import Built, build, clean, expect, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BEFORE = "0.0.1"
"""The version that stands for the one before: the same code under another number."""
BOUND = ("setpriv", "--bounding-set=-dac_override")
"""Lets root be bound by permissions, as others are."""
ENDS = (0, -signal.SIGTERM)
"""How twistd ends after SIGTERM: it may send the signal to itself again when all is done."""


@dataclass(frozen=True)
class Installation:
    """An environment in the folder `venv` of `folder`."""

    folder: Path

    def program(self, name: str) -> str:
        return str(self.folder / "venv" / "bin" / name)

    def pip(self, *arguments: str) -> None:
        run([self.program("python"), "-m", "pip", *arguments], self.folder)

    def twistd(self, *options: str) -> list[str]:
        return [self.program("twistd"), "-n", "--pidfile=", "sjgateway", "--demo", *options]

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
    def demonstration(self, home: Path, *before: str) -> Iterator[Running]:
        """One that runs in an empty folder of `home` until the end of the block.

        `before`: a command that runs the command which follows it.
        """
        empty, port = home / "empty", free_port()
        command = [*before, *self.twistd("--port", str(port))]
        with (home / "log").open("w") as log:
            process = subprocess.Popen(
                command, cwd=empty, env=at_home(home), stdout=log, stderr=log
            )
        running = Running(process, f"http://127.0.0.1:{port}", home / "log")
        try:
            running.until("worker that is ready", lambda: running.answer("/readyz") == 200)
            yield running
            process.send_signal(signal.SIGTERM)
            status = process.wait(PATIENCE)
            expect(status in ENDS, f"it ends with {status}:\n{running.said()}")
            expect("Traceback" not in running.said(), running.said())
            left = list(empty.iterdir())
            expect(not left, f"it left {left} in its folder")
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


@dataclass(frozen=True)
class Running:
    """A gateway in a process of its own."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

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
        self.until("worker that is ready", lambda: self.answer("/readyz") == 200)


def new_home(folder: Path) -> Path:
    """A user's folder, and an empty one in it."""
    (folder / "empty").mkdir(parents=True)
    return folder


def at_home(home: Path) -> dict[str, str]:
    return {**clean(), "HOME": str(home), "XDG_STATE_HOME": str(home / "state")}


def upgrade(built: Built, _: str | None) -> str:
    """From the wheel of the version before to this one and back: same process, same worker."""
    before = build(built.folder / "before", BEFORE)
    run([sys.executable, "-m", "venv", "venv"], built.folder)
    installation = Installation(built.folder)
    installation.pip("install", f"{before.wheel}[worker]")
    with installation.demonstration(new_home(built.folder / "home")) as running:
        worker = running.worker()
        for wheel, version in ((built.wheel, __version__), (before.wheel, BEFORE)):
            installation.pip("install", str(wheel))
            running.hand_over(version)
            expect(running.worker() == worker, f"another worker runs:\n{running.said()}")
    installation.pip("install", str(built.wheel))
    return f"{BEFORE}, {__version__} and {BEFORE} again, with one worker"


def empty_folder(built: Built, _: str | None) -> str:
    """The demonstration, its page, its events and its check; nothing can be written there."""
    installation = Installation(built.folder)
    installation.pip("check")
    home = new_home(built.folder / "another")
    bound = () if os.geteuid() else BOUND
    with installation.read_only(), installation.demonstration(home, *bound) as running:
        page = running.get("/").decode()
        files = re.findall(r'"(static/[\w./-]+)"', page)
        for path in files:
            expect(running.get(f"/{path}"), f"{path} is empty")
        name = first_event(installation, running.url, home)
        trade = first_trade(installation, running.url, home)
    checked = run(installation.twistd("--check"), home / "empty", **at_home(home))
    lines = len(checked.splitlines())
    return f"{len(files)} files of the page; {name}; {trade}; {lines} lines of --check"


def first_event(installation: Installation, url: str, folder: Path) -> str:
    """The name of the first event that `tail` shows."""
    tail = [installation.program("python"), "-m", "gateway", "tail", "--json", "--url", url]
    return str(json.loads(first_line(tail, folder))["e"][0])


def first_trade(installation: Installation, url: str, folder: Path) -> str:
    """What the example of a front end in Python prints first."""
    example = installation.folder / "venv" / "share" / "sjgateway" / "examples" / "python"
    return first_line([installation.program("python"), str(example / "feed.py"), url], folder)


def first_line(command: list[str], folder: Path) -> str:
    """What a command that goes on for ever prints first."""
    with subprocess.Popen(command, cwd=folder, env=clean(), stdout=subprocess.PIPE) as listener:
        assert listener.stdout is not None
        line = listener.stdout.readline()
        listener.terminate()
    expect(line, f"{' '.join(command)} prints nothing")
    return line.decode().rstrip()
