"""What any POSIX system answers, by psutil and Twisted."""

from __future__ import annotations

import errno
import os
import select
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from gateway.system.children import dead_child
from gateway.system.connections import held_ports
from gateway.system.system import NO_MEMO

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from gateway.system.ends import Ends
    from gateway.system.turn_end import TurnEnd


REMEMBERED: Final = 1.0
"""Seconds for which the holders of a file are known: to look for them takes all files of all
processes, and while a worker logs out they are asked for ten times a second."""


class Portable:
    """See `System`."""

    name = "portable"
    keeps_workers = False
    reopens_pipes = False
    interrupts_orphans = False
    less: tuple[str, ...] = (
        "a worker does not outlive its gateway: each restart of that is a login",
        "what a worker leaves in a session of its own is found only while its parent lives",
        "events before a kill -9 of the gateway are not sent again",
    )

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._held: dict[Path, tuple[float, list[int]]] = {}
        """By file, when its holders were looked for last, and who they were."""

    def install_reactor(self) -> None:
        """kqueue, else poll: Twisted's own choice may be select, which ends at 1,024 clients."""
        if "twisted.internet.reactor" in sys.modules:
            return
        if hasattr(select, "kqueue"):
            from twisted.internet.kqreactor import install  # noqa: PLC0415  # only where it is
        else:
            from twisted.internet.pollreactor import install  # noqa: PLC0415
        install()

    def poll_directly(self, reactor: Any, turn_end: TurnEnd) -> None:
        """Twisted's own loop stays."""

    def owned(self, root: int, asked: Collection[Ends]) -> set[Ends]:
        held = held_ports(_tree(root)) if asked else set()
        return {ends for ends in asked if (ends.theirs[1], ends.ours[1]) in held}

    def ports(self, root: int) -> set[int]:
        return {port for port, _ in held_ports(_tree(root))}

    def holders(self, file: Path, descriptor: int) -> list[int]:
        """Whatever its number is; who came within the last second may be missing."""
        import psutil  # noqa: PLC0415  # by need

        at, found = self._held.get(file, (0.0, []))
        if not found or self._clock() - at >= REMEMBERED:  # nobody waits where there are none
            found = _holders(file)
            self._held[file] = self._clock(), found
        return [pid for pid in found if psutil.pid_exists(pid)]

    def boot(self) -> str:
        return ""

    def memory_kills(self) -> tuple[int, ...]:
        return ()

    @contextmanager
    def memo(self, data: bytes) -> Iterator[int]:
        yield NO_MEMO

    def memo_of(self, descriptor: int) -> bytes:
        return b""

    def opened_again(self, descriptor: int, flags: int) -> int:
        raise OSError(errno.ENOTSUP, f"descriptor {descriptor} can't be opened once more here")

    def dead_child(self) -> int | None:
        """Only a process that is the system's first one has any: the others' go to that one."""
        return dead_child() if os.getpid() == 1 else None


def _holders(file: Path) -> list[int]:
    """The processes of our user that have `file` open."""
    import psutil  # noqa: PLC0415  # by need

    path, own = os.path.realpath(file), os.getuid()
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.pid == os.getpid() or process.uids().real != own:
                continue
            if any(each.path == path for each in process.open_files()):
                found.append(process.pid)
    return found


def _tree(root: int) -> list[int]:
    """`root` and all processes below it."""
    import psutil  # noqa: PLC0415  # by need

    with suppress(psutil.Error):
        below = psutil.Process(root).children(recursive=True)
        return [root, *(each.pid for each in below)]
    return [root]
