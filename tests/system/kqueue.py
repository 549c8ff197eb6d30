"""kqueue as `select` has it on macOS, made of poll: for Twisted's reactor, where there is none.

What can be read and written is told as long as it is so, a filter that is not there can't be taken
away, and the end of a connection is a flag.
"""

from __future__ import annotations

import errno
import select
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

READ, WRITE = -1, -2
ADD, DELETE, EOF = 1, 2, 0x8000
WAITS_FOR = {READ: select.POLLIN, WRITE: select.POLLOUT}
OVER = select.POLLHUP | select.POLLERR
NAMES = {
    "KQ_FILTER_READ": READ,
    "KQ_FILTER_WRITE": WRITE,
    "KQ_EV_ADD": ADD,
    "KQ_EV_DELETE": DELETE,
    "KQ_EV_EOF": EOF,
}


class KEvent(NamedTuple):
    """What is asked of a descriptor, or is true of it."""

    ident: int
    filter: int
    flags: int
    fflags: int = 0
    data: int = 0


class KQueue:
    """What is asked of all descriptors."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._filters: defaultdict[int, set[int]] = defaultdict(set)

    def control(self, changes: list[KEvent], most: int, timeout: float) -> list[KEvent]:
        """Change what is asked, and wait for what is true."""
        for change in changes:
            self._change(change)
        if not most:
            return []
        told = [
            KEvent(number, each, EOF if found & OVER else 0)
            for number, found in self._poll.poll(timeout * 1000)
            for each in sorted(self._filters[number], reverse=True)
            if found & (WAITS_FOR[each] | OVER)
        ]
        return told[:most]

    def _change(self, change: KEvent) -> None:
        filters = self._filters[change.ident]
        if change.flags & ADD:
            filters.add(change.filter)
        elif change.filter in filters:
            filters.remove(change.filter)
        else:
            raise OSError(errno.ENOENT, "no such filter")
        if filters:
            self._poll.register(change.ident, sum(WAITS_FOR[each] for each in filters))
        else:
            self._poll.unregister(change.ident)

    def close(self) -> None:
        del self._poll


def install(made: Callable[[], None]) -> None:
    """Let `select` have it, as on macOS; `made` is called when there is one."""

    def kqueue() -> KQueue:
        made()
        return KQueue()

    for name, value in (NAMES | {"kqueue": kqueue, "kevent": KEvent}).items():
        setattr(select, name, value)
