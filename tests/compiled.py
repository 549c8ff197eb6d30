"""The tests of the relay's core with the modules that mypyc compiles: `python -m tests.compiled`.

Builds a wheel with SJGATEWAY_COMPILE=1 in a folder of its own, and runs `parts` against it.  Left
out are tests of the same folders that put objects of their own in the place of a compiled class,
which compiled code does not take: `LEFT_OUT` says which.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = ("gateway", "twisted", "setup.py", "pyproject.toml", "README.md", "LICENSE", "main.py")
JOBS = min(4, os.cpu_count() or 1)
FOLDERS = ("engineio", "relay", "socketio", "web/websocket")
MORE = ("tests.fuzz.test_bursts", "tests.web.http.test_tls_writer", "tests.web.http.test_writer")
LEFT_OUT = {
    "tests.relay.test_conflation": "calls that are counted by a patch",
    "tests.relay.test_model": "its clients are made of a class derived from a compiled one",
    "tests.relay.test_views": "views that are plain objects, and calls that are counted by patches",
}
BUILD = "import setuptools.build_meta as meta; meta.build_wheel({folder!r})"


def parts() -> list[str]:
    """The modules of tests that are run."""
    found = [
        f"tests.{folder.replace('/', '.')}.{path.stem}"
        for folder in FOLDERS
        for path in sorted((ROOT / "tests" / folder).glob("test_*.py"))
    ]
    return [name for name in (*found, *MORE) if name not in LEFT_OUT]


def build(folder: Path) -> Path:
    """A folder in which the gateway is compiled, with the tests beside it."""
    copy, site = folder / "copy", folder / "site"
    copy.mkdir()
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "dropin.cache")
            shutil.copytree(source, copy / name, ignore=ignored)
        else:
            shutil.copy(source, copy / name)
    subprocess.run(
        [sys.executable, "-c", BUILD.format(folder=str(folder))],
        cwd=copy,
        env={**os.environ, "SJGATEWAY_COMPILE": "1"},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    shutil.copytree(
        ROOT / "tests", site / "tests", ignore=shutil.ignore_patterns("node_modules", "__pycache__")
    )
    for name in ("ARCHITECTURE.md", "main.py"):
        shutil.copy(ROOT / name, site)
    return site


def check(site: Path) -> str:
    """What the gateway in `site` says before a start."""
    done = subprocess.run(
        [sys.executable, "-m", "twisted", "sjgateway", "--no-worker", "--check"],
        cwd=site,
        env={**os.environ, "PYTHONPATH": str(site)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        site = build(Path(folder))
        said = check(site)
        if ", compiled" not in said:
            print(f"nothing was compiled, or it does not start:\n{said}")
            return 1
        return subprocess.run(
            [sys.executable, "-m", "twisted.trial", f"-j{JOBS}", *parts()],
            cwd=site,
            env={**os.environ, "PYTHONPATH": str(site)},
            check=False,
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
