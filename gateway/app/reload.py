"""SIGHUP: read again what may have changed on disk, or end with the terminal."""

from __future__ import annotations

import os
import signal
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from twisted.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Callable

TERMINAL = "/dev/tty"
"""Whatever terminal controls this process: it can be opened while there is one (tty(4))."""

_log = Logger(namespace="gateway")


class Step(NamedTuple):
    """One thing to be read again: a name for the log, and what does it."""

    what: str
    do: Callable[[], object]


class Reloads:
    """What is done at SIGHUP: each step by itself, whatever became of the others.

    `steps` is the one list; who has something to read again adds to it.
    """

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def __call__(self) -> None:
        """Do all of them."""
        for step in self.steps:
            try:
                step.do()
            except Exception as error:
                _log.error(
                    "{what} failed, what was known before holds: {error}",
                    what=step.what,
                    error=error,
                )
        _log.info("Reloaded: {what}", what=", ".join(step.what for step in self.steps))


def heed_hangup(reactor: Any, reload: Callable[[], None]) -> None:
    """Reload at SIGHUP from now on.

    A process in the foreground gets that signal when its terminal is closed, too; then it ends,
    as by SIGTERM, unless it was started with the signal ignored (nohup).
    """
    stays = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN or not _has_terminal()

    def heed() -> None:
        if stays or _has_terminal():
            reload()
        else:
            _log.info("The terminal was closed")
            os.kill(os.getpid(), signal.SIGTERM)

    signal.signal(signal.SIGHUP, lambda *_: partial(reactor.callFromThread, heed)())


def _has_terminal() -> bool:
    try:
        os.close(os.open(TERMINAL, os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
