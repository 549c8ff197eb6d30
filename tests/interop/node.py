"""Node.js peers: stock clients from npm, as package.json beside this file names them."""

import os
import shutil
import subprocess
from fcntl import LOCK_EX, flock
from hashlib import sha256
from pathlib import Path
from unittest import SkipTest

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"


def require_node() -> str:
    """The path of Node.js.

    Where it or npm is missing the test is skipped, or fails under `CI=true`.
    """
    node = shutil.which("node")
    if node and shutil.which("npm"):
        return node
    reason = "Node.js and npm are needed; install them and run again"
    if os.environ.get("CI") == "true":
        raise AssertionError(reason)
    raise SkipTest(reason)


def node_modules() -> Path:
    """The folder with the packages, installed by npm if it is not up to date.

    Several processes may ask at once; one installs.  For NODE_PATH, or as the working
    folder's own.
    """
    require_node()
    wanted = sha256((HERE / "package.json").read_bytes()).hexdigest()
    MODULES.mkdir(exist_ok=True)
    stamp = MODULES / ".package-json.sha256"
    with (MODULES / ".lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if not stamp.exists() or stamp.read_text() != wanted:
            subprocess.run(
                ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--silent"],
                cwd=HERE,
                check=True,
            )
            stamp.write_text(wanted)
    return MODULES
