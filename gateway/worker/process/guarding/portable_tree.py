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

PS = ("ps", "-A", "-o", "pid=", "-o", "ppid=", "-o", "pgid=", "-o", "stat=", "-o", "etime=")
PATH = "/bin:/usr/bin"
"""Where it is looked for: the guardian has no environment."""
PS_TIMEOUT = 5.0
"""Seconds for it."""
ROUNDED = 2.0
"""Seconds by which the start of a process may seem to be another one: ps tells whole seconds."""
DAY, SIXTY = 86_400, 60
LOOK_INTERVAL = 0.2
"""Seconds between two looks whether something is left: the end of ps wakes us, too."""


class PortableTree:
    """See `Tree`."""

    look_again: float | None = LOOK_INTERVAL

    def __init__(self) -> None:
        self._worker = self._session = 0
        self._seen: dict[int, tuple[int, float]] = {}
        """Group and start of the living ones at the last look, by their pids.

        A pid that is used again by somebody else is in another group, and started later.
        """
        self._looked = 0.0
        """When that was; 0: not since the worker's end."""

    def prepare(self) -> None:
        """There is nothing to prepare."""

    def follow(self) -> None:
        """There is nobody to tell it of our end."""

    def began(self, worker: int) -> None:
        self._worker = self._session = worker
        self._seen = {worker: (worker, time.monotonic())}

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
            parents, told = _processes()
        except (OSError, ValueError, subprocess.SubprocessError):  # ps can't be run now
            return [*self._seen]
        children: dict[int, list[int]] = {}
        for pid, parent in parents.items():
            children.setdefault(parent, []).append(pid)
        roots = [pid for pid in self._seen if pid in told and self._is_seen(pid, *told[pid])]
        roots += filter(self._in_session, told)
        ours = {pid for root in (os.getpid(), *roots) for pid in (root, *below(root, children))}
        self._seen = {pid: told[pid] for pid in ours - {os.getpid()}}
        return [*self._seen]

    def send(self, pid: int, number: signal.Signals) -> None:
        os.kill(pid, number)

    def read_end(self, output: int) -> int:
        os.fstat(READ_ENDS[output])
        return READ_ENDS[output]

    def _is_seen(self, pid: int, group: int, started: float) -> bool:
        """Whether `pid` is still who was seen, who may have left its group since."""
        known, since = self._seen[pid]
        return group == known or abs(started - since) < ROUNDED

    def _in_session(self, pid: int) -> bool:
        with contextlib.suppress(OSError):  # gone meanwhile
            return os.getsid(pid) == self._session
        return False


def _processes() -> tuple[dict[int, int], dict[int, tuple[int, float]]]:
    """The parents of the living processes, and their groups and starts, by their pids.

    A start is in seconds of the monotonic clock.  Raises OSError, SubprocessError or ValueError.
    """
    with subprocess.Popen(PS, env={"PATH": PATH}, stdout=subprocess.PIPE) as ps:  # noqa: S603 - constant
        try:
            said, _ = ps.communicate(timeout=PS_TIMEOUT)
        finally:
            ps.kill()
    if ps.returncode:
        raise ValueError(f"ps ended with {ps.returncode}")
    now = time.monotonic()
    parents, told = {}, {}
    for line in said.splitlines():
        pid, parent, group, state, age = line.split()[:5]
        if not state.startswith(b"Z") and int(pid) != ps.pid:
            parents[int(pid)] = int(parent)
            told[int(pid)] = int(group), now - _seconds(age)
    return parents, told


def _seconds(age: bytes) -> int:
    """Of a time such as 2-03:04:05 or 04:05."""
    days, _, clock = age.rpartition(b"-")
    seconds = 0
    for part in clock.split(b":"):
        seconds = seconds * SIXTY + int(part)
    return int(days or 0) * DAY + seconds
