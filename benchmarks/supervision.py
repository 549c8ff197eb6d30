"""`python -m benchmarks.supervision`: what the supervisor promises, measured on a real gateway.

Each part prints what was asked for, what was counted, and seconds.  It needs
`python-socketio[client]` and psutil, Linux, and about five minutes.  Words after it choose
parts: `python -m benchmarks.supervision successors`.

No gateway leaves its worker to the next one here; `benchmarks.restarts` measures that.
"""

from __future__ import annotations

import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import socketio

from benchmarks.server import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONCURRENT, SEQUENTIAL, EXITS, KILLS = 50, 100, 20, 20
WAIT = 60.0
"""Seconds after which what is waited for counts as lost."""
OPTIONS = ("--fatal-after=0", "--keep-worker=0")
NATIVE_SECONDS = 1.5
LOG_OUT_SECONDS = (1.0, 3.0)
WAITS = "the previous worker is logging out"
"""What a gateway says that does not start its worker yet."""

TOOLS = """
import ctypes, fcntl, os, random, signal, subprocess, sys, time

def note(word):
    file = os.open(os.environ["JOURNAL"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{word} {os.getpid()} {time.monotonic()}\\n".encode())
    os.close(file)

def native(seconds):  # waits for a lock that is taken: no signal interrupts it
    libc, mutex, until = ctypes.CDLL(None), ctypes.create_string_buffer(64), time.time() + seconds
    libc.pthread_mutex_lock(mutex)
    libc.pthread_mutex_timedlock(mutex, (ctypes.c_long * 2)(int(until), int(until % 1 * 1e9)))
"""

WORKER = (
    TOOLS
    + """
import socketio

def daemon():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            note("daemon")
            time.sleep(600)
        os._exit(0)
    os.wait()

sio = socketio.Client()

@sio.on("die")
def die(data):
    sio.emit("python_error", {"error": f"last words {data['number']}"})
    sio.sleep(0.05)
    os._exit(7)

try:
    note("start")
    if "native" in sys.argv:
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        daemon()
        note("native")
        native(float(sys.argv[-1]))
    else:
        sio.connect(os.environ["GATEWAY_URL"])
        sio.emit("python_status", {"status": "connected"})
    while True:
        time.sleep(60)
except KeyboardInterrupt:
    pass
finally:
    note("finally")
"""
)

ACCOUNT = (
    TOOLS
    + """
account = os.open("account", os.O_RDWR | os.O_CREAT)
try:
    try:
        fcntl.flock(account, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:  # another process, to its very end, is logged in
        note("double")
    note("login")
    native(float(sys.argv[1]))
    note("in")
    time.sleep(600)
except KeyboardInterrupt:
    time.sleep(random.uniform(float(sys.argv[2]), float(sys.argv[3])))
finally:
    note("out")
"""
)
"""Logs in by a native call, and out slowly; the kernel knows who is logged in."""


READY = "prepared"
PREPARED = f"""
import sys
import gateway.app.check, gateway.tap
from twisted.scripts.twistd import run
print("{READY}", flush=True)
sys.stdin.read()
run()
"""
"""So that a successor is there at once, however long its imports take."""


class Gateway:
    """`twistd -n sjgateway` with the worker `script`, in `folder`."""

    def __init__(self, folder: Path, script: str, port: int, *arguments: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._journal = folder / "journal"
        self._log = folder / f"log-{time.monotonic_ns()}"
        (folder / "main.py").write_text(script)
        twistd = [sys.executable, "-c", PREPARED]
        options = [f"--port={port}", f"--python={sys.executable}", f"--state-dir={folder}"]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*twistd, "-n", "--pidfile=", "sjgateway", *options, *OPTIONS]
                + [f"--worker-args={' '.join(arguments)}"] * bool(arguments),
                cwd=folder,
                env={**os.environ, "JOURNAL": str(self._journal)},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )
        self.until(lambda: READY in self.log)

    def begin(self) -> Gateway:
        """Let it run; it has imported all that it needs."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self

    def noted(self, word: str) -> dict[int, float]:
        """When each worker noted `word`, by pid."""
        text = self._journal.read_text() if self._journal.exists() else ""
        lines = (line.split() for line in text.splitlines())
        return {int(pid): float(when) for said, pid, when in lines if said == word}

    def family(self) -> list[psutil.Process]:
        """All processes below the gateway."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def ask(self, path: str, *, post: bool = False) -> dict[str, Any]:
        request = urllib.request.Request(self.url + path, b"" if post else None)
        try:
            with urllib.request.urlopen(request, timeout=WAIT) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            return dict(json.load(error))

    def running(self) -> bool:
        try:
            return bool(self.ask("/health")["pythonRunning"])
        except OSError:
            return False

    def until(self, condition: Callable[[], Any]) -> float:
        """Seconds until `condition()` is true."""
        begun = time.monotonic()
        while not condition():
            if self.process.poll() is not None or time.monotonic() - begun > WAIT:
                raise RuntimeError(f"it never came; the gateway's log:\n{self.log}")
            time.sleep(0.002)
        return time.monotonic() - begun

    @property
    def log(self) -> str:
        return self._log.read_text()

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(WAIT)


@contextmanager
def gateway(*arguments: str) -> Iterator[Gateway]:
    with tempfile.TemporaryDirectory() as folder:
        made = Gateway(Path(folder), WORKER, free_port(), *arguments).begin()
        try:
            yield made
        finally:
            made.close()


def tell(what: str, *facts: str) -> None:
    print(f"{what:<44} {'; '.join(facts)}", flush=True)


def overlaps(running: Gateway) -> int:
    """How many workers started before the one before had ended."""
    starts = sorted((when, pid) for pid, when in running.noted("start").items())
    ends = running.noted("finally")
    return sum(
        ends.get(earlier, float("inf")) > when for (_, earlier), (when, _) in pairwise(starts)
    )


def concurrent_restarts() -> None:
    with gateway() as running:
        running.until(lambda: running.noted("start"))
        before = len(running.noted("start"))
        begun = time.monotonic()
        with ThreadPoolExecutor(CONCURRENT) as pool:
            jobs = [
                pool.submit(running.ask, "/restart-python", post=True) for _ in range(CONCURRENT)
            ]
            answers = [job.result() for job in jobs]
        seconds = time.monotonic() - begun
        real = len(running.noted("start")) - before
        good = sum(answer.get("success", False) for answer in answers)
        pid = running.ask("/status")["pid"]
        true = sum(answer.get("newPid") == pid for answer in answers)
        tell(
            f"{CONCURRENT} concurrent restarts",
            f"{good} answered, {true} with the living worker's pid",
            f"{real} real ones, {overlaps(running)} overlaps",
            f"{seconds:.2f} s",
        )


def sequential_restarts() -> None:
    with gateway() as running:
        running.until(lambda: running.noted("start"))
        times = []
        for _ in range(SEQUENTIAL):
            begun = time.monotonic()
            running.ask("/restart-python", post=True)
            times.append(time.monotonic() - begun)
        starts, ends = running.noted("start"), running.noted("finally")
        tell(
            f"{SEQUENTIAL} sequential restarts",
            f"{len(starts) - 1} starts, finally ran {len(ends)} times",
            f"{overlaps(running)} overlaps",
            f"median {statistics.median(times):.2f} s, longest {max(times):.2f} s",
        )


def exits() -> None:
    """Kill the worker; how long does `/health` say that it runs?"""
    with gateway() as running:
        times = []
        for _ in range(EXITS):
            running.until(running.running)
            pid = running.ask("/status")["pid"]
            os.kill(pid, signal.SIGKILL)
            times.append(running.until(lambda: not running.running()))
            running.ask("/start-python", post=True)
        tell(
            f"{EXITS} workers killed: /health tells after",
            f"median {statistics.median(times) * 1000:.0f} ms, longest {max(times) * 1000:.0f} ms",
        )


def last_words() -> None:
    """A worker's final event, sent just before it ends, and the gateway's own."""
    heard: list[str] = []
    told: list[int] = []
    viewer = socketio.Client()
    viewer.on("python_error", lambda value: heard.append(value["error"]))
    viewer.on(
        "python_status",
        lambda value: told.append(value["exitCode"]) if value["status"] == "exited" else None,
    )
    with gateway() as running:
        running.until(running.running)
        viewer.connect(running.url)
        for number in range(EXITS):
            connected = running.ask("/status")["generation"]
            running.until(lambda: running.ask("/status")["state"] == "running")
            time.sleep(0.5)  # the worker connects
            viewer.emit("die", {"number": number})
            running.until(
                lambda known=connected: (
                    running.ask("/status")["generation"] > known or not running.running()
                )
            )
            running.ask("/start-python", post=True)
        viewer.disconnect()
    expected = {f"last words {number}" for number in range(EXITS)}
    tell(
        f"{EXITS} last words",
        f"{len(expected & set(heard))} relayed",
        f"{told.count(7)} exits told with their code",
    )


def kills() -> None:
    """SIGKILL for the gateway of a worker in native code, with a daemon and a pipe holder."""
    left, finals, times = 0, 0, []
    for _ in range(KILLS):
        with gateway("native", str(NATIVE_SECONDS)) as running:
            running.until(lambda known=running: known.noted("native") and known.noted("daemon"))
            time.sleep(random.random())
            family = running.family()
            running.process.kill()
            begun = time.monotonic()
            gone, alive = psutil.wait_procs(family, timeout=WAIT)
            times.append(time.monotonic() - begun)
            left += len(alive)
            finals += len(running.noted("finally")) == 1
            assert len(gone) + len(alive) == len(family) >= 4
    tell(
        f"{KILLS} gateways killed with SIGKILL",
        f"{left} processes left, finally ran {finals} times",
        f"all gone after {statistics.median(times):.2f} s (median), {max(times):.2f} s (longest)"
        f" with a native call of {NATIVE_SECONDS} s",
    )


def successors() -> None:
    """SIGKILL at random moments, and the next gateway at once: is anybody logged in twice?"""
    arguments = tuple(map(str, (NATIVE_SECONDS, *LOG_OUT_SECONDS)))
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder, port = Path(name), free_port()

        def prepare() -> Gateway:
            made = Gateway(folder, ACCOUNT, port, *arguments)
            stack.callback(made.process.kill)
            return made

        waited, unborn, times = 0, 0, []
        spares = [prepare(), prepare()]
        for number in range(KILLS + 1):
            running = spares.pop()
            begun = time.monotonic()
            running.begin()
            before = len(running.noted("login"))

            def logs_in(running: Gateway = running, before: int = before) -> bool:
                return len(running.noted("login")) > before

            running.until(
                lambda running=running, logs_in=logs_in: logs_in() or WAITS in running.log
            )
            times.append(time.monotonic() - begun)
            if number < KILLS:
                spares = spares or [prepare(), prepare()]  # so one in two is killed soon
                time.sleep(random.uniform(0, 2 * NATIVE_SECONDS))
                unborn += not logs_in()
                running.process.kill()
                running.process.wait()
            waited += WAITS in running.log
        running.until(logs_in)
        running.close()
        logins, outs = running.noted("login"), running.noted("out")
        tell(
            f"{KILLS} gateways killed, successors at once",
            f"{waited} of them waited, {unborn} were killed while they did",
            f"{len(logins)} logins, {len(running.noted('double'))} while another was logged in",
            f"{len(outs)} logged out",
            f"each knew after {statistics.median(times):.2f} s (median)",
        )


PARTS = (concurrent_restarts, sequential_restarts, exits, last_words, kills, successors)


def main() -> None:
    chosen = sys.argv[1:]
    for part in PARTS:
        if not chosen or part.__name__ in chosen:
            part()


if __name__ == "__main__":
    main()
