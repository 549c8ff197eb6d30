"""A gateway of its own for each measurement."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator


class Server:
    """A running gateway and what it has used so far."""

    def __init__(self, port: int, pid: int) -> None:
        self.port = port
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


@contextmanager
def supervising(main: Path, *options: str) -> Iterator[Server]:
    """A gateway that runs the worker `main`, on a free port."""
    with tempfile.TemporaryDirectory() as state:
        own = f"--main={main}", f"--python={sys.executable}", f"--state-dir={state}"
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
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "twisted", "sjgateway", f"--port={port}"]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen([*command, *options], stdout=log, stderr=log)
        try:
            _wait(port, process)
            yield Server(port, process.pid)
        finally:
            process.terminate()
            process.wait(30)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit("the gateway did not start; try: twistd -n sjgateway --no-worker")
