"""The systemd units: valid, and their command run as systemd would."""

import json
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.worker.settings import WorkerSettings
from tests.deploy.programs import require
from tests.deploy.running import BIN, DEPLOY, WORKER, environment, healthy, until
from tests.patience import PATIENCE
from tests.ports import free_port

PLACE = "/srv/sjgateway/.venv/bin"
UNITS = ("sjgateway.service", "sjgateway.socket")
ACTIVATE = """
import os, sys
for target, fd in enumerate(map(int, sys.argv[1].split(",")), 3):
    os.dup2(fd, target)
os.environ["LISTEN_PID"] = os.environ["WATCHDOG_PID"] = str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])
"""
"""Hands descriptors on by the protocol of sd_listen_fds(3), from 3 upwards."""


def unit(name: str) -> dict[str, dict[str, list[str]]]:
    """Section -> setting -> its values, in their order."""

    found: dict[str, dict[str, list[str]]] = {}
    for line in (DEPLOY / name).read_text().splitlines():
        if line.startswith("["):
            section = found.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            setting, _, value = line.partition("=")
            section.setdefault(setting, []).append(value)
    return found


class UnitTests(SynchronousTestCase):
    def test_systemd_has_nothing_to_say_about_them(self) -> None:
        analyze = require("systemd-analyze", "systemd")
        folder = Path(self.mktemp()).absolute()
        folder.mkdir(parents=True)
        for name in UNITS:
            text = (DEPLOY / name).read_text().replace(PLACE, str(BIN))
            (folder / name).write_text(text)
        done = subprocess.run(
            [analyze, "verify", *(str(folder / name) for name in UNITS)],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_the_worker_has_time_to_log_out(self) -> None:
        service = unit("sjgateway.service")["Service"]
        settings = WorkerSettings(state_dir=Path())
        patience = settings.patience_login + settings.patience_terminate
        self.assertGreaterEqual(float(service["TimeoutStopSec"][0]), max(60, patience))
        self.assertEqual(service["KillMode"], ["process"])

    def test_readiness_and_a_watchdog_and_a_state_directory(self) -> None:
        service = unit("sjgateway.service")["Service"]
        for name, value in [
            ("Type", "notify"),
            ("NotifyAccess", "main"),
            ("StateDirectory", "sjgateway"),
            ("OOMPolicy", "continue"),
            ("NoNewPrivileges", "yes"),
            ("ProtectSystem", "strict"),
        ]:
            self.assertEqual(service[name], [value])
        self.assertGreater(float(service["WatchdogSec"][0]), 0)


class ActivationTests(SynchronousTestCase):
    """The command of the unit, with the sockets of the other one."""

    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp())  # trial's own is too long for a socket's path
        self.addCleanup(shutil.rmtree, self.folder)
        (self.folder / "main.py").write_text(WORKER)
        self.notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.notified.close)
        self.notified.settimeout(PATIENCE)
        self.notified.bind(str(self.folder / "notify"))

    def listeners(self) -> list[socket.socket]:
        """What systemd would hold by sjgateway.socket, on a port that is free."""
        found: list[socket.socket] = []
        for place in unit("sjgateway.socket")["Socket"]["ListenStream"]:
            host = place.rpartition(":")[0].strip("[]")
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            port = found[0].getsockname()[1] if found else 0
            found.append(socket.create_server((host, port), family=family))
            self.addCleanup(found[-1].close)
        return found

    def worker(self, port: int) -> int | None:
        """The worker's pid."""
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/status", timeout=PATIENCE) as answer:
            return json.load(answer)["pid"]

    def reload(self, process: subprocess.Popen[str], said: list[bytes]) -> None:
        """What `systemctl reload` does, until the new program is ready."""
        (command,) = unit("sjgateway.service")["Service"]["ExecReload"]
        subprocess.run(shlex.split(command.replace("$MAINPID", str(process.pid))), check=True)
        for word in (b"RELOADING=1\nMONOTONIC_USEC=", b"READY=1"):
            while not said[-1].startswith(word):
                said.append(self.notified.recv(4096))

    def test_it_says_when_it_is_ready_alive_and_ending(self) -> None:
        listeners = self.listeners()
        port = listeners[0].getsockname()[1]
        (command,) = unit("sjgateway.service")["Service"]["ExecStart"]
        program, *words = shlex.split(command.replace(PLACE, str(BIN)))
        fds = [listener.fileno() for listener in listeners]
        numbers = ",".join(map(str, fds))
        process = subprocess.Popen(
            [sys.executable, "-c", ACTIVATE, numbers, sys.executable, program, *words],
            cwd=self.folder,
            env=environment(
                LISTEN_FDS=str(len(fds)),
                LISTEN_FDNAMES=":".join(["sjgateway.socket"] * len(fds)),
                NOTIFY_SOCKET=str(self.folder / "notify"),
                WATCHDOG_USEC="400000",
                STATE_DIRECTORY=str(self.folder / "state"),
                SJGATEWAY_PORT=str(port),
                SJGATEWAY_PYTHON=sys.executable,
            ),
            pass_fds=fds,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        said = [self.notified.recv(4096) for _ in range(4)]
        self.assertEqual(said, [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1", b"WATCHDOG=1"])
        for host in ("127.0.0.1", "[::1]"):
            self.assertTrue(healthy(f"http://{host}:{port}"))
        log = []
        while not log or "worker up" not in log[-1]:
            log.append(process.stdout.readline())
        self.assertTrue(log[-1].endswith("worker up\n"), log[-1])
        worker = self.worker(port)
        self.reload(process, said)
        for host in ("127.0.0.1", "[::1]"):
            self.assertTrue(healthy(f"http://{host}:{port}"))
        until(lambda: self.worker(port) is not None)
        self.assertEqual(self.worker(port), worker, "it stays")
        process.send_signal(signal.SIGTERM)
        while said[-1] != b"STOPPING=1":
            said.append(self.notified.recv(4096))
        self.assertIn("logged out", process.stdout.read())
        self.assertEqual(process.wait(PATIENCE), -signal.SIGTERM, "clean, for systemd")
        self.assertTrue((self.folder / "state" / "ledger.json").exists())
        waiting = socket.create_connection(("127.0.0.1", port), PATIENCE)
        waiting.close()  # systemd holds the ports


class ProgramTests(SynchronousTestCase):
    """systemd's own program for sockets, which listens, waits for a client, and then starts us."""

    def test_a_hand_over_keeps_the_sockets_that_it_passed(self) -> None:
        activate = require("systemd-socket-activate", "systemd")
        folder = Path(self.mktemp()).absolute()
        folder.mkdir(parents=True)
        port = free_port()
        (command,) = unit("sjgateway.service")["Service"]["ExecStart"]
        words = shlex.split(command.replace(PLACE, str(BIN)))
        places = [f"--listen=127.0.0.1:{port}", f"--listen=[::1]:{port}", "--fdname=a:b"]
        own = ("PATH", "PYTHONPATH", "HOME")  # it passes on only what it is told
        passed = [f"--setenv={name}" for name in own if name in environment()]
        with (folder / "log").open("w") as log:
            process = subprocess.Popen(
                [activate, *places, *passed, *words, "--no-worker", f"--state-dir={folder}/state"],
                cwd=folder,
                env=environment(SJGATEWAY_PORT=str(port)),
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        until(lambda: healthy(f"http://127.0.0.1:{port}"))
        process.send_signal(signal.SIGUSR2)
        until(lambda: (folder / "log").read_text().count("] Listening on") == 2)
        for host in ("127.0.0.1", "[::1]"):
            self.assertTrue(healthy(f"http://{host}:{port}"))
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(PATIENCE), -signal.SIGTERM)
