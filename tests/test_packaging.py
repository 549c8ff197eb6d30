"""What pip builds of this project finds its way into twistd."""

import ast
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).parents[1]
SOURCES = ("gateway", "twisted", "setup.py", "pyproject.toml", "README.md", "LICENSE", "main.py")
FIND_PLUGIN = """
import site
from twisted.application.service import IServiceMaker
from twisted.plugin import getPlugins
site.addsitedir({site!r})
(maker,) = [each for each in getPlugins(IServiceMaker) if each.tapname == "sjgateway"]
print(maker.options().__class__.__module__, maker.makeService.__module__)
"""

ON_WINDOWS = """
import signal, sys
from twisted.application.service import IServiceMaker
from twisted.plugin import getPlugins
for name in ("SIGHUP", "SIGUSR2", "pthread_sigmask"):
    delattr(signal, name)
sys.platform = "win32"
(maker,) = [each for each in getPlugins(IServiceMaker) if each.tapname == "sjgateway"]
try:
    maker.options
except SystemExit as end:
    print(end)
"""
"""Windows has none of these; its plugins are found all the same."""

RECORD = """
import sys; sys.path.insert(0, {site!r})
from pathlib import Path
from gateway.history import recorded_lines, zstd_file
tick = b'["market_tick",{{"code":"TXFL6","datetime":"2026-11-30T08:45:01","close":5,"volume":1}}]'
Path({path!r}).write_bytes(zstd_file.compress(recorded_lines.line(1796000000.0, tick)))
"""


def files(folder: Path) -> list[str]:
    """All files below `folder`, relative to it."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def needed(**more: str) -> list[str]:
    """What pip installs for a build in a folder of its own, besides setuptools itself."""
    script = "import setuptools.build_meta as meta; print(meta.get_requires_for_build_wheel())"
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "SJGATEWAY_COMPILE": "", **more}
        for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE", "gateway/__init__.py"):
            (Path(folder) / name).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, Path(folder) / name)
        command = [sys.executable, "-c", script]
        said = subprocess.check_output(command, cwd=folder, env=environment, text=True)
    return [each.partition(">")[0] for each in ast.literal_eval(said.splitlines()[-1])]


class PackagingTests(SynchronousTestCase):
    def setUp(self) -> None:
        # Not below the repository: Git and setuptools would look into it.
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.copy = self.folder / "copy"
        self.copy.mkdir()
        for name in SOURCES:
            source = ROOT / name
            if source.is_dir():
                ignored = shutil.ignore_patterns("__pycache__", "dropin.cache")
                shutil.copytree(source, self.copy / name, ignore=ignored)
            else:
                shutil.copy(source, self.copy / name)

    def python(self, script: str, folder: Path, **more: str) -> tuple[str, str]:
        """What `script` prints, and complains of, when it runs in `folder`."""
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": "", "SJGATEWAY_COMPILE": "", **more},
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout, done.stderr

    def build(self, kind: str, **more: str) -> Path:
        """A folder with what the wheel of this kind holds."""
        site = self.folder / "site"
        script = f"import setuptools.build_meta as meta; meta.build_{kind}({str(self.folder)!r})"
        _, self.complaints = self.python(script, self.copy, **more)
        (wheel,) = self.folder.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)
        return site

    def assert_twistd_finds_it(self, site: Path) -> None:
        found, _ = self.python(FIND_PLUGIN.format(site=str(site)), self.folder)
        self.assertEqual(found.split(), ["gateway.app.command_line", "gateway.tap"])

    def test_an_install_has_the_packages_and_the_plugin(self) -> None:
        """Also where it should be compiled and can't be: then it is pure Python, and says why."""
        site = self.build("wheel", SJGATEWAY_COMPILE="1", CC="no-such-compiler")
        self.assertIn("there is no C compiler no-such-compiler: pure Python", self.complaints)
        self.assertEqual(files(site / "gateway"), files(self.copy / "gateway"))
        self.assertEqual(
            [str(path.relative_to(site)) for path in site.glob("twisted/**/*.py")],
            ["twisted/plugins/sjgateway.py"],
        )
        self.assertFalse((site / "tests").exists())
        shutil.rmtree(self.copy)
        self.assert_twistd_finds_it(site)

    def test_only_a_compiled_build_needs_the_compiler_of_python(self) -> None:
        self.assertNotIn("mypy", needed(SJGATEWAY_COMPILE="1", CC="no-such-compiler"))
        wanted = needed(SJGATEWAY_COMPILE="1", CC=sys.executable)  # any program that there is
        self.assertTrue({"mypy", "types-psutil", "attrs"} <= set(wanted), wanted)

    def test_the_commands_run_in_an_empty_folder(self) -> None:
        site = self.build("wheel")
        empty = self.folder / "empty"
        empty.mkdir()
        recording = self.folder / "2026-11-30-day.jsonl.zst"
        self.python(RECORD.format(site=str(site), path=str(recording)), empty)
        for arguments, status, expected in (
            (["--version"], 0, "sjgateway "),
            (["recordings", str(self.folder)], 0, recording.name),
            (["export", str(recording)], 0, "TXFL6,2026-11-30T08:45:00+08:00,5.0"),
            (["tail", "--url", "http://127.0.0.1:1"], 1, "no gateway answers at"),
        ):
            done = subprocess.run(
                [sys.executable, "-m", "gateway", *arguments],
                cwd=empty,
                env={**os.environ, "PYTHONPATH": str(site)},
                capture_output=True,
                text=True,
                check=False,
            )
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertIn(expected, done.stdout + done.stderr)
        self.assertEqual(files(empty), [])

    def test_windows_is_told_where_it_runs(self) -> None:
        environment = {"PYTHONPATH": str(ROOT)}
        said, complaints = self.python(ON_WINDOWS, self.folder, **environment)
        self.assertRegex(said, r"^sjgateway: .*WSL2 or Docker.*docs/windows\.md.*\n$")
        self.assertEqual(complaints, "")
        self.assertTrue((ROOT / "docs" / "windows.md").exists())

    def test_an_editable_install_puts_the_sources_on_the_path(self) -> None:
        """Whatever is asked for: sources that change are never compiled."""
        site = self.build("editable", SJGATEWAY_COMPILE="1")
        (pth,) = site.glob("*.pth")
        self.assertEqual(pth.read_text().strip(), str(self.copy))
        self.assert_twistd_finds_it(site)
