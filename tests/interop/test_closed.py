"""Folders that are closed for a while, and a real gateway that may not look into them."""

import os
import signal
import sys
import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.ports import free_port

from .service import Service

WORKER = 'import time\nprint("up", flush=True)\nwhile True: time.sleep(60)\n'
AS_OTHERS = """
import ctypes, os, sys
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2
for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
    ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Runs a command that permissions stop even where root runs the tests."""


class ClosedFolderTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.home = self.folder / "home"
        self.vault = self.folder / "vault"
        for each in (self.home, self.vault):
            each.mkdir()
            self.addCleanup(each.chmod, 0o700)
        (self.home / "main.py").write_text(WORKER)

    def status(self) -> dict:
        status, told = self.gateway.request("/status")
        self.assertEqual(status, 200)
        return told

    def running(self, but: int | None = None) -> int:
        def pid() -> int | None:
            told = self.status()
            return told["pid"] if told["state"] == "running" and told["pid"] != but else None

        return self.gateway.until("worker", pid)

    def start(self, *options: str) -> None:
        self.gateway = Service(
            self.folder,
            free_port(),
            f"--main={self.home / 'main.py'}",
            *options,
            by=(sys.executable, "-c", AS_OTHERS),
        )
        self.addCleanup(self.gateway.close)
        self.gateway.until("gateway", self.gateway.answers)

    def test_a_worker_starts_when_the_folder_of_main_py_is_open_again(self) -> None:
        self.start("--dev", "--schedule=0 9 * * *")
        pid = self.running()
        self.home.chmod(0)
        os.kill(pid, signal.SIGKILL)
        self.gateway.until("second try", lambda: self.status()["generation"] >= 3)
        told = self.status()
        self.assertEqual(told["exits"][0]["class"], "unreachable")
        self.assertIn(f"Permission denied: {self.home / 'main.py'}", told["exits"][0]["reason"])
        self.assertEqual(self.gateway.request("/health")[1]["pythonRunning"], False)
        error = self.gateway.request("/restart-python", {})
        self.assertEqual(error[0], 500)
        self.assertIn("Permission denied", error[1]["details"])
        self.home.chmod(0o700)
        pid = self.running(but=pid)
        (self.home / "main.py").write_text(f"{WORKER}# it is looked at as before\n")
        self.running(but=pid)

    def test_an_env_that_can_not_be_read_stops_no_worker(self) -> None:
        (self.vault / "env").write_text("API_KEY=a-key-of-the-vault\n")
        (self.home / ".env").symlink_to(self.vault / "env")
        self.vault.chmod(0)
        self.start()
        pid = self.running()
        os.kill(pid, signal.SIGKILL)
        self.running(but=pid)
        self.assertNotIn("Traceback", self.gateway.log)
