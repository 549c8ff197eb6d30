"""Which Python and packages a worker has, by the names of files."""

from __future__ import annotations

import os
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

from twisted.trial.unittest import SynchronousTestCase

from gateway.worker.process.installed import Program, describe
from gateway.worker.process.target import UNKNOWN, Target

if TYPE_CHECKING:
    from collections.abc import Sequence


class DescribeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.main = self.write("main.py")

    def write(self, name: str, text: str = "") -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def described(
        self, program: object, words: Sequence[str] = (), script: Path | None = None
    ) -> Program:
        target = Target(tuple(words), self.folder, script or self.main)
        return describe(target, os.fspath(program))  # type: ignore[call-overload]

    def test_of_an_environment(self) -> None:
        self.write("venv/pyvenv.cfg", "home = /usr/bin\nversion = 3.12.4\n")
        python = self.write("venv/bin/python")
        packages = "venv/lib/python3.12/site-packages"
        for name in (
            "shioaji-1.2.5.dist-info",
            "python_socketio-5.11.0.dist-info",
            "shioaji_extras-9.dist-info",
            "requests-2.32.0.dist-info",
            "shioaji",
        ):
            (self.folder / packages / name).mkdir(parents=True)
        self.assertEqual(
            self.described(python),
            Program(
                str(self.main),
                str(python),
                "3.12.4",
                {"shioaji": "1.2.5", "python-socketio": "5.11.0"},
            ),
        )

    def test_of_one_that_another_tool_has_made(self) -> None:
        self.write(".venv/pyvenv.cfg", "version_info = 3.13.0.final.0\n")
        made = self.described(self.write(".venv/bin/python3"))
        self.assertEqual((made.version, made.packages), ("3.13.0.final.0", {}))

    def test_of_a_system_whose_links_lead_to_the_version(self) -> None:
        self.write("usr/bin/python3.11")
        link = self.folder / "usr/bin/python3"
        link.symlink_to("python3.11")
        own = "usr/lib/python3/dist-packages"
        (self.folder / own / "Python_SocketIO-5.7.2.egg-info").mkdir(parents=True)
        (self.folder / own / "shioaji-1.0.dist-info").mkdir()
        later = self.folder / "usr/local/lib/python3.11/dist-packages/shioaji-1.2.dist-info"
        later.mkdir(parents=True)
        with patch.dict(os.environ, {"HOME": str(self.folder)}):
            made = self.described(link)
        self.assertEqual(made.python, str(link))
        self.assertEqual(made.version, "3.11")
        self.assertEqual(made.packages, {"shioaji": "1.2", "python-socketio": "5.7.2"})

    def test_this_one_is_as_it_says_itself(self) -> None:
        made = self.described(sys.executable)
        self.assertTrue(sys.version.startswith(made.version + " "), made.version)
        version = metadata.version("python-socketio")
        self.assertEqual(made.packages["python-socketio"], version)

    def test_what_is_no_python_has_a_name_alone(self) -> None:
        nobody = self.folder / UNKNOWN
        self.assertEqual(self.described("/opt/feed", script=nobody), Program("/opt/feed"))
        self.assertEqual(self.described("/usr/bin/node").name, str(self.main))

    def test_a_module_is_named_as_it_is_run(self) -> None:
        made = self.described("/nowhere/python3.11", ("-m", "desk.feed"))
        self.assertEqual(made, Program("-m desk.feed", "/nowhere/python3.11", "3.11"))
