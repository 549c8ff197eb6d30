"""What a Python says of itself: its version, and which modules it has.

The one home of this question: the launcher asks it of each python3 in PATH, `--check` of the
one that would run the worker.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from twisted.python.failure import Failure

TIMEOUT: Final = 20.0
"""Seconds for one Python.  A cold disk and a busy machine make it slow; one that is passed over
may be the right one."""
_LOOK: Final = """
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
    """Such as 3.11.7."""
    missing: tuple[str, ...]
    """The modules among the wanted ones that it does not have."""
    shioaji: str
    """The version that is installed; "" for none."""


def interrogate(
    reactor: Any, python: str, wanted: Iterable[str], environ: Mapping[str, str]
) -> Deferred[Interpreter | None]:
    """Ask `python` which of the modules `wanted` (top-level names) it has.

    Fires with None when it can't be run, or does not answer within `TIMEOUT`.  Fails with an
    OSError when the system lacks something: that says nothing about this Python.  A cancelled
    question ends its process.  `environ` is the worker's: PYTHONPATH and the user's own
    packages count.
    """
    question = _Question()
    words = [python, "-c", _LOOK, *sorted(wanted)]
    try:
        reactor.spawnProcess(question, python, words, env=dict(environ))
    except (FileNotFoundError, PermissionError):
        question.close(None)
    except OSError:
        question.answer.errback()
    else:
        question.limit(reactor)
    return question.answer


class _Question(ProcessProtocol):
    """One Python that is asked; it gets no more than its time."""

    transport: Any

    def __init__(self) -> None:
        self.answer: Deferred[Interpreter | None] = Deferred(lambda _: self._give_up())
        self._said = b""
        self._late: Any = None

    def limit(self, reactor: Any) -> None:
        """From now on it has `TIMEOUT` seconds."""
        if not self.answer.called:
            self._late = reactor.callLater(TIMEOUT, self._kill)

    def close(self, answer: Interpreter | None) -> None:
        """The question is over; an answer that nobody waits for any more is dropped."""
        self._stop_clock()
        if not self.answer.called:
            self.answer.callback(answer)

    def outReceived(self, data: bytes) -> None:
        self._said += data

    def processEnded(self, reason: Failure) -> None:
        answered = getattr(reason.value, "exitCode", 1) == 0
        self.close(_interpreter(self._said) if answered else None)

    def _give_up(self) -> None:
        self._stop_clock()
        self._kill()

    def _stop_clock(self) -> None:
        if self._late is not None and self._late.active():
            self._late.cancel()

    def _kill(self) -> None:
        with suppress(ProcessExitedAlready):
            self.transport.signalProcess("KILL")
        self.transport.loseConnection()  # a child of it may hold the pipes for ever


def _interpreter(said: bytes) -> Interpreter | None:
    try:
        told = json.loads(said)
        return Interpreter(told["version"], tuple(told["missing"]), told["shioaji"])
    except (ValueError, KeyError, TypeError):
        return None
