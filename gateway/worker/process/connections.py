"""Recognises the worker's connections by its process tree.

A worker's URL is often hard-coded, so it cannot carry a secret; but both ends of a
loopback connection are sockets of this machine, and the system knows who holds them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gateway.system.ends import Ends
    from gateway.system.system import System


class Connections:
    """Finds out which connections belong to one of the processes below `root()`.

    `root()` is a process id, or None while there is none.
    """

    def __init__(self, root: Callable[[], int | None], system: System) -> None:
        self._root = root
        self._system = system

    def owned(self, asked: Iterable[Ends]) -> set[Ends] | None:
        """Those of `asked` whose other end a process of the tree holds; None: there is no tree.

        Raises OSError when it can't be found out, since nothing more can be opened.
        """
        root = self._root()
        if root is None:
            return None
        return self._system.owned(root, [ends for ends in asked if ends.on_loopback])

    def ports(self) -> set[int]:
        """The ports of the tree's own ends of its TCP connections."""
        root = self._root()
        return set() if root is None else self._system.ports(root)
