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

STAND_IN = Path(__file__).parent / "stand_in"
"""First on the worker's path."""
ROOT = Path(__file__).parents[2]
"""The folder that our package is in."""
READER = (
    "import sys; sys.path.insert(0, sys.argv[1]);"
    " from gateway.rehearsal.reader import main; main(*sys.argv[2:])"
)
"""Run by our own Python, from wherever the worker is."""


def environment(
    file: Path,
    *,
    faults: Sequence[Fault],
    shioaji: str,
    speed: float,
    state: Path,
    environ: Mapping[str, str],
) -> dict[str, str]:
    """The variables that make a worker rehearse the recording `file`, from now on.

    `shioaji` is the version whose interface it finds, `speed` how many times as fast as the clock
    the day goes, `state` the folder that it may write to, `environ` the gateway's environment.
    Raises OSError and ValueError, which say what is wrong with the recording.
    """
    begin = first_time(file)
    plan = {
        "reader": [sys.executable, "-c", READER, os.fspath(ROOT), os.fspath(file.absolute())],
        "began": time.time(),
        "at": begin,
        "speed": speed,
        "faults": [(each.at(begin), each.kind, each.number, str(each)) for each in faults],
        "notes": os.fspath(state / "faults"),
    }
    path = os.pathsep.join(filter(None, (os.fspath(STAND_IN), environ.get("PYTHONPATH"))))
    return {
        "SJGATEWAY_REHEARSAL": json.dumps(plan),
        "SJGATEWAY_SHIOAJI": shioaji,
        "SJGATEWAY_STATE_DIR": os.fspath(state),
        "PYTHONPATH": path,
    }
