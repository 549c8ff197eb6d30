"""The hand-over of real gateways: one process, one set of listening sockets, two programs."""

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from tempfile import mkdtemp

from twisted.python.filepath import FilePath
from twisted.trial.unittest import SynchronousTestCase

from gateway.web.http.held import VARIABLE
from tests.deploy.running import WORKER, until
from tests.interop.service import ROOT, TWISTD, Service, started
from tests.patience import PATIENCE
from tests.ports import free_port

GET = b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n"
HOLD = f"""
import os, sys
if {VARIABLE!r} in os.environ and "--check" not in sys.orig_argv and os.path.exists("go"):
    open("begun", "w").close()
    open("go").read()
"""
"""Holds the new program before its first line, until somebody opens the pipe `go`."""
SPOIL = """
import atexit, os, sys
if "--check" in sys.orig_argv:
    atexit.register(lambda: open("holidays", "w").write("no day"))
    atexit.register(lambda: open("leads", "w").write(str(os.getpgid(0) == os.getpid())))
"""
"""Lets the check pass, and then spoils a file that a start needs."""
FAULT = f"""
import os
if {VARIABLE!r} in os.environ:
    import gateway.app.assembly
    gateway.app.assembly.Registry = None
"""
"""A bug in the new code, which is met when its parts are made."""


class Caller(threading.Thread):
    """Asks all the time, each time by a new connection, and notes what goes wrong."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.answers = 0
        self.refused: list[OSError] = []
        self.cut = 0
        self._port = port
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(0.005):
            try:
                client = socket.create_connection(("127.0.0.1", self._port), PATIENCE)
            except OSError as error:
                self.refused.append(error)
                continue
            with client:
                self._ask(client)

    def _ask(self, client: socket.socket) -> None:
        try:
            client.sendall(GET)
            answer = client.recv(100)
        except OSError:
            answer = b""
        if b" 200 " in answer:
            self.answers += 1
        else:
            self.cut += 1

    def end(self) -> None:
        self._ended.set()
        self.join()


class HandOverProcessTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(mkdtemp())  # trial's own is too long for a socket's path
        self.addCleanup(FilePath(str(self.folder)).remove)
        self.port = free_port()

    def start(self, *options: str, site: str = "") -> Service:
        """A gateway without a worker; `site` is run first by each of its Pythons."""
        (self.folder / "sitecustomize.py").write_text(site)
        path = os.pathsep.join((str(self.folder), str(ROOT)))
        service = started(self.folder, "--no-worker", *options, port=self.port, PYTHONPATH=path)
        self.addCleanup(service.close)
        return service

    def supervised(self, *options: str) -> Service:
        """A gateway with a worker."""
        service = started(self.folder, *options, port=self.port, PYTHONPATH=str(ROOT))
        self.addCleanup(service.close)
        return service

    def programs(self, service: Service, number: int) -> None:
        """Wait until so many programs have listened, one after the other."""
        service.until(f"program {number}", lambda: service.log.count("] Listening on") == number)

    def descriptors(self, service: Service) -> list[str]:
        """What is open while there is no connection, without numbers."""
        return service.until("end of connections", lambda: self.without_connections(service))

    def without_connections(self, service: Service) -> list[str]:
        """What is open, without numbers; nothing while there are connections."""
        folder = f"/proc/{service.process.pid}/fd"
        found = []
        for name in os.listdir(folder):  # noqa: PTH208
            try:
                where = os.readlink(f"{folder}/{name}")  # noqa: PTH115
            except FileNotFoundError:
                continue
            # libffi's own file has no name, but for a number.
            found.append("libffi" if where.endswith(" (deleted)") else where.partition(":")[0])
        return sorted(found) if found.count("socket") == 2 else []

    def test_nobody_is_refused_and_nothing_leaks(self) -> None:
        unix = self.folder / "socket"
        places = (f"--listen=tcp:{self.port}:interface=127.0.0.1", f"--listen=unix:{unix}")
        service = self.start(*places, "--keep-bars=0")
        file = unix.stat()
        before = self.descriptors(service)
        caller = Caller(self.port)
        caller.start()
        self.addCleanup(caller.end)
        for number in (2, 3):
            service.process.send_signal(signal.SIGUSR2)
            self.programs(service, number)
            answers = caller.answers
            service.until("answer", lambda: caller.answers > answers)  # noqa: B023
        caller.end()
        self.assertEqual(caller.refused, [])
        self.assertLessEqual(caller.cut, 2, "one in each hand-over: it had not asked yet")
        self.assertEqual(self.descriptors(service), before)
        self.assertEqual((unix.stat().st_ino, unix.stat().st_mode), (file.st_ino, file.st_mode))
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(unix))
            client.sendall(GET)
            self.assertIn(b" 200 ", client.recv(100))
        self.assertEqual(service.stop(), -signal.SIGTERM)
        self.assertFalse(unix.exists())
        self.assertNotIn("Traceback", service.log)

    def test_what_does_not_pass_its_check_changes_nothing(self) -> None:
        holidays = self.folder / "holidays"
        holidays.write_text("2026-12-25\n")
        service = self.start(f"--holiday-file={holidays}")
        holidays.write_text("no day\n")
        status, answer = service.request("/hand-over", "")
        self.assertEqual(status, 500)
        self.assertIn("goes on as it was", answer["error"])
        self.assertIn("holidays", answer["details"])
        self.assertTrue(service.answers())
        self.assertIn("holidays", service.log)
        holidays.write_text("2026-12-25\n")
        status, answer = service.request("/hand-over", "")
        self.assertEqual((status, answer["success"]), (200, True))
        self.programs(service, 2)
        self.assertEqual(service.stop(), -signal.SIGTERM)

    def test_a_program_that_fails_after_its_check_ends_with_a_line_and_a_status(self) -> None:
        holidays = self.folder / "holidays"
        holidays.write_text("2026-12-25\n")
        service = self.start(f"--holiday-file={holidays}", site=SPOIL)
        service.process.send_signal(signal.SIGUSR2)
        self.assertEqual(service.process.wait(PATIENCE), 1)
        leads = (self.folder / "leads").read_text()
        self.assertEqual(leads, "True", "it could not be ended with what it starts")
        last = service.log.splitlines()[-1]
        self.assertTrue(last.startswith("sjgateway: "), last)
        self.assertNotIn("Traceback", service.log)

    def test_code_that_can_not_make_its_parts_does_not_take_over(self) -> None:
        service = self.start(site=FAULT)
        status, answer = service.request("/hand-over", "")
        self.assertEqual(status, 500)
        self.assertIn("TypeError", answer["details"])
        self.assertIn("assembly.py", answer["details"])
        self.assertTrue(service.answers())

    def test_a_worker_that_can_not_start_matters_only_where_one_runs(self) -> None:
        main = self.folder / "main.py"
        service = self.supervised(f"--main={main}")
        status, _ = service.request("/hand-over", "")
        self.assertEqual(status, 200, "there is no worker")
        self.programs(service, 2)
        main.write_text(WORKER)
        service.until("answer", service.answers)
        self.assertEqual(service.request("/start-python", "")[0], 200)
        main.unlink()
        status, answer = service.request("/hand-over", "")
        self.assertEqual(status, 500)
        self.assertTrue(answer["details"].startswith("main.py: it is missing"), answer)

    def test_signals_before_the_first_start_is_over_wait_for_its_end(self) -> None:
        holidays = self.folder / "holidays"
        os.mkfifo(holidays)
        options = ("--no-worker", f"--holiday-file={holidays}")
        service = Service(self.folder, self.port, *options, PYTHONPATH=str(ROOT))
        self.addCleanup(service.close)
        with holidays.open("w") as first:  # from here on the start reads it
            holidays.unlink()
            holidays.write_text("2026-12-25\n")
            for number in (signal.SIGHUP, signal.SIGUSR2):
                service.process.send_signal(number)
            first.write("2026-12-25\n")
        self.programs(service, 2)
        self.assertIn("Reloaded", service.log)

    def test_signals_between_two_programs_are_heeded_by_the_second(self) -> None:
        service = self.start(site=HOLD)
        self.signalled_between(service, signal.SIGUSR2)
        self.programs(service, 3)
        self.signalled_between(service, signal.SIGUSR2, signal.SIGTERM)
        self.assertEqual(service.process.wait(PATIENCE), -signal.SIGTERM)
        self.assertIn("] Stopping", service.log.splitlines()[-1])

    def signalled_between(self, service: Service, *numbers: int) -> None:
        """A hand-over; the signals come while neither program runs."""
        begun, go = self.folder / "begun", self.folder / "go"
        os.mkfifo(go)
        service.process.send_signal(signal.SIGUSR2)
        service.until("new program", begun.exists)
        for number in numbers:
            service.process.send_signal(number)
        with go.open("w"):
            begun.unlink()
            go.unlink()

    def test_a_daemon_keeps_its_pid_its_file_and_its_log(self) -> None:
        run = self.folder / "run"
        run.mkdir()
        words = ["--rundir=run", "--pidfile=twistd.pid", "sjgateway", "--no-worker"]
        subprocess.run(
            [sys.executable, "-c", TWISTD, *words, f"--port={self.port}", "--state-dir=state"],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=True,
            timeout=PATIENCE,
        )
        log, file = self.folder / "twistd.log", self.folder / "twistd.pid"
        until(lambda: log.exists() and "] Listening on" in log.read_text())
        pid = int(file.read_text())
        try:
            os.kill(pid, signal.SIGUSR2)
            until(lambda: log.read_text().count("] Listening on") == 2)
            until(lambda: file.exists() and file.read_text() == str(pid))
        finally:
            os.kill(pid, signal.SIGTERM)
        until(lambda: "] Stopping" in log.read_text() and not file.exists())
        self.assertNotIn("was removed", log.read_text())
        names = [each.name for each in run.iterdir()]
        self.assertEqual(names, ["state"], "twistd names its files by the folder of the start")
