"""Programs in the file system; one that can't be looked at now is not taken for a missing one."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Final

ABSENT: Final = frozenset((errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG))
"""What the system says of a file that is not there; anything else may pass."""


def is_program(path: str) -> bool:
    """Whether `path` is a file that can be run.  Raises OSError where that can't be told."""
    try:
        status = Path(path).stat()
    except OSError as error:
        if error.errno in ABSENT:
            return False
        raise
    return stat.S_ISREG(status.st_mode) and os.access(path, os.X_OK)


def which(name: str, path: str) -> str | None:
    """The program `name`, a path or to be found in `path` (as PATH); None: there is none.

    A folder that can't be looked into is passed over, as by the system; raises its OSError
    where the program is not found elsewhere, since it may be in there.
    """
    if os.sep in name:
        return name if is_program(name) else None
    blocked: OSError | None = None
    for folder in dict.fromkeys(filter(None, path.split(os.pathsep))):
        try:
            if is_program(found := os.fspath(Path(folder, name))):
                return found
        except OSError as error:
            blocked = blocked or error
    if blocked is not None:
        raise blocked
    return None
