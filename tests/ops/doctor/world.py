"""A folder with a worker that nothing is wrong with, to be broken one fault at a time."""

import json
import re
import sys
import time
from pathlib import Path
from typing import NamedTuple

from twisted.trial.unittest import SynchronousTestCase

from gateway.app.check import run
from gateway.options import Settings
from tests import unprivileged
from tests.ports import free_port

MAIN = """import socketio
import shioaji as sj
api = sj.Shioaji()
api.login(api_key='', secret_key='')
"""
LINE = re.compile(r"(?P<level>ok|warn|fail) +(?P<topic>[\w.]+): (?P<what>.*)")
CURE = "      -> "


class Line(NamedTuple):
    """A finding as it is printed."""

    level: str
    topic: str
    what: str
    cure: str


def interpreter(folder: Path, *packages: str) -> Path:
    """A Python in the virtual environment `folder` that has `packages`, such as shioaji-1.7.9."""
    site = folder / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    site.mkdir(parents=True)
    for package in packages:
        name, _, version = package.partition("-")
        (site / f"{name}.py").touch()
        if version:
            (site / f"{package}.dist-info").mkdir()
            (site / f"{package}.dist-info" / "METADATA").write_text(
                f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
            )
    base = Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    (folder / "bin").mkdir()
    (folder / "bin" / "python").symlink_to(base)
    (folder / "pyvenv.cfg").write_text(f"home = {base.parent}\n")
    return folder / "bin" / "python"


class DoctorTestCase(SynchronousTestCase):
    by_another_user = False
    """Whether the folder is root's, and somebody else asks."""
    stub: str | None
    """The worker's interpreter; None: as the gateway finds it."""

    def setUp(self) -> None:
        if self.by_another_user:
            self.folder = unprivileged.folder(self)
        else:
            self.folder = Path(self.mktemp()).absolute()
            self.folder.mkdir(parents=True)
        (self.folder / ".git").mkdir()  # its own project, wherever the tests run
        self.main = self.folder / "main.py"
        self.main.write_text(MAIN)
        self.stub = self.answering(version="3.12.1", missing=[], shioaji="1.7.9")
        self.environ = {
            "PATH": str(self.folder),
            "HOME": str(self.folder),
            "API_KEY": "the-key",
            "SECRET_KEY": "the-secret",
        }
        self.port = free_port()
        self.now = time.time()

    def answering(self, **answer: object) -> str:
        """A program that gives the answer of an interpreter, and sooner than one."""
        program = self.folder / "answering"
        program.write_text(f"#!/bin/sh\necho '{json.dumps(answer)}'\n")
        program.chmod(0o755)
        return str(program)

    def install(self, *packages: str) -> Path:
        """The worker's Python beside main.py, with `packages`."""
        return interpreter(self.folder / ".venv", *packages)

    def check(self, **settings: object) -> tuple[int, list[Line]]:
        """The exit status, and what was printed."""
        given = {"port": self.port, "max_connections": 1, "python": self.stub, **settings}

        def ask() -> tuple[int, list[str]]:
            printed: list[str] = []
            code = run(Settings(**given), self.environ, printed.append, self.folder, self.now)
            return code, printed

        code, printed = unprivileged.as_other_user(ask) if self.by_another_user else ask()
        self.assertNotIn("the-secret", "".join(printed))
        lines = []
        for each in printed[:-1]:
            first, _, cure = each.partition(f"\n{CURE}")
            match = LINE.fullmatch(first)
            assert match is not None, first
            lines.append(Line(*match.groups(), cure))
        levels = [line.level for line in lines]
        counts = ", ".join(f"{levels.count(name)} {name}" for name in ("ok", "warn", "fail"))
        self.assertEqual(printed[-1], counts)
        self.assertEqual(code, 1 if "fail" in levels else 0)
        return code, lines

    def found(self, topic: str, **settings: object) -> Line:
        """The worst line about `topic`, which says what to do unless all is well."""
        _, lines = self.check(**settings)
        about = [line for line in lines if line.topic == topic]
        line = max(about, key=lambda each: ("ok", "warn", "fail").index(each.level))
        self.assertTrue(line.level == "ok" or line.cure, line)
        return line

    def assert_found(self, line: Line, level: str, what: str, cure: str) -> None:
        self.assertEqual(line.level, level, line)
        self.assertIn(what, line.what)
        self.assertIn(cure, line.cure)
