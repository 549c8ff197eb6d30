"""The worker's tree as Linux knows it.

The guardian is the reaper of every orphan below it (prctl(2), PR_SET_CHILD_SUBREAPER), so that
the whole tree can be found whatever becomes of its parents, and the worker hears of the end of its
guardian (PR_SET_PDEATHSIG).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


class LinuxTree:
    """See `Tree`."""

    look_again: float | None = None

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None)

    def prepare(self) -> None:
        self._prctl(PR_SET_CHILD_SUBREAPER, 1)

    def follow(self) -> None:
        """Should the guardian be killed, that is SIGINT, from the first moment on.

        Until the worker has a handler of its own it dies of it.
        """
        self._prctl(PR_SET_PDEATHSIG, signal.SIGINT)

    def began(self, worker: int) -> None:
        """It is below us, as all that it leaves."""

    def reap(self, ended: Callable[[int, int], object]) -> bool:
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return True
                ended(pid, status)
        except ChildProcessError:
            return False

    def members(self) -> list[int]:
        """By proc(5)."""
        children: dict[int, list[int]] = {}
        for name in os.listdir("/proc"):  # noqa: PTH208 - pathlib is slow to import
            if not name.isdigit():
                continue
            try:
                with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123 - likewise
                    state, parent = file.read().rpartition(b") ")[2].split()[:2]
            except (OSError, ValueError):
                continue  # gone meanwhile
            if state != b"Z":
                children.setdefault(int(parent), []).append(int(name))
        return below(os.getpid(), children)

    def send(self, pid: int, number: signal.Signals) -> None:
        """One that Python handles goes to the main thread.

        Python runs handlers in the main thread alone, but the kernel may give a process's signal
        to any thread, such as one that is just being started, and leave the main thread asleep.
        """
        tgkill = getattr(self._libc, "tgkill", None)
        if number == signal.SIGKILL or tgkill is None or _blocked(pid, number):
            os.kill(pid, number)
        else:
            tgkill(pid, pid, int(number))

    def read_end(self, output: int) -> int:
        """A pipe's other end, though only the gateway was given it."""
        return os.open(f"/proc/self/fd/{output}", os.O_RDONLY | os.O_NONBLOCK)

    def _prctl(self, option: int, value: int) -> None:
        self._libc.prctl(option, value, 0, 0, 0)


def below(root: int, children: dict[int, list[int]]) -> list[int]:
    """All below `root`, where `children` are known by their parents."""
    found, todo = [], [root]
    while todo:
        found += (those := children.get(todo.pop(), []))
        todo += those
    return found


def _blocked(pid: int, number: signal.Signals) -> bool:
    """Whether the main thread leaves this signal to others, as far as /proc tells."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/status") as file:  # noqa: PTH123 - likewise
        for line in file:
            if line.startswith("SigBlk:"):
                return bool(int(line.split()[1], 16) >> (number - 1) & 1)
    return False
