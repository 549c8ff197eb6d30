"""Why a worker never became a process, and whether another try may be luckier."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.logger import Logger

from gateway.common.attempt import reason
from gateway.contract import LaunchError, UnreachableError, WorkerError
from gateway.worker.lifecycle.classification import SHORTAGE, UNREACHABLE
from gateway.worker.process.target import ABSENT

if TYPE_CHECKING:
    from twisted.python.failure import Failure

_log = Logger(namespace="gateway.worker")

SHORTAGES = frozenset((errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ENOSPC))
"""What the machine lacks now and has again later."""
PERMANENT = ABSENT | {errno.ENOEXEC, errno.EISDIR, errno.E2BIG}
"""Reasons for which a program can't be run that only a person ends; all others may pass."""


def not_run(number: int, why: str, folder: str) -> tuple[WorkerError, dict[str, Any]]:
    """The system could not run the program in `folder`: the error, and what `Exit` says of it.

    `number` is the errno, 0 when there is none.
    """
    if number == errno.ENOENT and folder and not Path(folder).is_dir():
        why = f"its working folder {folder} was deleted"
    permanent = number in PERMANENT
    temporary = "" if permanent or not number else _temporary(number)
    return never(f"it can't be run: {why}", permanent=permanent, temporary=temporary)


def not_made(failure: Failure) -> tuple[WorkerError, dict[str, Any]]:
    """No process could be made at all: as `not_run`."""
    error: Any = failure.value
    cause = error.__cause__ if isinstance(error, UnreachableError) else error
    temporary = _temporary(cause.errno) if isinstance(cause, OSError) else ""
    if isinstance(error, LaunchError):
        how = {"failure": str(error), "permanent": not temporary, "temporary": temporary}
        return error, how
    if not temporary:
        _log.failure("A worker can't be started", failure)
    return never(f"no process can be made: {reason(error)}", temporary=temporary)


def never(why: str, **how: Any) -> tuple[WorkerError, dict[str, Any]]:
    """The worker was not started: as `not_run`."""
    return LaunchError("The worker was not started", why), {"failure": why, **how}


def _temporary(number: int | None) -> str:
    """The class of an obstacle that the system tells by `number`."""
    return SHORTAGE if number in SHORTAGES else UNREACHABLE
