"""What the worker prints while nobody else reads it: the newest of it is kept."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEPT_OUTPUT = 256 * 1024
"""Bytes of output that are kept for the next gateway."""
PIECE, PIECE_COST = 8192, 128
"""Bytes from which on a new piece of the output is begun; what a piece costs besides."""
OUTPUTS = (1, 2)


class Printed:
    """The worker's output, whose ends for reading we have beside the gateway."""

    def __init__(self) -> None:
        self.ends: dict[int, int] = {}
        """Where each output can be read; that is the gateway's while it lives."""
        self._unread: list[int] = []
        """Those that have not ended."""
        self._pieces: list[tuple[int, bytearray]] = []
        self._cost = 0
        self.dropped = 0
        """Bytes that were not kept."""

    def open(self, read_end: Callable[[int], int]) -> None:
        """Get the ends for reading, as far as `read_end(output)` gives them, and close our own.

        Once the gateway is dead somebody must read on: a worker that prints while it logs out
        would die of a broken pipe before it has.
        """
        for output in OUTPUTS:
            with contextlib.suppress(OSError):
                self.ends[output] = read_end(output)
        self._unread = [*self.ends]
        null = os.open(os.devnull, os.O_RDWR)
        for output in OUTPUTS:
            os.dup2(null, output)

    @property
    def is_whole(self) -> bool:
        """Whether all of it can be read."""
        return len(self.ends) == len(OUTPUTS)

    @property
    def sources(self) -> list[int]:
        """The descriptors that are to be read."""
        return [self.ends[each] for each in self._unread]

    def read(self, descriptor: int) -> None:
        """Something can be read there, or it has ended."""
        output = next(each for each, end in self.ends.items() if end == descriptor)
        data = b""
        with contextlib.suppress(OSError):
            data = os.read(descriptor, 65536)
        if not data:
            self._unread.remove(output)
            return
        last, piece = self._pieces[-1] if self._pieces else (0, bytearray())
        if last != output or len(piece) >= PIECE:
            piece = bytearray()
            self._pieces.append((output, piece))
            self._cost += PIECE_COST
        piece += data
        self._cost += len(data)
        while self._cost > KEPT_OUTPUT:
            _, piece = self._pieces.pop(0)
            self._cost -= PIECE_COST + len(piece)
            self.dropped += len(piece)

    def texts(self) -> Iterator[tuple[int, str]]:
        """What is kept: the output, and bytes as latin-1."""
        return ((output, data.decode("latin-1")) for output, data in self._pieces)

    def forget(self) -> None:
        """The gateway has it."""
        self._pieces.clear()
        self._cost = self.dropped = 0
