"""Writes lines on a thread, so that a slow reader of them holds up nothing.

A reader that pauses (`| less`), or a slow terminal, costs at most `MOST` bytes of memory.  What
comes beyond that is left out, and counted in a line on stderr.
"""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from itertools import groupby
from typing import TYPE_CHECKING

from gateway.common.escape import escape_line

if TYPE_CHECKING:
    from collections.abc import Callable

OUT, ERR = 1, 2
"""File descriptors: the answer, and what is said about it."""
MOST = 8 << 20
"""Bytes that wait to be written."""
LOOK = 1.0
"""Seconds between two looks whether anybody reads, while there is nothing to write."""


class LineWriter:
    """`write` and `tell` never wait; only one thread may call them.

    `ended(error)` is called once on the writing thread when no more can be written; None: the
    reader has gone, as `| head` does.
    """

    def __init__(self, ended: Callable[[OSError | None], None], *, most: int = MOST) -> None:
        self._ended = ended
        self._most = most
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._size = self._dropped = 0
        self._closing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="output", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def write(self, line: bytes) -> None:
        """Write a line, which has its line end, to stdout."""
        with self._changed:
            if self._size + len(line) > self._most:
                self._dropped += 1
                return
            self._put(OUT, line)

    def tell(self, text: str) -> None:
        """Say something about the output, on stderr and in its place among the lines."""
        with self._changed:
            self._put(ERR, f"sjgateway: {escape_line(text)}\n".encode())

    def close(self, seconds: float) -> None:
        """Write what waits, for `seconds` at most."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(seconds)

    def _put(self, descriptor: int, line: bytes) -> None:
        self._waiting.append((descriptor, line))
        self._size += len(line)
        self._changed.notify()

    # -- the thread's side ------------------------------------------------------------

    def _run(self) -> None:
        try:
            while lines := self._take():
                for descriptor, group in groupby(lines, key=lambda each: each[0]):
                    _write_all(descriptor, b"".join(line for _, line in group))
        except BrokenPipeError:
            self._ended(None)
        except OSError as error:
            self._ended(error)

    def _take(self) -> list[tuple[int, bytes]]:
        """All lines that wait, when there are some; none: it is over."""
        with self._changed:
            while not self._waiting:
                if self._closing:
                    return []
                if not self._changed.wait(LOOK) and _is_unread(OUT):
                    raise BrokenPipeError
            lines = list(self._waiting)
            self._waiting.clear()
            self._size = 0
            dropped, self._dropped = self._dropped, 0
        if dropped:
            text = f"sjgateway: {dropped} events are left out here: they are read too slowly\n"
            lines.append((ERR, text.encode()))
        return lines


def _write_all(descriptor: int, data: bytes) -> None:
    """Write `data`, however long that takes.  Raises OSError where it can't be written."""
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except BlockingIOError:  # the other end has set O_NONBLOCK for all who share it
            select.select([], [descriptor], [])
        except OSError:
            if descriptor == ERR:
                return
            raise


def _is_unread(descriptor: int) -> bool:
    """Whether the other end of a pipe or terminal has gone."""
    poll = select.poll()
    poll.register(descriptor, 0)  # POLLERR and POLLHUP are always told
    return bool(poll.poll(0))
