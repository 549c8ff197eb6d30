"""What Linux answers: all that is promised."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from gateway.system import memory_file, proc
from gateway.system.children import dead_child
from gateway.system.connections import held_ports
from gateway.system.direct_poll import poll_directly
from gateway.system.sock_diag import inodes

if TYPE_CHECKING:
    from collections.abc import Collection
    from contextlib import AbstractContextManager
    from pathlib import Path

    from gateway.system.ends import Ends
    from gateway.system.turn_end import TurnEnd


class Linux:
    """See `System`."""

    name = "linux"
    keeps_workers = True
    reopens_pipes = True
    interrupts_orphans = True
    less: tuple[str, ...] = ()

    def install_reactor(self) -> None:
        """Twisted's own choice is epoll."""

    def poll_directly(self, reactor: Any, turn_end: TurnEnd) -> None:
        poll_directly(reactor, turn_end)

    def owned(self, root: int, asked: Collection[Ends]) -> set[Ends]:
        """All that the tree holds is read once, however many are asked about."""
        try:
            found = inodes(asked)
        except OSError:  # no sock_diag here: ask slowly
            held = held_ports(proc.tree(root))
            return {ends for ends in asked if (ends.theirs[1], ends.ours[1]) in held}
        links = {f"socket:[{inode}]": ends for ends, inode in found.items()}
        if not links:
            return set()
        return {links[link] for pid in proc.tree(root) for link in proc.held(pid) if link in links}

    def ports(self, root: int) -> set[int]:
        return {port for port, _ in held_ports(proc.tree(root))}

    def holders(self, file: Path, descriptor: int) -> list[int]:
        return proc.holders(file, descriptor)

    def boot(self) -> str:
        return proc.boot()

    def memory_kills(self) -> tuple[int, ...]:
        return proc.memory_kills()

    def memo(self, data: bytes) -> AbstractContextManager[int]:
        return memory_file.written(data)

    def memo_of(self, descriptor: int) -> bytes:
        return memory_file.taken(descriptor)

    def opened_again(self, descriptor: int, flags: int) -> int:
        return os.open(f"/proc/self/fd/{descriptor}", flags)

    def dead_child(self) -> int | None:
        return dead_child()
