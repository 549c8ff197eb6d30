"""Collects orphans where the gateway is process 1 of a container.

The kernel hands them to process 1.  The reactor collects only what it started itself, so
the others would stay as zombies until the container ends.
"""

from __future__ import annotations

import os

from twisted.internet.process import reapAllProcesses, reapProcessHandlers

PERIOD = 1.0
"""Seconds between two looks; a look is one system call while no process has ended."""


def reap_orphans() -> None:
    """Collect the children that ended and that the reactor did not start."""
    reapAllProcesses()
    while (pid := _dead()) and pid not in reapProcessHandlers:
        os.waitpid(pid, os.WNOHANG)


def _dead() -> int:
    """The pid of a child that has ended and waits to be collected; 0 for none."""
    try:
        found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return 0
    return found.si_pid if found else 0
