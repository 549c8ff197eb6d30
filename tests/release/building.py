"""Makes the archive of the sources and the wheel from the files that Git knows."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from gateway import __version__

ROOT = Path(__file__).parents[2]
OURS = ("SJGATEWAY_", "PYTHON", "GATEWAY_")
"""Variables that a stranger does not have begin so."""


class Wrong(Exception):
    """What was found, and should not be."""


@dataclass(frozen=True)
class Built:
    """What was built, in a folder of its own."""

    folder: Path
    sdist: Path
    wheel: Path


def tracked() -> list[str]:
    """The files that Git knows, from the root on."""
    said = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True)
    return [name for name in said.split("\0") if name and (ROOT / name).is_file()]


def unpack(commit: str, folder: Path, *names: str) -> bool:
    """The files of a commit in `folder`, or those below `names`; False: Git does not have it."""
    try:
        packed = subprocess.run(
            ["git", "archive", commit, *names], cwd=ROOT, check=True, capture_output=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return False
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    return True


def build(folder: Path, version: str = __version__) -> Built:
    """Build both in `folder`; another `version` is written into the copy of the sources."""
    sources = folder / "sources"
    for name in tracked():
        (sources / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, sources / name)
        shutil.copymode(ROOT / name, sources / name)
    return pack(sources, version)


def pack(sources: Path, version: str) -> Built:
    """Build both beside these sources, as that version."""
    folder, out = sources.parent, sources.parent / "dist"
    place = sources / "gateway" / "__init__.py"
    numbered = re.sub(r'(?m)^__version__ = ".*"$', f'__version__ = "{version}"', place.read_text())
    place.write_text(numbered)
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(sources)]
    run(command, folder)
    (sdist,), (wheel,) = out.glob("*.tar.gz"), out.glob("*.whl")
    return Built(folder, sdist, wheel)


def run(command: list[str], folder: Path, **more: str) -> str:
    """What it prints on stdout.  Raises `Wrong` where it fails."""
    done = subprocess.run(
        command, cwd=folder, env={**clean(), **more}, capture_output=True, text=True, check=False
    )
    expect(not done.returncode, f"{' '.join(command)} fails:\n{done.stdout}{done.stderr}")
    return done.stdout


def clean() -> dict[str, str]:
    """The environment of somebody who has neither our sources nor our options."""
    return {name: text for name, text in os.environ.items() if not name.startswith(OURS)}


def expect(condition: object, otherwise: str) -> None:
    """Raise `Wrong` with that text where `condition` is not true."""
    if not condition:
        raise Wrong(otherwise)
