"""Gateways that follow one another at one place: the same folder, the same port."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[1]
NOT_INHERITED = ("API_KEY", "SECRET_KEY", "CA_CERT_PATH", "CA_PASSWORD", "SIMULATION", "DEMO")
WAIT = 120.0
"""Seconds after which what is waited for counts as lost."""
TWISTD = "from twisted.scripts.twistd import run; run()"
Launch = Callable[..., "subprocess.Popen[bytes]"]
READY = "prepared"
PREPARED = f"""
import sys
import gateway.app.check, gateway.tap
print("{READY}", flush=True)
sys.stdin.read()
{TWISTD}
"""
"""Has imported everything, so that it is there as soon as it may begin."""
WITH_SOCKET = 'LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=gateway exec "$@" 3<&0 </dev/null'
"""As systemd hands over a socket: as descriptor 3.  Here it comes as standard input."""


class Place:
    """A folder and a port, at which one gateway after the other runs the worker `main`.

    `held`: the socket is held by us, as by systemd, and each gateway gets it.  `launch` runs the
    command of a gateway, as `subprocess.Popen` does.
    """

    def __init__(
        self,
        folder: Path,
        main: Path,
        *options: str,
        held: bool = False,
        paths: tuple[Path, ...] = (ROOT,),
        environ: Mapping[str, str] | None = None,
        launch: Launch = subprocess.Popen,
    ) -> None:
        self.launch = launch
        self.folder = folder
        self.main = main
        self._paths = paths
        self.options = options
        self._environ = environ or {}
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = int(self.listener.getsockname()[1])
        self.held = held
        if not held:
            self.listener.close()
        self.url = f"http://127.0.0.1:{self.port}"
        self.gateways: list[Gateway] = []

    def gateway(self, *, prepared: bool = False, root: Path | None = None) -> Gateway:
        """One more; a `prepared` one waits for `begin`.  `root`: of other sources, to be run."""
        made = Gateway(self, len(self.gateways), prepared=prepared, root=root)
        self.gateways.append(made)
        if prepared:
            self.until("prepared gateway", lambda: READY in made.log)
        return made

    def command(self, program: str) -> list[str]:
        own = (f"--port={self.port}", f"--main={self.main}", f"--python={sys.executable}")
        listen = ("--listen=systemd:domain=INET:index=0",) if self.held else ()
        state = f"--state-dir={self.folder / 'state'}"
        twistd = [sys.executable, "-c", program, "-n", "--pidfile=", "sjgateway"]
        return [*twistd, *own, state, *listen, *self.options]

    def environ(self, root: Path | None) -> dict[str, str]:
        kept = {name: text for name, text in os.environ.items() if name not in NOT_INHERITED}
        paths = os.pathsep.join(map(str, [*([root] if root else []), *self._paths]))
        return {**kept, "PYTHONPATH": paths, **self._environ}

    def ask(self, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """Status and JSON of a GET, or of a POST where there is a body.  Raises OSError."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if data else {}
        request = urllib.request.Request(self.url + path, data, headers)
        try:
            with urllib.request.urlopen(request, timeout=WAIT) as answer:
                return answer.status, dict(json.load(answer))
        except urllib.error.HTTPError as error:
            return error.code, dict(json.load(error))

    def status(self) -> dict[str, Any]:
        """What `GET /status` says; nothing while nobody answers."""
        try:
            return self.ask("/status")[1]
        except (OSError, ValueError):
            return {}

    def until(self, what: str, condition: Callable[[], Any], seconds: float = WAIT) -> Any:
        """What `condition()` is, once it is true."""
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            over = self.gateways and all(each.process.poll() is not None for each in self.gateways)
            if over or time.monotonic() > deadline:
                raise RuntimeError(f"no {what}; the gateways' log:\n{self.log[-6000:]}")
            time.sleep(0.02)
        return found

    @property
    def log(self) -> str:
        """Of all gateways, in their order."""
        return "".join(each.log for each in self.gateways)

    def family(self) -> list[psutil.Process]:
        """Every process but gateways that has our folder in its environment: workers, guardians."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("RESTARTS") == str(self.folder) and not is_gateway(
                    process
                ):
                    found.append(process)
            except psutil.Error:
                continue  # gone, or not ours
        return found


def is_gateway(process: psutil.Process) -> bool:
    return "sjgateway" in process.cmdline()


class Gateway:
    """One process of a gateway."""

    def __init__(self, place: Place, number: int, *, prepared: bool, root: Path | None) -> None:
        command = place.command(PREPARED if prepared else TWISTD)
        if place.held:
            command = ["sh", "-c", WITH_SOCKET, "sh", *command]
        self._log = place.folder / f"log-{number}"
        with self._log.open("wb") as log:
            # Other sources, or a shell before Python: only a process that was started has them.
            launch = subprocess.Popen if root or place.held else place.launch
            self.process = launch(
                command,
                cwd=place.folder,
                env=place.environ(root),
                stdin=place.listener.fileno() if place.held else subprocess.PIPE,
                stdout=log,
                stderr=log,
            )
        if not prepared and self.process.stdin is not None:
            self.process.stdin.close()

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def starts(self) -> int:
        """How often its program has begun to serve: once more after each hand-over."""
        return self.log.count("[Gateway] Listening on ")

    def begin(self) -> None:
        """Let a prepared one run."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def hand_over(self) -> None:
        """Ask it to go on as a new one."""
        self.process.send_signal(signal.SIGUSR2)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        """Ask it to end; wait for it."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(WAIT)
