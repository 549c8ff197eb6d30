"""The interface to what only some systems have, and who answers here."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection
    from contextlib import AbstractContextManager
    from pathlib import Path

    from gateway.system.ends import Ends
    from gateway.system.turn_end import TurnEnd

NO_MEMO = -1
"""In the place of a descriptor: there is no memo."""


class System(Protocol):
    """One operating system."""

    name: str
    """`linux` or `portable`; a guardian is told it."""
    keeps_workers: bool
    """Whether a guardian can keep its worker for the next gateway."""
    reopens_pipes: bool
    """Whether a process can open the other end of its own pipe."""
    interrupts_orphans: bool
    """Whether the kernel sends SIGINT to a worker whose guardian was killed."""
    less: tuple[str, ...]
    """What is not promised here, each a clause for people."""

    def install_reactor(self) -> None:
        """Install the best reactor of Twisted, unless one was chosen."""
        ...

    def poll_directly(self, reactor: Any, turn_end: TurnEnd) -> None:
        """Let `reactor` call what is ready, and then `turn_end`, directly, where that is known."""
        ...

    def owned(self, root: int, asked: Collection[Ends]) -> set[Ends]:
        """Those of `asked`, all on loopback, whose other end `root` or a process below it holds.

        Raises OSError when it can't be found out, since nothing more can be opened.
        """
        ...

    def ports(self, root: int) -> set[int]:
        """The ports of TCP connections that `root` and the processes below it hold."""
        ...

    def holders(self, file: Path, descriptor: int) -> list[int]:
        """The processes that have `file` open, as far as this user and system can tell.

        Who came within the last second may be missing.
        Where it is asked for, `descriptor` is its number in each of them.  Linux also knows who has
        one of that name that was removed since.
        """
        ...

    def boot(self) -> str:
        """A name for the time since the machine was started; empty where there is none."""
        ...

    def memory_kills(self) -> tuple[int, ...]:
        """How many processes the kernel killed to get memory, by counters; perhaps none."""
        ...

    def memo(self, data: bytes) -> AbstractContextManager[int]:
        """A descriptor of `data` in memory, sealed, and closed afterwards; else `NO_MEMO`.

        Raises OSError.
        """
        ...

    def memo_of(self, descriptor: int) -> bytes:
        """What was written by `memo`; it is closed.  Empty where it is no memo."""
        ...

    def opened_again(self, descriptor: int, flags: int) -> int:
        """The terminal or pipe behind `descriptor`, opened once more.  Raises OSError."""
        ...

    def dead_child(self) -> int | None:
        """The pid of a child that ended and was not collected, 0 for none; None: no children."""
        ...


def this_system(*, portable: bool = False, platform: str = sys.platform) -> System:
    """Who answers here; with `portable` as on a system of which only POSIX is known."""
    if platform == "linux" and not portable:
        from gateway.system.linux import Linux  # noqa: PLC0415  # elsewhere it can't be imported

        return Linux()
    from gateway.system.portable import Portable  # noqa: PLC0415

    return Portable()
