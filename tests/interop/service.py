"""The gateway as its users run it, `twistd -n sjgateway` in a process, and one who looks on."""

import json
import os
import queue
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.interop.agents.in_order import Client
from tests.patience import PATIENCE
from tests.ports import free_port
from tests.warm import Warm, start

ROOT = Path(__file__).parents[2]
STAND_INS = ROOT / "tests" / "stand_ins"
TWISTD = "from twisted.scripts.twistd import run; run()"
NOT_INHERITED = ("API_KEY", "SECRET_KEY", "CA_CERT_PATH", "CA_PASSWORD", "SIMULATION", "DEMO")


class Service:
    """A running gateway; `folder` is its own, for state, log and the broker's journal.

    `by` is a command that runs the command which follows it.
    """

    def __init__(
        self,
        folder: Path,
        port: int,
        *options: str,
        shioaji: str = "1_7",
        by: tuple[str, ...] = (),
        cold: bool = False,
        **environ: str,
    ) -> None:
        """`cold`: not forked, so that its command line and environment are to be seen."""
        self.url = f"http://localhost:{port}"
        self.log_path = folder / "log"
        self._journal = folder / "journal"
        paths = (STAND_INS, STAND_INS / f"shioaji_{shioaji}", ROOT)
        given = {"PYTHONPATH": os.pathsep.join(map(str, paths)), **environ}
        kept = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
        own = (f"--port={port}", f"--python={sys.executable}", f"--state-dir={folder / 'state'}")
        command = ["-c", TWISTD, "-n", "--pidfile=", "sjgateway", *own, *options]
        env = {**kept, "STAND_IN_JOURNAL": str(self._journal), **given}
        # With a path of its own it may import something else.
        cold = cold or by or "PYTHONPATH" in environ
        with self.log_path.open("w") as log:
            streams = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
            self.process: subprocess.Popen | Warm = (
                subprocess.Popen([*by, sys.executable, *command], cwd=folder, env=env, **streams)
                if cold
                else start(command, cwd=folder, env=env, **streams)
            )

    @property
    def log(self) -> str:
        return self.log_path.read_text()

    def journal(self, call: str) -> list[dict]:
        """The calls of that name which the stand-in of shioaji has noted."""
        lines = self._journal.read_text().splitlines() if self._journal.exists() else []
        return [entry for entry in map(json.loads, lines) if entry["call"] == call]

    def until(self, what, condition):
        """Wait until `condition()` is true, and return what it is."""
        deadline = time.monotonic() + PATIENCE
        while not (found := condition()):
            if time.monotonic() > deadline:
                raise AssertionError(f"no {what}; the gateway's log:\n{self.log}")
            time.sleep(0.02)
        return found

    def request(self, path: str, body: dict | str | None = None) -> tuple[int, dict]:
        """Status and JSON of a GET, or of a POST where there is a body: JSON, or a form."""
        kind = "application/json" if isinstance(body, dict) else "application/x-www-form-urlencoded"
        data = json.dumps(body) if isinstance(body, dict) else body
        headers = {} if data is None else {"Content-Type": kind}
        encoded = None if data is None else data.encode()
        request = urllib.request.Request(self.url + path, encoded, headers)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def ended(self) -> str | None:
        """With which status it has ended, and its log; None: it runs."""
        status = self.process.poll()
        return None if status is None else f"the gateway has ended with {status}:\n{self.log}"

    def answers(self) -> bool:
        if end := self.ended():
            raise AssertionError(end)
        try:
            return self.request("/health")[0] == 200
        except OSError:
            return False

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, and wait for the end."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        if self.process.poll() is None:
            self.stop()


def started(folder: Path, *options: str, port: int | None = None, **environ: str) -> Service:
    """A gateway, when it answers; on a free port if none is given."""
    service = Service(folder, port or free_port(), *options, **environ)
    try:
        service.until("answer to /health", service.answers)
    except BaseException:
        service.close()
        raise
    return service


class Browser:
    """A stock python-socketio client that keeps what it hears."""

    def __init__(self, url: str) -> None:
        self._heard: queue.SimpleQueue[tuple[str, tuple]] = queue.SimpleQueue()
        client = Client(reconnection=False, handle_sigint=False)
        client.on("*", lambda name, *arguments: self._heard.put((name, arguments)))
        client.connect(url, wait_timeout=PATIENCE)
        self.emit = client.emit
        self.close = client.disconnect

    def next(self) -> tuple[str, dict]:
        """The name and the object of the next event."""
        name, arguments = self._heard.get(timeout=PATIENCE)
        return name, arguments[0]

    def hears(self, name: str, **fields: object) -> dict:
        """The object of the next event `name` that has these fields; others are passed over."""
        deadline, passed = time.monotonic() + PATIENCE, []
        while True:
            try:
                found, arguments = self._heard.get(timeout=max(0, deadline - time.monotonic()))
            except queue.Empty:
                wanted = f"{name} with {fields}"
                raise AssertionError(f"{wanted} was not heard, but {passed[-30:]}") from None
            if len(arguments) != 1 or not isinstance(arguments[0], dict):
                raise AssertionError(f"{found} carries {arguments}, not one object")
            if found == name and fields.items() <= arguments[0].items():
                return arguments[0]
            passed.append((found, arguments))


class ServiceCase(SynchronousTestCase):
    """A test of gateways that run one after the other, in its folder and on its port."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir(parents=True)
        self.port = free_port()

    def run_service(self, *options: str, **environ: str) -> Service:
        """A gateway, when it answers."""
        service = started(self.folder, *options, port=self.port, **environ)
        self.addCleanup(service.close)
        return service

    def browser(self, service: Service) -> Browser:
        browser = Browser(service.url)
        self.addCleanup(browser.close)
        return browser
