"""`--check` as users run it, and docs/troubleshooting.md, which is built on it."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.ops.doctor import TOPICS
from tests.patience import PATIENCE
from tests.ports import free_port
from tests.test_tap import RUNNERS

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| `([\w.]+):` \| (.+) \| (.+) \|$", re.MULTILINE)
"""A row of the troubleshooting: the line of `--check`, what is seen, what to do."""

TROUBLES = {
    "python is missing": "python",
    "main.py is missing": "main.py",
    "the worker's dependencies are missing": "packages",
    "the port is in use": "port",
    "not reachable from another machine, firewall": "reach",
    "CORS": "origins",
    "file permissions": "files",
    "environment variables": "environment",
    "restart fails": "restart",
}
"""What it has to help with, and the line that it maps to."""
PAGES = ("docs/troubleshooting.md", "docs/troubleshooting.zh-TW.md")
WORDS = {
    "python": "--python",
    "main.py": "--main",
    "packages": "ModuleNotFoundError",
    "port": "--port",
    "reach": "--host 0.0.0.0",
    "origins": "--allowed-origins",
    "files": "chmod 600",
    "environment": "SJGATEWAY_",
    "restart": "/restart-python",
}
"""What is said there in every language."""


class CommandTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir(parents=True)
        self.port = free_port()

    def check(self, runner: str, *options: str) -> subprocess.CompletedProcess[str]:
        script, *own = RUNNERS[runner]
        state = f"--state-dir={self.folder}/state"
        given = ("sjgateway", "--check", f"--port={self.port}", state, *options)
        return subprocess.run(
            [sys.executable, "-c", script, *own, *given],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def test_all_topics_are_said_in_order_and_nothing_is_started(self) -> None:
        (self.folder / "main.py").write_text("open('started', 'w')\n")
        done = self.check("twistd -n", f"--python={sys.executable}")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        topics = re.findall(r"^\w+ +([\w.]+): ", done.stdout, re.MULTILINE)
        self.assertEqual(tuple(dict.fromkeys(topics)), TOPICS)
        self.assertEqual([each.name for each in self.folder.iterdir()], ["main.py"])

    def test_something_that_fails_is_the_exit_status(self) -> None:
        with socket.create_server(("127.0.0.1", self.port)):
            for runner in ("twistd", "twist"):
                done = self.check(runner, "--no-worker")
                self.assertEqual((done.returncode, done.stderr), (1, ""))
                self.assertIn(f"fail  port: port {self.port} on 127.0.0.1 is in use", done.stdout)
                self.assertTrue(done.stdout.endswith(", 1 fail\n"))

    def test_a_gateway_that_runs_in_the_same_folder_is_no_obstacle(self) -> None:
        (self.folder / "twistd.pid").write_text(str(os.getpid()))
        done = self.check("twistd", "--no-worker")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual((self.folder / "twistd.pid").read_text(), str(os.getpid()))


class TroubleshootingTests(SynchronousTestCase):
    def rows(self, name: str) -> dict[str, str]:
        """Topic -> the words of its rows."""
        found: dict[str, str] = {}
        for topic, seen, cure in ROW.findall((ROOT / name).read_text(encoding="utf-8")):
            found[topic] = f"{found.get(topic, '')} {seen} {cure}"
        return found

    def test_every_line_of_the_check_has_its_row_and_no_row_is_without_one(self) -> None:
        for name in PAGES:
            self.assertEqual(tuple(self.rows(name)), TOPICS, name)

    def test_the_troubles_map_to_lines_that_name_the_cure(self) -> None:
        for name in PAGES:
            rows = self.rows(name)
            for trouble, topic in TROUBLES.items():
                with self.subTest(page=name, trouble=trouble):
                    self.assertIn(WORDS[topic], rows[topic])
