"""One worker process and its guardian, as seen from the reactor."""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from twisted.internet.error import ProcessExitedAlready
from twisted.internet.process import ProcessReader
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger

from gateway.common.attempt import attempt
from gateway.worker.process.adopted import AdoptedTransport
from gateway.worker.process.guarding.words import READ_ENDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twisted.python.failure import Failure

    from gateway.worker.process.command import Command
    from gateway.worker.process.door import Handed

GUARDIAN = Path(__file__).with_name("guardian.py")
LIFELINE, STDOUT, STDERR, STATUS = range(4)
DRAIN_READS = 9
"""Reads of 8 KiB that empty a full pipe of 64 KiB."""
START_TIMEOUT = 60.0
"""Seconds in which a guardian says that it started the worker, on however busy a machine."""
ORDER_TIMEOUT = 8.0
"""Seconds in which it says that it does what it was told."""
WAKE_INTERVAL = 1.0
"""Seconds after which one that was stopped is woken, and between two looks at its reports."""

_log = Logger(namespace="gateway.worker")


class Lock(Protocol):
    """What the guardian and the worker hold while they live; see `gateway.worker.process.claim`."""

    @property
    def descriptors(self) -> Mapping[int, int]:
        """What the guardian is to have, by its number there: lock and door, if there are any."""
        ...

    def lent(self) -> None:
        """The guardian has them."""
        ...

    def adopted(self) -> None:
        """A guardian that has them already is ours now."""
        ...

    def returned(self) -> None:
        """The guardian is gone."""
        ...


class ProcessListener(Protocol):
    """Receives the reports about one worker process."""

    def started(self, pid: int) -> None:
        """The worker runs."""
        ...

    def failed(self, errno: int, reason: str) -> None:
        """The worker could not be run; `ended` follows.  `errno` is 0 when there is none."""
        ...

    def sent(self, signal: str) -> None:
        """The guardian sent `signal`."""
        ...

    def output(self, fd: int, data: bytes) -> None:
        """The worker, or a child of it, wrote to `fd`, 1 or 2."""
        ...

    def expired(self) -> None:
        """The guardian ends the worker, since its lease is over."""
        ...

    def exited(self, status: int) -> None:
        """The worker is gone, and `output` was called with all it wrote; `ended` follows."""
        ...

    def ended(self) -> None:
        """The guardian is gone; nothing of the tree is left if `exited` was called before."""
        ...


class GuardedProcess(ProcessProtocol):
    """Starts the guardian, which starts the worker; the pipes never decide what is true.

    A grandchild can hold the worker's output for ever, so the ends of those pipes mean
    nothing: `exited` comes from the guardian's report, `ended` from its own exit.  A guardian
    that was stopped is woken.  If it still does not do what it is told, it is killed, and the
    kernel sends its worker SIGINT.  Exceptions of a listener are caught here: otherwise the
    reactor would close a pipe, or reap no process any more.
    """

    transport: Any  # the UNIX process, whose `pipes` the interface doesn't show

    def __init__(
        self,
        command: Command | None,
        patience: tuple[float, ...],
        listener: ProcessListener,
        lock: Lock | None = None,
        *,
        keep: float = 0.0,
        note: Mapping[str, Any] | None = None,
        lease: Mapping[str, Any] | None = None,
        system: str = "linux",
        lend: bool = False,
    ) -> None:
        """`command`: None for one that is adopted.

        The worker is kept for `keep` seconds without a gateway; `note` is for the next one.
        It lives no longer than its `lease`, if it has one, and its tree is found as on `system`
        (`guardian.py`).  `lend`: it is given the ends by which the output is read, too.
        """
        self._command = command
        self._keep = keep
        self._note = note
        self._lease = lease
        self._system = system
        self._lend = lend
        self._patience = patience
        self._listener = listener
        self._lock = lock
        self._reactor: Any = None
        self._checking: Any = None
        self._overdue_at: float | None = None
        """When the next report is overdue; None: none is expected."""
        self._ordered = False
        self._forked: int | None = None
        """A worker of which it is not known yet whether it could be run."""
        self._status = b""
        self.transport = None

    def spawn(self, reactor: Any) -> None:
        """Start; raises OSError when the system is out of processes or descriptors."""
        self._reactor = reactor
        ends: dict[int, str | int] = {LIFELINE: "w", STDOUT: "r", STDERR: "r", STATUS: "r"}
        ends.update(self._lock.descriptors if self._lock is not None else {})
        lent: dict[int, tuple[int, int]] = {}
        try:
            for output, end in READ_ENDS.items() if self._lend else ():
                lent[output] = read, write = os.pipe()
                ends |= {output: write, end: read}
            process = reactor.spawnProcess(
                self,
                sys.executable,
                [sys.executable, "-I", "-S", os.fspath(GUARDIAN)],
                env={},  # the keys go over the lifeline: nothing of them in the guardian's /proc
                childFDs=ends,
            )
        except BaseException:
            for read, _ in lent.values():
                os.close(read)
            raise
        finally:
            for _, write in lent.values():
                os.close(write)
        for output, (read, _) in lent.items():
            process.pipes[output] = ProcessReader(reactor, process, output, read)
        if self._lock is not None:
            attempt("Handing the lock on", self._lock.lent)
        self._expect(START_TIMEOUT)
        self._checking = reactor.callLater(WAKE_INTERVAL, self._check)

    def adopt(self, reactor: Any, handed: Handed) -> None:
        """Instead of `spawn`: take what was handed over; `resume` follows.

        Raises OSError, and then nothing is taken.
        """
        transport = AdoptedTransport(reactor, handed, self)
        self._reactor = reactor
        self.transport = transport
        if self._lock is not None:
            self._lock.adopted()
        self._checking = reactor.callLater(WAKE_INTERVAL, self._check)

    def resume(self, handed: Handed) -> None:
        """Tell the listener what it would know by now."""
        self.be_patient(self._patience)
        self._say(f"keep {self._keep}")
        first, *others = handed.reports
        self._heed(first)
        for fd, text in handed.output:
            data = text.encode("latin-1")
            attempt("Reading the worker's output", partial(self._listener.output, fd, data))
        for line in others:
            self._heed(line)

    @property
    def guardian(self) -> int | None:
        """The guardian's pid while it lives."""
        pid: int | None = self.transport and self.transport.pid
        return pid

    def stop(self) -> None:
        """End the tree: SIGINT, SIGTERM, SIGKILL, each with its patience."""
        self._order("stop")

    def kill(self) -> None:
        """End the tree by SIGKILL."""
        self._order("kill")

    def be_patient(self, patience: tuple[float, ...]) -> None:
        """What `stop`, or the end of the gateway, waits after each signal from now on."""
        self._say(" ".join(("patience", *map(str, patience))))

    def note(self, note: Mapping[str, Any]) -> None:
        """What the next gateway is to know of the worker, in place of what was noted before."""
        self._say(f"note {json.dumps(note)}")

    def extend(self, until: float) -> None:
        """Its lease ends at `until` now, in seconds of `guarding.words.now`."""
        self._say(f"lease {until}")

    def close(self) -> None:
        """Let go of the pipes, whoever holds the other ends."""
        for fd in (LIFELINE, STDOUT, STDERR, STATUS):
            self.transport.closeChildFD(fd)
        if self._lock is not None:
            self._lock.returned()

    def connectionMade(self) -> None:
        if attempt("Telling the guardian what to run", self._introduce) is not None:
            self.close()  # it ends, and says so

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        if childFD == STATUS:
            *lines, self._status = (self._status + data).split(b"\n")
            for line in lines:
                self._heed(line.decode("utf-8", "replace"))
        else:
            attempt("Reading the worker's output", partial(self._listener.output, childFD, data))

    def processExited(self, reason: Failure) -> None:
        for fd in (STATUS, STDOUT, STDERR):
            attempt("Reading what is left in a pipe", partial(self._drain, fd))
        if self._checking is not None and self._checking.active():
            self._checking.cancel()
        if self._forked is not None:  # killed before it could say what became of it
            attempt("Heeding the start", partial(self._listener.started, self._forked))
        attempt("Heeding the guardian's end", self._listener.ended)

    def _introduce(self) -> None:
        assert self._command is not None  # it is spawned
        more: dict[str, Any] = {} if self._lease is None else {"lease": self._lease}
        more.update(patience=self._patience, keep=self._keep, note=self._note, system=self._system)
        self._say(self._command.told(**more))

    def _heed(self, line: str) -> None:
        words = line.partition(" ")[::2]
        attempt("Heeding the guardian's report", partial(self._report, *words))

    def _report(self, word: str, rest: str) -> None:
        if word == "forked":
            self._forked = int(rest)
            return
        self._forked = None
        if word == "started":
            if not self._ordered:
                self._overdue_at = None
            self._listener.started(int(rest))
            return
        self._overdue_at = None
        self._ordered = True  # what is told later may have no effect left to report
        if word == "failed":
            errno, _, reason = rest.partition(" ")
            self._listener.failed(int(errno), reason)
        elif word == "sent":
            self._listener.sent(rest)
        elif word == "expired":
            self._listener.expired()
        elif word == "exited":
            for fd in (STDOUT, STDERR):
                attempt("Reading what is left in a pipe", partial(self._drain, fd))
            self._listener.exited(int(rest))

    def _drain(self, fd: int) -> None:
        """Read what is in a pipe now: the words of the dead are all there."""
        reader = self.transport.pipes.get(fd)
        for _ in range(DRAIN_READS):
            if reader is None or reader.doRead() is not None:
                return

    def _order(self, line: str) -> None:
        """Say what to do, and see to it that it is done."""
        self._say(line)
        self._wake()
        if not self._ordered:
            self._ordered = True
            self._expect(ORDER_TIMEOUT)

    def _expect(self, seconds: float) -> None:
        """A report is to come within `seconds`."""
        if self._reactor is not None:
            self._overdue_at = self._reactor.seconds() + seconds

    def _check(self) -> None:
        """Wake a guardian that was stopped, and kill one that does not even then report."""
        if self.guardian is None:
            return
        self._wake()
        if self._overdue_at is not None and self._reactor.seconds() >= self._overdue_at:
            _log.warn(
                "The guardian {pid} does not do what it is told: it is killed, and the worker is"
                " interrupted by the kernel",
                tag="Python",
                pid=self.guardian,
            )
            self._signal(signal.SIGKILL)
        self._checking = self._reactor.callLater(WAKE_INTERVAL, self._check)

    def _wake(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._reactor is not None and self.guardian is not None:
            with suppress(ProcessExitedAlready, OSError):
                self.transport.signalProcess(number)

    def _say(self, line: str) -> None:
        if LIFELINE in self.transport.pipes:
            self.transport.writeToChild(LIFELINE, line.encode() + b"\n")
