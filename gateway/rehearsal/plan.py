"""What a worker is given so that it rehearses."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.rehearsal.reader import first_time

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.rehearsal.script import Fault
    from gateway.replay.wishes import Place

STAND_IN = Path(__file__).parent / "stand_in"
"""First on the worker's path."""
ROOT = Path(__file__).parents[2]
"""The folder that our package is in."""
READER = (
    "import sys; sys.path.insert(0, sys.argv[1]);"
    " from gateway.rehearsal.reader import main; main(*sys.argv[2:])"
)
"""Run by our own Python, from wherever the worker is."""

_KEYS = {
    "apiKey": "MADE-UP-API-KEY",
    "secretKey": "MADE-UP-SECRET-KEY",
    "caCertPath": os.devnull,
    "caPassword": "MADE-UP-PASSWORD",
}
"""None begins like a word that a log should show: what begins like a key is redacted."""


def environment(
    file: Path,
    *,
    begin: Place | None = None,
    faults: Sequence[Fault],
    shioaji: str,
    speed: float,
    state: Path,
    environ: Mapping[str, str],
    variables: Mapping[str, Sequence[str]],
) -> dict[str, str]:
    """The variables that make a worker rehearse the recording `file`, from its first login on.

    `begin` is where in it, else at its first quote.  `shioaji` is the version whose interface it
    finds ("": the installed one's), `speed` how many times as fast as the clock the day goes,
    `state` the folder that it may write to, `environ` the gateway's environment, `variables` those
    of its keys.  Raises ValueError, which says what is wrong with the recording.
    """
    try:
        first = first_time(file)
    except (OSError, ValueError) as error:
        raise ValueError(f"{file} can't be rehearsed: {error}") from error
    at = first if begin is None else begin.after(first)
    plan = {
        "reader": [sys.executable, "-c", READER, os.fspath(ROOT), os.fspath(file.absolute())],
        "name": f"{time.time():.6f}",
        "at": at,
        "speed": speed,
        "faults": [(each.at(at), each.kind, each.number, str(each)) for each in faults],
        "notes": os.fspath(state / "notes"),
    }
    path = os.pathsep.join(filter(None, (os.fspath(STAND_IN), environ.get("PYTHONPATH"))))
    return {
        **keys(environ, variables),
        "SJGATEWAY_REHEARSAL": json.dumps(plan),
        "SJGATEWAY_SHIOAJI": shioaji,
        "SJGATEWAY_STATE_DIR": os.fspath(state),
        "PYTHONPATH": path,
    }


def keys(environ: Mapping[str, str], variables: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Keys for a worker that has none, so that it logs in; there is nobody who could take them.

    `variables` are the names of each: of `apiKey`, `secretKey`, `caCertPath`, `caPassword`.
    """
    return {
        name: _KEYS[field]
        for field, names in variables.items()
        if not any(environ.get(name) for name in names)
        for name in names
    }
