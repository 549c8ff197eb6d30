"""Runs short processes to their end, where there is no reactor yet."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.python.failure import Failure

from gateway.worker.process.interpreters import TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class BlockingReactor:
    """The part of a reactor that starts processes; it waits for each to end."""

    def callLater(self, delay: float, function: Callable[[], object]) -> object:
        """Never calls it: the process has ended already."""

    def spawnProcess(
        self, protocol: Any, program: str, words: Sequence[str], env: Mapping[str, str]
    ) -> None:
        """Run to the end; tell `protocol` what was printed, and how it ended.  Raises OSError."""
        try:
            done = subprocess.run(  # noqa: S603 - as the reactor would
                list(words),
                executable=program,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            protocol.processEnded(Failure(ProcessTerminated(1)))
            return
        protocol.outReceived(done.stdout)
        status = done.returncode
        protocol.processEnded(Failure(ProcessTerminated(status) if status else ProcessDone(0)))
