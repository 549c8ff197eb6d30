"""A machine with nothing but Python, and what its first user reaches there with the wheel."""

from __future__ import annotations

import json
import shlex
import shutil
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from gateway import __version__
from tests.commands.desk import Desk, answer
from tests.image.building import needed
from tests.patience import PATIENCE
from tests.release.newcomer import demonstration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.release.building import Built

KNOWN = ("HOME", "PYTHONUNBUFFERED", "SJGATEWAY_PORT", "XDG_STATE_HOME")
"""What is known there of this machine's variables."""
SEARCH = "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
START = ".venv/bin/twistd -n sjgateway --demo"
INSTALL = ".venv/bin/pip install --quiet"


class Machine(Desk):
    """A desk whose commands see the files of `root`; of this machine `folder` and `wheels` alone.

    The network is this machine's.
    """

    def __init__(self, folder: Path, root: Path, wheels: Path) -> None:
        super().__init__(folder)
        self._environ = {name: self._environ[name] for name in KNOWN} | {"PATH": SEARCH}
        folders = {str(folder): folder, "/wheels": wheels, "/proc": "/proc", "/dev": "/dev"}
        files = {"/etc/hosts": "/etc/hosts", "/etc/pip.conf": wheels / "pip.conf"}
        for place in folders:
            Path(f"{root}{place}").mkdir(parents=True, exist_ok=True)
        for place in files:
            Path(f"{root}{place}").touch()
        mounts = [
            shlex.join(["mount", "--rbind", str(path), f"{root}{place}"])
            for place, path in (folders | files).items()
        ]
        shell = shlex.join(["chroot", str(root), "env", f"--chdir={folder}", "bash", "-c"])
        script = " && ".join([*mounts, f'exec {shell} "$1"'])
        self.shell = (needed("unshare"), "--mount", "sh", "-c", script, "sh")


def first_hour(machine: Machine, built: Built, before: Built) -> Iterator[str]:
    """What README tells to type, its page, the doctor, and an upgrade from the version before."""
    shutil.copy(built.wheel, machine.folder)
    yield f"README's command: {demonstration(machine)}"
    yield f"doctor: {machine.type(f'{START} --check').splitlines()[-1]}"
    shutil.copy(before.wheel, machine.folder)
    machine.type(f"{INSTALL} ./{before.wheel.name}")
    url = f"http://127.0.0.1:{machine.ports['3001']}"
    with machine.gateway(START) as running:
        worker = pid(url)
        machine.type(f"{INSTALL} ./{built.wheel.name}")
        urllib.request.urlopen(f"{url}/hand-over", data=b"", timeout=PATIENCE).close()
        running.until(lambda: f"This is sjgateway {__version__}," in running.said())
        running.until(lambda: answer(f"{url}/readyz") == 200)
        assert pid(url) == worker, running.said()
    yield f"upgrade: to {__version__}, and the worker stayed"


def pid(url: str) -> int:
    """The number of the worker's process."""
    with urllib.request.urlopen(f"{url}/status", timeout=PATIENCE) as told:
        return int(json.load(told)["pid"])
