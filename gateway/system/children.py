"""Children of this process that ended, by waitid(2)."""

from __future__ import annotations

import os


def dead_child() -> int | None:
    """The pid of a child that ended and was not collected, 0 for none; None: no children.

    None also where Python has no waitid.
    """
    if not hasattr(os, "waitid"):
        return None
    try:
        found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return found.si_pid if found else 0
