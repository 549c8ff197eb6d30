"""A memo: what the program of this process leaves for the next one, in memory and never on disk.

It holds secrets, so that it is sealed, read once, and no child ever has it: its descriptor is
marked as inheritable for the exec alone.
"""

from __future__ import annotations

import fcntl
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

NO_MEMO: Final = -1


@contextmanager
def written(memo: bytes) -> Iterator[int]:
    """A descriptor of `memo`, closed afterwards; NO_MEMO for an empty one, or without such memory.

    Raises OSError.
    """
    if sys.platform != "linux" or not memo:
        yield NO_MEMO
        return
    descriptor = os.memfd_create("memo", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(memo)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _seals())
        yield descriptor
    finally:
        os.close(descriptor)


def taken(descriptor: int) -> bytes:
    """What is written in it, which is closed; empty where it is no memo."""
    if sys.platform != "linux" or descriptor == NO_MEMO:
        return b""
    try:
        if fcntl.fcntl(descriptor, fcntl.F_GET_SEALS) != _seals():
            return b""
    except OSError:
        return b""  # there is none, or it is something else
    with open(descriptor, "rb") as file:
        file.seek(0)
        return file.read()


def _seals() -> int:
    return fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
