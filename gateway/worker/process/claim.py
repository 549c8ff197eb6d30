"""One worker at a time for one main.py and port, whatever became of the gateway before.

Two files in the state folder are locked (flock), so that the kernel knows who is there, and
forgets who is gone.  `NAME.gateway.lock` is held by the gateway that is in charge: another
one that runs does not wait for its worker, nor for any of another NAME.  `NAME.worker.lock`
is opened by the gateway and handed to the guardian and the worker, as descriptor 4: it is
held until the last of them is gone, even when the gateway was killed.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.logger import Logger

from gateway.common.attempt import attempt
from gateway.contract import WorkerError
from gateway.worker.lifecycle.gate import Hold
from gateway.worker.process.guardian import LOCK
from gateway.worker.process.orphan import OrphanedWorker

if TYPE_CHECKING:
    from collections.abc import Callable


_PROC = Path("/proc")
SHORTAGES = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOMEM))
"""They pass; a start without the lock because of one might be a second login."""


class Claim:
    """The right to start a worker.

    `identity()` says what is run, and on which port; it may raise an OSError or a WorkerError,
    which a start would raise, too.  Where the folder can't be written there is no protection;
    `alert` is called with the reason once.
    """

    def __init__(
        self, folder: Path, identity: Callable[[], str], alert: Callable[[str], None]
    ) -> None:
        self._folder = folder
        self._identity = identity
        self._alert = alert
        self._alerted = False
        self._name = ""
        self._gateway: int | None = None
        self._worker: int | None = None
        self._lent = False
        self._given_up = False

    @property
    def free(self) -> bool:
        """Whether no worker is left of a gateway that is gone.

        Raises OSError where that can't be told for want of descriptors or memory.
        """
        if self._lent or self._given_up:
            return True  # it is our own, which its supervisor knows
        try:
            identity = self._identity()
        except (OSError, WorkerError):
            return True  # what forbids it forbids the start, which tells it
        self._adopt(hashlib.sha256(os.fsencode(identity)).hexdigest()[:16])
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._gateway is None:
                self._gateway = _locked(self._file("gateway"))
            if self._gateway is None:
                return True  # the other one is in charge of its own worker
            if self._worker is None:
                self._worker = _locked(self._file("worker"))
        except OSError as error:
            if error.errno in SHORTAGES:
                raise
            if not self._alerted:
                self._alerted = True
                self._alert(
                    f"no lock can be held in {self._folder} ({error.strerror}): after a kill of"
                    " the gateway the next one would not wait for its worker; make the folder"
                    " writable, or name another with --state-dir"
                )
            return True
        return self._worker is not None

    @property
    def descriptor(self) -> int | None:
        """The lock for the guardian, once `free` was true; None: there is no protection."""
        return self._worker

    def lent(self) -> None:
        """The guardian has a copy of the descriptor."""
        if self._worker is not None:
            os.close(self._worker)
            self._worker = None
            self._lent = True

    def returned(self) -> None:
        """The guardian is gone; what it left behind may still hold the lock."""
        self._lent = False

    def give_up(self) -> None:
        """This gateway is going down: the next one waits for what is left of its worker."""
        self._given_up = True
        self._close()

    def _close(self) -> None:
        for descriptor in (self._gateway, self._worker):
            if descriptor is not None:
                os.close(descriptor)
        self._gateway = self._worker = None

    def holders(self) -> list[int]:
        """The processes that hold the worker's lock, as far as this system and user can tell."""
        if not self._name:
            return []
        try:
            wanted = self._file("worker").stat()
            pids = [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]
        except OSError:
            return []
        found = []
        for pid in pids:
            with suppress(OSError):  # gone meanwhile, another user's, or has no such descriptor
                if os.path.samestat(os.stat(_PROC / str(pid) / "fd" / str(LOCK)), wanted):  # noqa: PTH116 - asked of each process
                    found.append(pid)
        return found

    def _adopt(self, digest: str) -> None:
        if digest != self._name:
            self._close()
            self._name = digest

    def _file(self, what: str) -> Path:
        return self._folder / f"{self._name}.{what}.lock"


def _locked(path: Path) -> int | None:
    """A descriptor of `path` with its lock; None: somebody else holds it.  Raises OSError."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


# -- Waits for the worker that a gateway before this one left.

_log = Logger(namespace="gateway.worker")

INTERVAL = 0.2
"""Seconds between two looks."""
REASON = "the previous worker is logging out"
SPARE = 5.0
"""Seconds that its end may take beyond all patience."""


class Predecessor:
    """Says whether the worker of a gateway that is gone is still there, and sees to its end.

    Its guardian ends it.  A guardian that was stopped is woken; where it was killed, too, the
    worker is ended from here, with `patience` as for one of our own.  `freed` is called when
    nothing of that worker is left.
    """

    def __init__(
        self,
        reactor: Any,
        claim: Claim,
        patience: tuple[float, float, float],
        freed: Callable[[], None],
    ) -> None:
        self._reactor = reactor
        self._claim = claim
        self._patience = patience
        self._freed = freed
        self._looking: Any = None
        self._expected = 0.0
        self._orphan: OrphanedWorker | None = None

    def hold(self, *, person: bool = False, force: bool = False) -> Hold | None:
        """A check of the gate: holds a start while that worker is there, and waits for its end.

        Raises OSError where it can't be told.
        """
        if self._claim.free:
            return None
        now = self._reactor.seconds()
        if self._looking is None:
            _log.warn("No worker is started yet: {reason}", tag="Python", reason=REASON)
            self._expected = now + sum(self._patience) + SPARE
            self._looking = self._reactor.callLater(0, self._look)
        return Hold(REASON, max(self._expected - now, SPARE))

    def end(self) -> None:
        """Wait no longer."""
        looking, self._looking = self._looking, None
        if looking is not None and looking.active():
            looking.cancel()

    def _look(self) -> None:
        self._looking = self._reactor.callLater(INTERVAL, self._look)
        gone: list[bool] = []
        attempt("Looking at the previous worker", lambda: gone.append(self._is_gone()))
        if gone == [True]:
            self.end()
            _log.info("The previous worker is gone", tag="Python")
            self._freed()

    def _is_gone(self) -> bool:
        if self._claim.free:
            return True
        self._see_to_its_end()
        return False

    def _see_to_its_end(self) -> None:
        holders = self._claim.holders()
        if not holders or self._orphan is not None:
            return
        if any(map(guards, holders)):
            for pid in filter(_stopped, holders):
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGCONT)
            return
        _log.warn(
            "The previous worker {pid} has lost its guardian: it is ended from here",
            tag="Python",
            pid=holders[0],
        )
        self._orphan = OrphanedWorker(
            self._reactor,
            holders[0],
            self._patience,
            holders=self._claim.holders,
            gone=lambda: None,
            done=self._done,
        )

    def _done(self) -> None:
        self._orphan = None


def guards(pid: int) -> bool:
    """Whether `pid` is a guardian."""
    import psutil  # noqa: PLC0415  # by need

    with suppress(psutil.Error):
        words = psutil.Process(pid).cmdline()
        return words[1:3] == ["-I", "-S"] and words[3:4] != [] and "guardian" in words[3]
    return False


def _stopped(pid: int) -> bool:
    import psutil  # noqa: PLC0415  # by need

    with suppress(psutil.Error):
        return bool(psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    return False
