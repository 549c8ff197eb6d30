"""A file in memory without a name: what a program leaves for the one that replaces it.

It holds secrets, so that it is sealed, read once, and no child ever has it: its descriptor is
marked as inheritable for the exec alone.
"""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from gateway.system.system import NO_MEMO

if TYPE_CHECKING:
    from collections.abc import Iterator

_ADD_SEALS, _GET_SEALS = 1033, 1034
"""By Linux' fcntl.h: a Python that was built with an old libc does not name them."""
_SEALS: Final = 1 | 2 | 4 | 8  # neither seals, nor shrinking, growing, or writing after these


@contextmanager
def written(memo: bytes) -> Iterator[int]:
    """A descriptor of `memo`, closed afterwards; NO_MEMO for an empty one.  Raises OSError."""
    if not memo:
        yield NO_MEMO
        return
    if not hasattr(os, "memfd_create"):
        raise OSError(errno.ENOSYS, "this Python was built without memfd_create; use another one")
    descriptor = os.memfd_create("memo", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(memo)
        fcntl.fcntl(descriptor, _ADD_SEALS, _SEALS)
        yield descriptor
    finally:
        os.close(descriptor)


def taken(descriptor: int) -> bytes:
    """What is written in it, which is closed; empty where it is no memo."""
    if descriptor == NO_MEMO:
        return b""
    try:
        if fcntl.fcntl(descriptor, _GET_SEALS) != _SEALS:
            return b""
    except OSError:
        return b""  # there is none, or it is something else
    with open(descriptor, "rb") as file:
        file.seek(0)
        return file.read()
