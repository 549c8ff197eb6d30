"""What a rehearsal is told, and its time."""

from __future__ import annotations

import json
import os
import time
from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any

from rehearsed.faults import Fault, Notes

if TYPE_CHECKING:
    import threading

VARIABLE = "SJGATEWAY_REHEARSAL"
TAIPEI = timezone(timedelta(hours=8))
_BEGAN = "began "


class Plan:
    """What the gateway says in the worker's environment; the same for each start of the worker.

    - `reader`: the command that prints the recording, from the time that is added to it on.
    - `at`, `speed`: where in the recording the first login is (seconds since 1970), and how many
      times as fast as the clock it goes on from there.
    - `faults`: the script.
    - `notes`, `name`: the file of notes, and the name of this rehearsal in it.
    """

    def __init__(self, environ: Any = os.environ) -> None:
        told = json.loads(environ[VARIABLE])
        self.reader: list[str] = told["reader"]
        self.at: float = told["at"]
        self.faults = sorted(Fault(*each) for each in told["faults"])
        self.notes = Notes(told["notes"], told["name"])
        self._speed: float = told["speed"]
        self._began = self._noted()

    def begin(self) -> None:
        """A worker has logged in: the first one sets the clock going."""
        if self._noted() is None:
            self.notes.add(f"{_BEGAN}{time.time()}")
        self._began = self._noted()  # of two sessions that begin at once, the first one's

    def _noted(self) -> float | None:
        found = (line for line in self.notes.read() if line.startswith(_BEGAN))
        return next((float(line[len(_BEGAN) :]) for line in found), None)

    def now(self) -> float:
        """The time in the recording, in seconds since 1970."""
        passed = 0.0 if self._began is None else time.time() - self._began
        return self.at + passed * self._speed

    def wait(self, at: float, ended: threading.Event) -> bool:
        """Wait until the recording is at `at`; whether it `ended` before."""
        return ended.wait(max(0.0, (at - self.now()) / self._speed))
