"""Python programs that start at once: forked from a process that has imported what they need.

To start Python and to import Twisted is most of what a short test costs.  A *stock* does it once
for each of trial's processes, and forks for whoever asks.  What was forked is a process of its
own, with the arguments, the environment, the folder and the descriptors that it is given; only
its modules were imported before.  The kernel tells the stock's command line and first environment
of it, so a test that looks at those starts its process by `subprocess`.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).parents[1]
IMPORTED = (
    "gateway.app.check",
    "gateway.tap",
    "gateway.worker.supervisor",
    "prometheus_client",
    "psutil",
    "socketio",
    "twisted.scripts.twistd",
    "werkzeug.routing",
)
"""None of them installs a reactor, which is for one process alone."""
SERVE = "from tests.warm import serve; exec(serve())"
"""A stock; in what it has forked, that one's program, which ends as any other does."""
SCRIPT = "import runpy, sys; runpy.run_path(sys.argv[0], run_name='__main__')"
LARGEST = 1 << 20
"""Bytes of a request."""
DESCRIPTORS = 1 << 16
"""More than there are in a stock."""


class Warm:
    """A process that was forked for us; what it has of `subprocess.Popen` does the same."""

    def __init__(
        self, told: socket.socket, stdin: IO[str] | None = None, stdout: IO[str] | None = None
    ) -> None:
        self._told = told
        self.pid = int(told.recv(20))
        self.returncode: int | None = None
        self.stdin, self.stdout = stdin, stdout

    def poll(self) -> int | None:
        with suppress(BlockingIOError):
            self._hear(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        try:
            self._hear(timeout)
        except TimeoutError:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0) from None
        assert self.returncode is not None
        return self.returncode

    def _hear(self, timeout: float | None) -> None:
        """Wait for its exit status.  Until we have it it is a zombie, and keeps its pid."""
        if self.returncode is None:
            self._told.settimeout(timeout)
            self.returncode = int(self._told.recv(20))
            self._told.settimeout(None)
            self._told.shutdown(socket.SHUT_WR)
            self._told.recv(1)  # nothing: it has been collected
            self._told.close()

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Stock:
    """Forks processes for this one, and ends with it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        environ = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", SERVE], cwd=ROOT, env=environ, stdin=theirs
            )
        atexit.register(self.close)

    def ask(self, request: list[Any], files: Sequence[int]) -> socket.socket:
        """Have it fork; where it tells the pid and the exit status."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, self._lock:
            data = json.dumps(request).encode()
            socket.send_fds(self._requests, [data], [*files, theirs.fileno()])
        return ours

    def close(self) -> None:
        self._requests.close()
        self._process.wait()


@cache
def stock() -> Stock:
    """That of this process."""
    return Stock()


def start(
    command: Sequence[str | Path],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdin: int = DEVNULL,
    stdout: int | IO[Any] | None = None,
    stderr: int | IO[Any] | None = None,
) -> Warm:
    """Run `command`, which is what follows `python`: `-c` and a program, or a script.

    The rest is as of `subprocess.Popen`; pipes are for text.
    """
    ours: dict[int, IO[str]] = {}
    theirs: list[int] = []
    """What is closed here once it has them."""

    def given(number: int, file: int | IO[Any] | None) -> int:
        if file == PIPE:
            ends = os.pipe()
            ours[number] = os.fdopen(ends[number == 0], "r" if number else "w")
            file = ends[number != 0]
        elif file == DEVNULL:
            file = os.open(os.devnull, os.O_RDWR)
        else:
            return number if file is None else file if isinstance(file, int) else file.fileno()
        theirs.append(file)
        return file

    files = [given(number, file) for number, file in enumerate((stdin, stdout, stderr))]
    words = [os.fspath(word) for word in command]
    told = stock().ask([words, os.fspath(cwd.absolute()), dict(env)], files)
    for file in theirs:
        os.close(file)
    return Warm(told, ours.get(0), ours.get(1))


def serve() -> str:
    """Fork for whoever asks at the descriptor 0.  Returns in what was forked: its program."""
    for name in IMPORTED:
        import_module(name)
    assert "twisted.internet.reactor" not in sys.modules
    gc.freeze()
    requests = socket.socket(fileno=0)
    selector = selectors.PollSelector()
    selector.register(requests, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.data is not None:
                _look(selector, key)
                continue
            data, files, _, _ = socket.recv_fds(requests, LARGEST, 4)
            if not data:
                sys.exit()
            if not (pid := os.fork()):
                requests.detach()  # no object may close a descriptor that is another's by then
                return _become(*json.loads(data), files)
            *others, told = files
            for each in others:
                os.close(each)
            os.write(told, str(pid).encode())
            selector.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, told))


def _look(selector: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
    """A process has ended, or its status has been heard."""
    pid, told = key.data
    selector.unregister(key.fileobj)
    if key.fd == told:
        os.waitpid(pid, 0)
        os.close(told)
        return
    os.close(key.fd)
    ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert ended is not None
    status = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
    with suppress(BrokenPipeError):
        os.write(told, str(status).encode())
    selector.register(told, selectors.EVENT_READ, (pid, told))


def _become(command: list[str], cwd: str, environ: dict[str, str], files: list[int]) -> str:
    """Be the process that was asked for; its program."""
    for number, file in enumerate(files[:3]):
        os.dup2(file, number)
    os.closerange(3, DESCRIPTORS)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environ)
    sys.orig_argv[:] = [sys.executable, *command]
    first, program = "", SCRIPT
    if command[0] == "-c":
        program = command.pop(1)
    else:
        first = str(Path(command[0]).parent)
    sys.argv[:] = command
    given = environ.get("PYTHONPATH", "")
    sys.path[:1] = [first, *filter(None, given.split(os.pathsep))]
    return program
