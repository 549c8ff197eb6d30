"""One worker at a time for one main.py and port, whatever became of the gateway before.

Two files in the state folder are locked (flock), so that the kernel knows who is there, and
forgets who is gone.  `NAME.gateway.lock` is held by the gateway that is in charge: another
one that runs does not wait for its worker, nor for any of another NAME.  `NAME.worker.lock`
is opened by the gateway and handed to the guardian and the worker, as descriptor 4: it is
held until the last of them is gone, even when the gateway was killed.  One that was removed
meanwhile locks nothing any more: then whoever has it open is looked for.

`NAME.guardian` is the guardian's door (`door.py`), made by the gateway that holds both locks and
handed to the guardian as descriptor 5: there the next gateway asks for the worker.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from typing import TYPE_CHECKING

from gateway.contract import WorkerError
from gateway.worker.process.door import listen
from gateway.worker.process.guarding.words import DOOR, LOCK

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from gateway.system.system import System


SHORTAGES = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOMEM))
"""They pass; a start without the lock because of one might be a second login."""


class Claim:
    """The right to start a worker.

    `identity()` says what is run, and on which port; it may raise an OSError or a WorkerError,
    which a start would raise, too.  Where the folder can't be written there is no protection;
    `alert` is called with the reason once.  `keeps`: the guardian gets a door,
    where `system` lets it keep a worker.
    """

    def __init__(
        self,
        folder: Path,
        identity: Callable[[], str],
        alert: Callable[[str], None],
        *,
        system: System,
        keeps: bool = False,
    ) -> None:
        self._folder = folder
        self._identity = identity
        self._alert = alert
        self._alerted = False
        self._name = ""
        self._gateway: int | None = None
        self._worker: int | None = None
        self._door: socket.socket | None = None
        self._system = system
        self._keeps = keeps and system.keeps_workers
        self._told = False
        """People know that there can be no door."""
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
                self._lock_worker()
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

    def _lock_worker(self) -> None:
        """Lock the worker's file, if nobody holds it: nor one that was there before it.

        Whoever removes the folder while a worker runs removes no process.  Raises OSError.
        """
        path = self._file("worker")
        if path.exists() or not self.holders():
            self._worker = _locked(path)

    @property
    def descriptors(self) -> Mapping[int, int]:
        """Ours by the number that the guardian is to have, once `free` was true.

        None: there is no protection.  One without a door: the worker can't be kept.
        """
        if self._worker is None:
            return {}
        if self._keeps and self._door is None:
            self._open_door()
        return {LOCK: self._worker} | ({DOOR: self._door.fileno()} if self._door else {})

    @property
    def door(self) -> Path:
        """Where the guardian of the worker that is left can be asked for it."""
        return self._folder / f"{self._name}.guardian"

    @property
    def stop_mark(self) -> Path:
        """Where it is written that a person stopped the worker."""
        return self._folder / f"{self._name}.stopped"

    @property
    def in_charge(self) -> bool:
        """Whether this gateway is the one for its main.py and port, once `free` was asked."""
        return self._gateway is not None

    def lent(self) -> None:
        """The guardian has copies of the descriptors."""
        if self._worker is not None:
            self._close_worker()
            self._lent = True

    def adopted(self) -> None:
        """The guardian that has them is ours now."""
        self._lent = True

    def returned(self) -> None:
        """The guardian is gone; what it left behind may still hold the lock."""
        self._lent = False

    def give_up(self) -> None:
        """This gateway is going down: the next one waits for what is left of its worker."""
        self._given_up = True
        self._close()

    def _close(self) -> None:
        if self._gateway is not None:
            os.close(self._gateway)
            self._gateway = None
        self._close_worker()

    def _close_worker(self) -> None:
        if self._door is not None:
            self._door.close()
            self._door = None
        if self._worker is not None:
            os.close(self._worker)
            self._worker = None

    def _open_door(self) -> None:
        try:
            self._door = listen(self.door)
            self._told = False
        except OSError as error:
            if self._told:
                return
            self._told = True
            self._alert(
                f"no socket can be made at {self.door} ({error.strerror}): a worker does not"
                " outlive this gateway, and a restart of it is a login; remove what is there, or"
                " name another folder with --state-dir"
            )

    def holders(self) -> list[int]:
        """The processes that hold the worker's lock, as far as this system and user can tell."""
        return self._system.holders(self._file("worker"), LOCK) if self._name else []

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
