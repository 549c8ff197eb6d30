"""A gateway of its own for each measurement."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import closing, contextmanager
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    Start = Callable[..., AbstractContextManager["Server"]]

PATIENCE = 60
"""Seconds in which a server has to be there."""
ROOT = Path(__file__).parents[1]
MODULES = ROOT / "tests" / "interop" / "node_modules"


class Server:
    """A running gateway and what it has used so far."""

    def __init__(self, port: int, pid: int, name: str = "") -> None:
        self.port = port
        self.name = name
        self.pid = pid
        self._process = psutil.Process(pid)

    def cpu(self) -> float:
        """Seconds of processor time, user and system."""
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def reactor_cpu(self) -> float:
        """Seconds of processor time of the reactor's thread alone, by the scheduler's account."""
        account = Path(f"/proc/{self.pid}/task/{self.pid}/schedstat").read_text("ascii")
        return int(account.split()[0]) / 1e9

    def memory(self) -> int:
        """Bytes of resident memory."""
        return int(self._process.memory_info().rss)


@contextmanager
def running(*options: str) -> Iterator[Server]:
    """A gateway without a worker, on a free port."""
    with _running("--no-worker", *options) as server:
        yield server


def gateway(*features: str) -> AbstractContextManager[Server]:
    """The same with `features` of `node`, of which recovery needs no option."""
    return running(*[f"--{each}" for each in features if each != "recovery"])


@contextmanager
def node(*features: str) -> Iterator[Server]:
    """A relay on Node.js with these of deflate, eio3 and recovery."""
    port = free_port()
    command = ["node", str(Path(__file__).with_name("peer.mjs")), str(port), *features]
    with process(command, port, {**os.environ, "MODULES": str(MODULES)}) as pid:
        yield Server(port, pid, "Node.js: ")


@contextmanager
def supervising(main: Path | str, *options: str) -> Iterator[Server]:
    """A gateway that runs the worker `main`, a script or one of our modules, on a free port."""
    named = [f"--main={main}"] if isinstance(main, Path) else [f"--module={main}", f"--cwd={ROOT}"]
    with tempfile.TemporaryDirectory() as state:
        own = *named, f"--python={sys.executable}", f"--state-dir={state}"
        with _running(*own, *options) as server:
            yield server


@contextmanager
def replaying(recording: Path, *options: str) -> Iterator[Server]:
    """A gateway with a replay that waits for its speed, on a free port."""
    with tempfile.TemporaryDirectory() as state:
        own = f"--replay={recording}", "--speed=0", f"--state-dir={state}"
        with _running(*own, *options) as server:
            yield server


@contextmanager
def _running(*options: str) -> Iterator[Server]:
    port = free_port()
    command = [sys.executable, "-m", "twisted", "sjgateway", f"--port={port}", *options]
    with process(command, port) as pid:
        wait_healthy(port)
        yield Server(port, pid)


def wait_healthy(port: int) -> None:
    """A gateway's port is open before the rest of it is there: return when it answers."""
    deadline = time.monotonic() + PATIENCE
    while True:
        with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
            try:
                connection.request("GET", "/healthz")
                status = connection.getresponse().status
            except OSError as error:
                if time.monotonic() > deadline:
                    raise SystemExit(f"the gateway does not answer /healthz: {error}") from None
                time.sleep(0.05)
                continue
        if status != HTTPStatus.OK:
            raise SystemExit(f"the gateway says {status} to /healthz")
        return


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextmanager
def process(command: list[str], port: int, environ: dict[str, str] | None = None) -> Iterator[int]:
    """`command`, which listens at `port`; its pid."""
    with tempfile.TemporaryFile() as log:
        made = subprocess.Popen(command, stdout=log, stderr=log, env=environ)
        try:
            _wait(port, made)
            yield made.pid
        finally:
            made.terminate()
            made.wait(30)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"it did not start; try: {process.args!r}")
