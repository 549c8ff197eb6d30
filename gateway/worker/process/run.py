"""One generation of the worker, from the decision to start it until nothing is left.

It is a `gateway.worker.lifecycle.protocols.WorkerRun`.
"""

from __future__ import annotations

import errno
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError
from twisted.logger import Logger

from gateway.common.attempt import attempt, reason
from gateway.contract import LaunchError, UnreachableError
from gateway.market.events import ERROR
from gateway.worker.lifecycle.classification import OTHER, SHORTAGE, UNREACHABLE, classify_event
from gateway.worker.lifecycle.exits import Exit, ReportedErrors, decode
from gateway.worker.process.guarded import STDERR, GuardedProcess
from gateway.worker.process.orphan import OrphanedWorker
from gateway.worker.process.target import ABSENT
from gateway.worker.process.usage import SettleCheck

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

    from gateway.contract import WorkerError
    from gateway.worker.lifecycle.protocols import WorkerListener
    from gateway.worker.process.claim import Claim
    from gateway.worker.process.guarded import Command
    from gateway.worker.process.lines import OutputStream
    from gateway.worker.readiness.vitals import Vitals
    from gateway.worker.settings import WorkerSettings

_log = Logger(namespace="gateway.worker")

SHORTAGES = frozenset((errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ENOSPC))
"""What the machine lacks now and has again later."""
PERMANENT = ABSENT | {errno.ENOEXEC, errno.EISDIR, errno.E2BIG}
"""Reasons for which a program can't be run that only a person ends; all others may pass."""


class Run:
    """Starts one process, follows its reports, and tells its listener what becomes of it."""

    def __init__(
        self,
        generation: int,
        listener: WorkerListener,
        *,
        reactor: Any,
        settings: WorkerSettings,
        vitals: Vitals,
        streams: Mapping[int, OutputStream],
        claim: Claim,
    ) -> None:
        self.generation = generation
        self.vitals = vitals
        self.pid: int | None = None
        self.exit: Exit | None = None
        self.error: WorkerError | None = None
        """Why it never became a process."""
        self.cause: str | None = None
        """The class of its exit; None when it ended as asked, or did not end."""
        self._listener = listener
        self._reactor = reactor
        self._settings = settings
        self._streams = streams
        self._claim = claim
        self._process: GuardedProcess | None = None
        self._command: Deferred[Command] | None = None
        self._folder = ""
        self._orphan: OrphanedWorker | None = None
        self._settling: SettleCheck | None = None
        self._asked_at: float | None = None
        self._sent: str | None = None
        self._leaving = False
        self._reported = ReportedErrors(reactor.seconds)

    # -- what the life-cycle asks ------------------------------------------------------------

    def launch(self, command: Deferred[Command]) -> None:
        """Start what `command` fires with; it is cancelled when the worker is to end before."""
        self._command = command
        command.addCallback(self._spawn)
        command.addErrback(self._impossible)

    def end(self) -> None:
        """End the worker and its tree; politely, and not before it has settled.

        Before its `try` no worker logs out, and a KeyboardInterrupt in the middle of its
        imports can get lost.  So the life-cycle asks again at `settled`.
        """
        if self._asked_at is None:
            self._asked_at = self._reactor.seconds()
            if self._process is None and self._command is not None:
                self._reactor.callLater(0, self._command.cancel)
        if self.pid is not None and self._settling is None and self._process is not None:
            self._process.stop()

    def kill(self) -> None:
        """End the worker and its tree at once."""
        attempt("Ending the worker", self.end)
        if self._process is not None:
            attempt("Telling the guardian to kill the worker", self._process.kill)
        if self._orphan is not None:
            self._orphan.kill()

    def heard(self, name: str, value: object, connection: Hashable) -> str | None:
        """An event of one of the worker's own connections; the class of the error in it, if any."""
        was_ready = self.vitals.was_ready
        self.vitals.heard(name, value, connection)
        self._settle()
        if not was_ready and self.vitals.was_ready and self._process is not None:
            self._process.be_patient(self._patience)
        cause = classify_event(value) if name == ERROR else None
        if cause is not None:
            self.note_error(cause)
        return cause

    def note_error(self, cause: str) -> None:
        """It told an error of this class."""
        self._reported.tell(cause)

    @property
    def alive(self) -> bool:
        """Whether the worker's process lives."""
        return self.pid is not None and self.exit is None and not self._leaving

    @property
    def guardian(self) -> int | None:
        """The guardian's pid."""
        return None if self._process is None else self._process.guardian

    @property
    def last_stderr(self) -> list[str]:
        """The last lines of stderr, redacted."""
        return self._streams[STDERR].last()

    @property
    def stuck_details(self) -> str:
        """For a worker that does not end: what was tried, as far as it was reported."""
        whom = f"process {self.pid}" if self.alive else f"what process {self.pid} left"
        if self._sent == "SIGKILL":
            return f"{whom} did not even die of SIGKILL"
        tried = f"the last signal that it got is {self._sent}" if self._sent else "it got no signal"
        guardian = f"its guardian (process {self.guardian})" if self.guardian else "nobody"
        return f"{whom} is there, {tried}, and {guardian} reports no more"

    @property
    def exit_summary(self) -> str:
        """How it ended, and its very last words."""
        return "; ".join((str(self.exit), *self.last_stderr[-3:]))

    # -- what the process tells ---------------------------------------------------------

    def started(self, pid: int) -> None:
        self.pid = pid
        self._settling = SettleCheck(self._reactor, pid, self._settings.settle, self._settle)
        self._reported.begin()
        self._listener.started(self)

    def failed(self, number: int, reason: str) -> None:
        if number == errno.ENOENT and self._folder and not Path(self._folder).is_dir():
            reason = f"its working folder {self._folder} was deleted"
        permanent = number in PERMANENT
        self._never(
            f"it can't be run: {reason}",
            permanent=permanent,
            temporary="" if permanent or not number else _temporary(number),
        )

    def sent(self, signal: str) -> None:
        self._sent = signal

    def output(self, fd: int, data: bytes) -> None:
        self._streams[fd].feed(data)

    def exited(self, status: int) -> None:
        code, signal = decode(status)
        self._exit(code=code, signal=signal)

    def ended(self) -> None:
        if self.alive and self.pid is not None:
            _log.warn("The guardian of worker {pid} was killed", tag="Python", pid=self.pid)
            self._orphan = OrphanedWorker(
                self._reactor,
                self.pid,
                self._patience,
                holders=self._claim.holders,
                sent=self.sent,
                gone=self._exit,
                done=self._reaped,
            )
        else:
            self._reaped()

    # -- inside -------------------------------------------------------------------------

    @property
    def _patience(self) -> tuple[float, float, float]:
        """The seconds after SIGINT, after SIGTERM, and for strays, as the guardian takes them."""
        settings = self._settings
        ready = self.vitals.was_ready
        interrupt = settings.patience_interrupt if ready else settings.patience_login
        return interrupt, settings.patience_terminate, settings.patience_strays

    def _spawn(self, command: Command) -> None:
        if self._asked_at is not None:
            self._stopped_before()
            return
        self._folder = command.cwd
        self._process = GuardedProcess(command, self._patience, self, self._claim)
        try:
            self._process.spawn(self._reactor)
        except Exception:
            self._process = None
            raise

    def _impossible(self, failure: Failure) -> None:
        """There is no process, whatever the reason; the next try may be luckier."""
        if failure.check(CancelledError):
            self._stopped_before()
            return
        error: Any = failure.value
        cause = error.__cause__ if isinstance(error, UnreachableError) else error
        temporary = _temporary(cause.errno) if isinstance(cause, OSError) else ""
        if isinstance(error, LaunchError):
            self.error = error
            self._exit(failure=str(error), permanent=not temporary, temporary=temporary)
        else:
            if not temporary:
                _log.failure("A worker can't be started", failure)
            self._never(f"no process can be made: {reason(error)}", temporary=temporary)
        self._listener.reaped(self)

    def _stopped_before(self) -> None:
        self._never("it was stopped before")
        self._listener.reaped(self)

    def _never(self, reason: str, **how: Any) -> None:
        self.error = LaunchError("The worker was not started", reason)
        self._exit(failure=reason, **how)

    def _settle(self) -> None:
        if self._unsettle():
            self._listener.settled(self)

    def _unsettle(self) -> bool:
        """Wait no longer for the worker to settle; whether that was waited for."""
        settling, self._settling = self._settling, None
        if settling is not None:
            settling.cancel()
        return settling is not None

    def _exit(self, **how: Any) -> None:
        self._leaving = True
        self._unsettle()
        self._read_last_words()
        asked = self._asked_at
        self.exit = Exit(
            pid=self.pid,
            asked=asked is not None,
            sent=self._sent,
            seconds=None if asked is None else self._reactor.seconds() - asked,
            lived=self.vitals.lived,
            ready_for=self.vitals.ready_for,
            out_of_memory=self._sent is None and self._reported.out_of_memory,
            **how,
        )
        self.cause = OTHER
        attempt("Finding out why the worker ended", partial(self._find_cause, self.exit))
        self._listener.exited(self)

    def _read_last_words(self) -> None:
        for stream in self._streams.values():
            attempt("Reading the worker's last words", stream.flush)

    def _find_cause(self, end: Exit) -> None:
        self.cause = self._reported.cause(end, self._streams[STDERR].last)

    def _reaped(self) -> None:
        self._read_last_words()  # of what the worker left, too
        if self._process is not None:
            attempt("Letting go of the worker's pipes", self._process.close)
        if self.exit is None:
            self._exit()
        self._listener.reaped(self)


def _temporary(number: int | None) -> str:
    """The class of an obstacle that the system tells by `number`."""
    return SHORTAGE if number in SHORTAGES else UNREACHABLE
