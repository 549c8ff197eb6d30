"""One generation of the worker, from the decision to start it until nothing is left.

It is a `gateway.worker.lifecycle.protocols.WorkerRun`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from attrs import evolve
from twisted.internet.defer import CancelledError
from twisted.logger import Logger

from gateway.common.attempt import attempt
from gateway.market.events import ERROR
from gateway.worker.lifecycle.classification import OTHER, classify_event
from gateway.worker.lifecycle.exits import MAX_LINE, Exit, ReportedErrors, decode
from gateway.worker.process.guarded import STDERR, GuardedProcess
from gateway.worker.process.note import Note
from gateway.worker.process.obstacles import never, not_made, not_run
from gateway.worker.process.orphan import OrphanedWorker
from gateway.worker.process.usage import SettleCheck

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

    from gateway.contract import WorkerError
    from gateway.system.system import System
    from gateway.worker.lifecycle.protocols import WorkerListener
    from gateway.worker.process.claim import Claim
    from gateway.worker.process.command import Command
    from gateway.worker.process.door import Handed
    from gateway.worker.process.lines import OutputStream
    from gateway.worker.process.tenure import Tenure
    from gateway.worker.readiness.vitals import Vitals
    from gateway.worker.settings import WorkerSettings

_log = Logger(namespace="gateway.worker")


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
        system: System,
        tenure: Tenure,
        own_keys: bool = False,
    ) -> None:
        self.generation = generation
        self.adopted: float | None = None
        self.told_late = 0.0
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
        self._system = system
        self._tenure = tenure
        self._process: GuardedProcess | None = None
        self._handed: Handed | None = None
        self._command: Deferred[Command] | None = None
        self._folder = ""
        self._orphan: OrphanedWorker | None = None
        self._settling: SettleCheck | None = None
        self._asked_at: float | None = None
        self._sent: str | None = None
        self._leaving = False
        self._reported = ReportedErrors(reactor.seconds, system.memory_kills)
        self._note = Note(generation=generation, own_keys=own_keys)
        self._noted = vitals.changes

    # -- what the life-cycle asks ------------------------------------------------------------

    def launch(self, command: Deferred[Command]) -> None:
        """Start what `command` fires with; it is cancelled when the worker is to end before."""
        self._command = command
        command.addCallback(self._spawn)
        command.addErrback(self._impossible)

    def adopt(self, handed: Handed, note: Note) -> None:
        """Instead of `launch`: go on with a worker that another gateway started; `resume` follows.

        Raises OSError, and then the guardian keeps it.
        """
        process = GuardedProcess(None, self._patience, self, self._claim, keep=self._settings.keep)
        handed.accept()
        process.adopt(self._reactor, handed)
        self.adopted, self.told_late = handed.age, handed.gone
        self.pid = handed.worker
        self._process = process
        self._handed = handed
        self._note = note

    def resume(self) -> None:
        """Tell the listener what became of the adopted worker until now."""
        handed, self._handed = self._handed, None
        if self._process is not None and handed is not None:
            self._process.resume(handed)

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

    def extend(self, until: float) -> None:
        """It may live until then, in seconds of `guarding.words.now`."""
        if self._process is not None:
            self._process.extend(until)

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
        if self.vitals.changes != self._noted:
            self._tell_successor()
        cause = classify_event(value) if name == ERROR else None
        if cause is not None:
            self.note_error(cause)
        return cause

    @property
    def counted(self) -> bool:
        """Whether its start is in the ledger's file."""
        return self._note.counted

    def note_counted(self) -> None:
        """Its start is there now."""
        self._note = evolve(self._note, counted=True)
        self._tell_successor()

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
        if self._note.settled is None:
            self._settling = SettleCheck(self._reactor, pid, self._settings.settle, self._settle)
        self._reported.begin()
        self._listener.started(self)

    def failed(self, number: int, reason: str) -> None:
        self._never(not_run(number, reason, self._folder))

    def sent(self, signal: str) -> None:
        self._sent = signal

    def expired(self) -> None:
        self._listener.expired(self)

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
                interrupted=self._system.interrupts_orphans,
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
        return self._settings.patience(ready=self.vitals.was_ready)

    def _spawn(self, command: Command) -> None:
        if self._asked_at is not None:
            self._stopped_before()
            return
        self._folder = command.cwd
        self._note = evolve(self._note, tenure=self._tenure.told())
        keep, note = self._settings.keep, self._note.told()
        lease = self._tenure.lease()
        self._process = GuardedProcess(
            command,
            self._patience,
            self,
            self._claim,
            keep=keep,
            note=note,
            lease=lease,
            system=self._system.name,
            lend=not self._system.reopens_pipes,
        )
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
        self._never(not_made(failure))
        self._listener.reaped(self)

    def _stopped_before(self) -> None:
        self._never(never("it was stopped before"))
        self._listener.reaped(self)

    def _never(self, why: tuple[WorkerError, dict[str, Any]]) -> None:
        self.error, how = why
        self._exit(**how)

    def _settle(self) -> None:
        if self._unsettle():
            self._note = evolve(self._note, settled=self.vitals.lived)
            self._tell_successor()
            self._listener.settled(self)

    def _tell_successor(self) -> None:
        """What was noted for the next gateway has changed."""
        self._noted = self.vitals.changes
        if self._process is not None:
            note = evolve(self._note, vitals=self.vitals.facts()).told()
            attempt("Noting what is known of the worker", partial(self._process.note, note))

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
            last_line="".join(self.last_stderr[-1:])[:MAX_LINE],
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
