"""The worker's tree as any POSIX system knows it: by process groups, sessions and ps(1).

An orphan's parent is the system's first process, so that the tree is known only as far as it was
seen: all below the worker when that is told to end, and all of its session, always.  Who left the
session and lost its parent before anybody looked is not found.  The worker does not hear of the
end of a guardian that is killed.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from typing import TYPE_CHECKING

from gateway.worker.process.guarding.linux_tree import below
from gateway.worker.process.guarding.words import READ_ENDS

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable

PS = ("ps", "-A", "-o", "pid=", "-o", "ppid=", "-o", "pgid=", "-o", "stat=")
PATH = "/bin:/usr/bin"
"""Where it is looked for: the guardian has no environment."""
PS_TIMEOUT = 5.0
"""Seconds for it."""
LOOK_INTERVAL = 0.2
"""Seconds between two looks whether something is left: the end of ps wakes us, too."""


class PortableTree:
    """See `Tree`."""

    look_again: float | None = LOOK_INTERVAL

    def __init__(self) -> None:
        self._worker = self._session = 0
        self._seen: dict[int, int] = {}
        """The groups of the living ones at the last look, by their pids.

        A pid that is used again by somebody else is in another group.
        """
        self._looked = 0.0
        """When that was; 0: not since the worker's end."""

    def prepare(self) -> None:
        """There is nothing to prepare."""

    def follow(self) -> None:
        """There is nobody to tell it of our end."""

    def began(self, worker: int) -> None:
        self._worker = self._session = worker
        self._seen = {worker: worker}

    def reap(self, ended: Callable[[int, int], object]) -> bool:
        if self._worker:
            pid, status = os.waitpid(self._worker, os.WNOHANG)
            if not pid:
                return True
            self._worker, self._looked = 0, 0.0
            self._seen.pop(pid, None)  # the last look may have found it dead
            ended(pid, status)
        if time.monotonic() >= self._looked + LOOK_INTERVAL:
            self.members()
        return bool(self._seen)

    def members(self) -> list[int]:
        self._looked = time.monotonic()
        try:
            parents, groups = _processes()
        except (OSError, ValueError, subprocess.SubprocessError):  # ps can't be run now
            return [*self._seen]
        children: dict[int, list[int]] = {}
        for pid, parent in parents.items():
            children.setdefault(parent, []).append(pid)
        roots = [pid for pid, group in self._seen.items() if groups.get(pid) == group]
        roots += filter(self._in_session, groups)
        ours = {pid for root in (os.getpid(), *roots) for pid in (root, *below(root, children))}
        self._seen = {pid: groups[pid] for pid in ours - {os.getpid()}}
        return [*self._seen]

    def send(self, pid: int, number: signal.Signals) -> None:
        os.kill(pid, number)

    def read_end(self, output: int) -> int:
        os.fstat(READ_ENDS[output])
        return READ_ENDS[output]

    def _in_session(self, pid: int) -> bool:
        with contextlib.suppress(OSError):  # gone meanwhile
            return os.getsid(pid) == self._session
        return False


def _processes() -> tuple[dict[int, int], dict[int, int]]:
    """The parents and the groups of the living processes, by their pids.

    Raises OSError, SubprocessError or ValueError.
    """
    with subprocess.Popen(PS, env={"PATH": PATH}, stdout=subprocess.PIPE) as ps:  # noqa: S603 - constant
        try:
            said, _ = ps.communicate(timeout=PS_TIMEOUT)
        finally:
            ps.kill()
    if ps.returncode:
        raise ValueError(f"ps ended with {ps.returncode}")
    parents, groups = {}, {}
    for line in said.splitlines():
        pid, parent, group, state = line.split()[:4]
        if not state.startswith(b"Z") and int(pid) != ps.pid:
            parents[int(pid)], groups[int(pid)] = int(parent), int(group)
    return parents, groups
