"""Builds the image of deploy/Dockerfile by buildah, with a storage in a folder of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.release.building import ROOT

DOCKERFILE = ROOT / "deploy" / "Dockerfile"
NAME = "localhost/sjgateway"
SUITE = "bookworm"
PACKAGES = "python3,python3-venv"
"""Of the distribution; `python` is a link, as in the official image."""
LEFT_OUT = ("var/cache/apt/archives", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale")
"""As in the official image."""
SEARCH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
PULL_SECONDS = 120


class Missing(Exception):
    """Why nothing can be shown on this machine."""


@dataclass(frozen=True)
class Buildah:
    """The program, with images and containers in `storage`."""

    storage: Path

    def __call__(self, command: str, *arguments: str, timeout: float | None = None) -> str:
        """What it prints.  Raises CalledProcessError or TimeoutExpired."""
        places = ("--root", self.storage / "root", "--runroot", self.storage / "run")
        return subprocess.run(
            [needed("buildah"), *places, command, *arguments],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=timeout,
        ).stdout.strip()

    def config(self, image: str) -> dict[str, Any]:
        """What the image says of itself, in Docker's words."""
        told = json.loads(self("inspect", "--type=image", image))
        config: dict[str, Any] = told["Docker"]["config"]
        return config

    def files(self, image: str) -> Path:
        """The root of a new container of it."""
        return Path(self("mount", self("from", "--pull-never", image)))

    def size(self, image: str) -> int:
        """Bytes of its files, those of its base among them."""
        return sum(each.lstat().st_size for each in self.files(image).rglob("*") if each.is_file())


def needed(program: str) -> str:
    """Where it is.  Raises `Missing`."""
    found = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        raise Missing(f"{program} is needed: apt install {program}")
    return found


def base_name() -> str:
    """The name of the base that the Dockerfile asks for."""
    (name,) = set(re.findall(r"^FROM (\S+)", DOCKERFILE.read_text("utf-8"), re.MULTILINE))
    return f"docker.io/library/{name}"


def get_base(buildah: Buildah, folder: Path) -> str:
    """Pull it, or make one of the distribution's Python under its name; says which."""
    name = base_name()
    try:
        buildah("pull", "--quiet", name, timeout=PULL_SECONDS)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        make_base(buildah, folder / "base", name)
        return f"made of Debian {SUITE}, since {name} can't be pulled"
    return f"{name}, pulled"


def make_base(buildah: Buildah, folder: Path, name: str) -> None:
    """A Debian with Python, by debootstrap."""
    command = [needed("debootstrap"), "--variant=minbase", f"--include={PACKAGES}", SUITE, folder]
    made = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if made.returncode:
        raise AssertionError(f"debootstrap fails:\n{made.stdout[-2000:]}")
    for rest in LEFT_OUT:
        shutil.rmtree(folder / rest, ignore_errors=True)
    (folder / "usr/local/bin/python").symlink_to("/usr/bin/python3")
    container = buildah("from", "scratch")
    buildah("add", "--quiet", container, str(folder), "/")
    buildah("config", f"--env=PATH={SEARCH}", container)
    buildah("commit", "--quiet", "--rm", container, name)
    shutil.rmtree(folder)


def python_of(buildah: Buildah, image: str) -> str:
    """The version of its Python, such as `3.12`."""
    version = "import sys; print('%d.%d' % sys.version_info[:2])"
    container = buildah("from", "--pull-never", image)
    return buildah("run", "--isolation=chroot", container, "python", "-c", version)


def fetch_wheels(python: str, ours: Path, folder: Path) -> None:
    """Into `folder`: what our wheel needs there, fetched by our pip.

    So the build needs neither a way to a registry nor this machine's settings for one.
    """
    download = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:"]
    chosen = (f"--python-version={python}", "--dest", folder, f"{ours}[worker]", "setuptools")
    subprocess.run([*download, *chosen], check=True)
    (folder / ours.name).unlink()
    (folder / "pip.conf").write_text("[global]\nno-index = true\nfind-links = /wheels\n")


def build(buildah: Buildah, wheels: Path) -> None:
    """Build the image as `NAME`, in Docker's form: the other one, OCI's, has no health check."""
    mounts = (f"{wheels}:/wheels:ro", f"{wheels}/pip.conf:/etc/pip.conf:ro")
    buildah(
        "bud",
        "--quiet",
        "--isolation=chroot",
        "--pull-never",
        "--format=docker",
        *(f"--volume={each}" for each in mounts),
        f"--file={DOCKERFILE}",
        f"--tag={NAME}",
        str(ROOT),
    )
