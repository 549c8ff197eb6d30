"""Children that a check asks, without a reactor: each ends before the next line runs."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

from attrs import frozen
from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.python.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

PATIENCE = 20.0
"""Seconds for one child: a cold disk makes imports slow."""
_LOOK = """
import sys
sys.path[:] = filter(None, sys.path)  # not the working directory: main.py's folder is no package
import importlib.util, json
from importlib import metadata

def version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""

wanted = sys.argv[1:]
print(json.dumps({
    "version": ".".join(map(str, sys.version_info[:3])),
    "missing": [name for name in wanted if importlib.util.find_spec(name) is None],
    "shioaji": version("shioaji"),
}))
"""


@frozen
class Interpreter:
    """What a Python said of itself."""

    version: str
    missing: tuple[str, ...]
    """The modules among the wanted ones that it does not have."""
    shioaji: str
    """The version that is installed; "" for none."""


def ask_interpreter(
    python: str, wanted: Iterable[str], environ: Mapping[str, str]
) -> Interpreter | None:
    """Ask `python`; None when it can't be run.

    With `environ` as the worker would have it: PYTHONPATH and the user's own packages count.
    """
    try:
        done = subprocess.run(  # noqa: S603 - the interpreter that would run the worker
            [python, "-c", _LOOK, *sorted(wanted)],
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=True,
        )
        said = json.loads(done.stdout)
        return Interpreter(said["version"], tuple(said["missing"]), said["shioaji"])
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


class BlockingReactor:
    """As much of a reactor as asks short-lived children, and waits for each."""

    def callLater(self, delay: float, function: Callable[[], object]) -> _Timer:
        """Never happens: the child was waited for."""
        return _Timer()

    def spawnProcess(
        self, protocol: Any, program: str, words: Sequence[str], env: Mapping[str, str]
    ) -> None:
        """Run to the end, and tell `protocol` how it ended.  Raises OSError."""
        try:
            status = subprocess.run(  # noqa: S603 - as the reactor would
                list(words),
                executable=program,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=PATIENCE,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            status = 1
        protocol.transport = _Gone()
        protocol.processExited(Failure(ProcessTerminated(status) if status else ProcessDone(0)))


class _Timer:
    def active(self) -> bool:
        return False

    def cancel(self) -> None:
        pass


class _Gone:
    def loseConnection(self) -> None:
        pass
