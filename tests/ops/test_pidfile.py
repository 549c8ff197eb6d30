"""A PID file that another gateway left, or one that runs."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.app.check import check_pid_file
from gateway.app.command_line import Options
from gateway.ops.doctor.finding import Level
from gateway.ops.pidfile import PidFile
from tests import unprivileged

GATEWAY = "import sys; print(flush=True); sys.stdin.read()"


class PidFileTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.path = self.folder / "twistd.pid"
        self.file = PidFile(self.path)

    def process(self, *words: str) -> int:
        process = subprocess.Popen(
            [sys.executable, "-c", GATEWAY, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stdin.close)
        process.stdout.read(1)
        return process.pid

    def parse(self) -> str:
        """Parse our options as twistd does; what was said."""
        options = Options()
        options.parent = {"pidfile": str(self.path), "rundir": str(self.folder)}
        said = StringIO()
        with redirect_stderr(said):
            options.parseOptions([])
        return said.getvalue()

    def test_without_one_nothing_is_wrong(self) -> None:
        self.assertEqual((self.file.problem, self.file.stale), ("", ""))
        self.assertEqual(list(check_pid_file(self.file)), [])
        self.assertEqual(self.parse(), "")

    def test_one_that_is_left_is_removed_and_said(self) -> None:
        gone = subprocess.Popen([sys.executable, "-c", ""])
        gone.wait()
        for text in (str(gone.pid), str(os.getpid()), str(self.process("a", "program")), "", "\n"):
            with self.subTest(text=text):
                self.path.write_text(text)
                (finding,) = check_pid_file(self.file)
                self.assertIs(finding.level, Level.OK)
                said = self.parse()
                self.assertIn("no gateway; it was removed", said)
                self.assertEqual(said.count("\n"), 1)
                self.assertFalse(self.path.exists())

    def test_the_one_of_a_gateway_that_runs_is_one_line(self) -> None:
        self.path.write_text(str(self.process("twistd", "-n", "sjgateway")))
        error = self.assertRaises(SystemExit, self.parse)
        self.assertIn("a gateway runs already, process", str(error))
        self.assertIn("--pidfile", str(error))
        self.assertTrue(self.path.exists())
        (finding,) = check_pid_file(self.file)
        self.assertIs(finding.level, Level.FAIL)
        self.assertTrue(finding.cure)

    def test_that_of_another_program_of_twistd_is_left_alone(self) -> None:
        self.path.write_text(str(self.process("/usr/bin/twistd", "-n", "web")))
        error = self.assertRaises(SystemExit, self.parse)
        self.assertIn("another program of twistd runs already", str(error))
        self.assertTrue(self.path.exists())

    def test_what_is_no_pid_file_is_left_alone(self) -> None:
        self.path.write_text("my notes")
        self.assertIn("remove it", str(self.assertRaises(SystemExit, self.parse)))
        self.assertEqual(self.path.read_text(), "my notes")

    def test_where_none_can_be_written_is_one_line(self) -> None:
        folder = unprivileged.folder(self)
        (folder / "closed").mkdir(0o700)
        (folder / "another.pid").write_text("1")
        (folder / "folder.pid").mkdir()
        for name in ("new.pid", "closed/new.pid", "none/new.pid", "another.pid", "folder.pid"):
            with self.subTest(name=name):
                self.file = PidFile(folder / name)
                (finding,) = unprivileged.as_other_user(lambda: list(check_pid_file(self.file)))
                self.assertIs(finding.level, Level.FAIL)
                self.path, self.folder = Path(name), folder
                error = unprivileged.as_other_user(
                    lambda: str(self.assertRaises(SystemExit, self.parse))
                )
                self.assertIn("can't be written", error)
                self.assertIn("--pidfile=", error)
                self.assertNotIn("\n", error)


class OtherPackageTests(SynchronousTestCase):
    def test_another_package_of_our_name_is_one_line(self) -> None:
        root = Path(__file__).parents[2]
        for layout, extra in (("gateway/__init__.py", []), ("gateway.py", ["--check"])):
            folder = Path(self.mktemp()).absolute()
            other = folder / layout
            other.parent.mkdir(parents=True)
            other.touch()
            done = subprocess.run(
                [Path(sys.executable).with_name("twistd"), "-n", "sjgateway", *extra],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{root}"},
                capture_output=True,
                text=True,
                check=False,
            )
            self.assertEqual(done.returncode, 1)
            (line,) = done.stderr.splitlines()
            self.assertTrue(line.startswith("sjgateway: another package named gateway"), line)
            self.assertIn(str(other), line)
