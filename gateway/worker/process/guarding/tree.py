"""What is asked of the system about the worker's tree: the worker and all that it leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gateway.worker.process.guarding.linux_tree import LinuxTree
from gateway.worker.process.guarding.portable_tree import PortableTree

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable


class Tree(Protocol):
    """The processes of one worker, whose parent is this process."""

    look_again: float | None
    """Seconds after which to look whether something is left of it, once the worker is gone.

    None: the system tells by SIGCHLD.
    """

    def prepare(self) -> None:
        """Before there is a worker."""
        ...

    def follow(self) -> None:
        """In the new process, just before it becomes the worker."""
        ...

    def began(self, worker: int) -> None:
        """The worker runs; it leads a session and a group."""
        ...

    def reap(self, ended: Callable[[int, int], object]) -> bool:
        """Collect the dead; `ended(pid, status)` is told each.  Whether anybody is left."""
        ...

    def members(self) -> list[int]:
        """The living ones."""
        ...

    def send(self, pid: int, number: signal.Signals) -> None:
        """Send a signal to one of them.  Raises ProcessLookupError or PermissionError."""
        ...

    def read_end(self, output: int) -> int:
        """A descriptor by which our own `output`, a pipe, can be read.  Raises OSError."""
        ...


def tree(name: str | None) -> Tree:
    """The tree of the system with this name, as the first line says it; None: Linux' own."""
    return PortableTree() if name == "portable" else LinuxTree()
