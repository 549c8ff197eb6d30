"""What a rehearsal is told, and its time."""

from __future__ import annotations

import json
import os
import threading
import time
from datetime import timedelta, timezone
from typing import Any

from rehearsed.faults import Fault

VARIABLE = "SJGATEWAY_REHEARSAL"
TAIPEI = timezone(timedelta(hours=8))


class Plan:
    """What the gateway says in the worker's environment; the same for each start of the worker.

    - `reader`: the command that prints the recording, from the time that is added to it on.
    - `began`, `at`, `speed`: when it was `began` (seconds since 1970) the recording was at `at`,
      and goes on `speed` times as fast as the clock.
    - `faults`: the script; `notes`: the file in which refused logins are noted.
    """

    def __init__(self, environ: Any = os.environ) -> None:
        told = json.loads(environ[VARIABLE])
        self.reader: list[str] = told["reader"]
        self.began: float = told["began"]
        self.at: float = told["at"]
        self.speed: float = told["speed"]
        self.faults = sorted(Fault(*each) for each in told["faults"])
        self.notes: str = told["notes"]

    def now(self) -> float:
        """The time in the recording, in seconds since 1970."""
        return self.at + (time.time() - self.began) * self.speed

    def wait(self, at: float, ended: threading.Event) -> bool:
        """Wait until the recording is at `at`; whether it `ended` before."""
        return ended.wait(max(0.0, (at - self.now()) / self.speed))
