"""The stand-in of shioaji in this process, with a recording that a shell prints."""

import os
import shlex
import sys
import threading
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gateway.rehearsal.plan import STAND_IN
from gateway.rehearsal.reader import show
from tests.rehearsal.recorded import BEGIN, write

PATIENCE = 60


class StandInCase(SynchronousTestCase):
    """`self.client(version, events)` makes a `Shioaji`."""

    def setUp(self) -> None:
        self.patch(sys, "path", [str(STAND_IN), *sys.path])
        self.said = StringIO()
        self.patch(sys, "stderr", self.said)
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.addCleanup(self.forget)
        self.forget()

    def forget(self) -> None:
        for name in [
            each for each in sys.modules if each.split(".")[0] in {"shioaji", "rehearsed"}
        ]:
            del sys.modules[name]

    def library(self, version: str, events: list, faults: list | None = None) -> Any:
        """The module `shioaji`; the recording is at its beginning now."""
        path = write(self.folder / "day.jsonl.zst", events)
        with (self.folder / "lines").open("w") as out:
            show(path, 0, out)
        self.patch(os, "environ", {**os.environ, "SJGATEWAY_SHIOAJI": version})
        self.forget()
        self.said.seek(0)
        self.said.truncate()
        import shioaji
        from rehearsed import broker

        reader = ["sh", "-c", f"cat {shlex.quote(str(self.folder / 'lines'))}"]
        self.clock = HandClock(faults or [], reader, self.mktemp())
        broker.Plan = lambda: self.clock
        return shioaji

    def until_said(self, text: str, times: int = 1) -> None:
        """Wait until a fault of the script was told on stderr."""
        while self.said.getvalue().count(text) < times:
            threading.Event().wait(0.01)

    def failure(self, call: Callable[..., object], *arguments: object) -> Exception:
        """What `call` raises; some of the library's are plain exceptions."""
        try:
            call(*arguments)
        except Exception as error:
            return error
        raise AssertionError("it raised nothing")

    def client(self, version: str, events: list, faults: list | None = None) -> Any:
        """Somebody who has logged in."""
        client = self.library(version, events, faults).Shioaji(simulation=True)
        client.login("the key", "the secret")
        self.addCleanup(client.broker.log_out)
        return client


class HandClock:
    """The time of a recording, which a test moves on; stands for `rehearsed.clock.Plan`."""

    def __init__(self, faults: list, reader: list[str], notes: str) -> None:
        from rehearsed.faults import Fault, Notes

        self.faults = [Fault(*each) for each in faults]
        self.reader, self.notes = reader, Notes(notes, "test")
        self.at = BEGIN
        self._now = BEGIN
        self._moved = threading.Condition()

    def begin(self) -> None:
        pass

    def now(self) -> float:
        return self._now

    def wait(self, at: float, ended: threading.Event) -> bool:
        with self._moved:
            while self._now < at and not ended.is_set():
                self._moved.wait(0.02)
        return ended.is_set()

    def move(self, seconds: float) -> None:
        """It is so many seconds after the beginning now."""
        with self._moved:
            self._now = BEGIN + seconds
            self._moved.notify_all()


class Heard:
    """What a callback was called with."""

    def __init__(self) -> None:
        self.calls: list[tuple] = []
        self._left = threading.Semaphore(0)

    def __call__(self, *arguments: object) -> None:
        self.calls.append(arguments)
        self._left.release()

    def wait(self, number: int = 1) -> list[tuple]:
        """The calls, once there were so many."""
        while len(self.calls) < number:
            if not self._left.acquire(timeout=PATIENCE):
                raise AssertionError(f"only {self.calls}")
        return self.calls
