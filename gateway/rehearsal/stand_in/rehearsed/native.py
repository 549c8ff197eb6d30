"""What native code can do to a process."""

from __future__ import annotations

import ctypes


def hang(seconds: float) -> None:
    """Stand still with the interpreter's lock held: no other thread runs meanwhile."""
    ctypes.PyDLL(None).usleep(int(min(seconds, 4_000) * 1e6))


def crash() -> None:
    """End by SIGSEGV, as a fault in a native library does."""
    ctypes.string_at(0)
