"""The gateway as one service among others: the `.tac` of examples/, run by a real twistd."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.patience import PATIENCE
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
TWISTD = "from twisted.scripts.twistd import run; run()"


class ApplicationTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir(parents=True)
        self.port, self.site = free_port(), free_port()

    def start(self, **variables: str) -> subprocess.Popen[str]:
        environ = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "SITE_PORT": str(self.site),
            "SJGATEWAY_PORT": str(self.port),
            "SJGATEWAY_STATE_DIR": str(self.folder / "state"),
            "SJGATEWAY_MAIN": str(ROOT / "main.py"),
            "SJGATEWAY_PYTHON": sys.executable,
            **variables,
        }
        process = subprocess.Popen(
            [sys.executable, "-c", TWISTD, "-ny", str(ROOT / "examples" / "application.tac")],
            cwd=self.folder,
            env=environ,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def get(self, port: int, path: str, method: str = "GET") -> str:
        try:
            client = socket.create_connection(("127.0.0.1", port), PATIENCE)
        except OSError:
            return ""
        with client:
            client.sendall(f"{method} {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
            return b"".join(iter(lambda: client.recv(4096), b"")).decode()

    def until(self, condition) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), deadline, "it does not come")
            time.sleep(0.05)

    def end(self, process: subprocess.Popen[str]) -> str:
        """What it logged."""
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual((process.returncode, err), (-signal.SIGTERM, ""))
        self.assertNotIn("Traceback", out)
        return out

    def test_both_services_serve_and_the_worker_logs_out(self) -> None:
        secrets = {"SJGATEWAY_TOKEN": "sesame-of-the-test", "SECRET_KEY": "a-key-of-the-test"}
        process = self.start(**secrets, SJGATEWAY_PUBLISH="worker", SJGATEWAY_LOG_LEVEL="debug")
        self.until(lambda: '"ready":true' in self.get(self.port, "/readyz").replace(" ", ""))
        self.assertIn("up for 0 minutes", self.get(self.site, "/"))
        out = self.end(process)
        stopping = out.index("[gateway#info] Stopping")
        self.assertLess(stopping, out.rindex("[gateway.worker#info]"))
        for secret in (*secrets.values(), "worker="):
            self.assertNotIn(secret, out, "whoever the log belongs to")

    def test_so_without_a_worker(self) -> None:
        process = self.start(SJGATEWAY_NO_WORKER="1")
        self.until(lambda: '"status":"ok"' in self.get(self.port, "/health").replace(" ", ""))
        self.assertIn("up for 0 minutes", self.get(self.site, "/"))
        self.end(process)

    def test_the_process_of_another_application_is_not_handed_over(self) -> None:
        process = self.start(SJGATEWAY_NO_WORKER="1")
        self.until(lambda: '"status":"ok"' in self.get(self.port, "/health").replace(" ", ""))
        answer = self.get(self.port, "/hand-over", "POST")
        self.assertIn(" 500 ", answer)
        self.assertIn("part of another application: restart that", answer)
        self.assertIn('"status":"ok"', self.get(self.port, "/health"))
        self.end(process)

    def test_what_keeps_it_from_starting_is_one_line(self) -> None:
        with socket.create_server(("127.0.0.1", self.port)):
            for variables, words in (
                ({}, f"port {self.port} on 127.0.0.1 is in use; choose another with --port"),
                ({"SJGATEWAY_SCHEDULE": "every day"}, "every day"),
            ):
                process = self.start(**variables)
                out, err = process.communicate(timeout=PATIENCE)
                self.assertEqual(process.returncode, 1, err)
                (line,) = err.splitlines()
                self.assertTrue(line.startswith("sjgateway: "), line)
                self.assertIn(words, line)
                self.assertNotIn("Traceback", out)
        self.assertFalse((self.folder / "twistd.pid").exists())
