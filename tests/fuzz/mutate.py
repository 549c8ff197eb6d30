"""Inputs near valid ones."""

from collections.abc import Sequence
from random import Random

EDGES = b'\0\1\t\n\r\x1e ",09:[\\]{}~\x7f\x80\xc0\xed\xfe\xff'


class Mutator:
    """Changes samples; the same `random` makes the same inputs."""

    def __init__(self, random: Random, samples: Sequence[bytes], pieces: Sequence[bytes]) -> None:
        """`pieces` are worth inserting: what the format gives a meaning."""
        self._random = random
        self._samples = samples
        self._pieces = pieces
        self._changes = (
            self._flip,
            self._overwrite,
            self._insert_byte,
            self._insert_piece,
            self._delete,
            self._repeat,
            self._cut,
            self._splice,
        )

    def next(self) -> bytes:
        """A sample, changed up to six times."""
        data = self._random.choice(self._samples)
        for _ in range(self._random.randrange(7)):
            data = self._random.choice(self._changes)(data)
        return data[:70_000]

    def cuts(self, data: bytes) -> list[bytes]:
        """`data` as it may arrive, in up to four parts."""
        places = sorted(
            self._random.randrange(len(data) + 1) for _ in range(self._random.randrange(4))
        )
        return [
            data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)
        ]

    def _place(self, data: bytes) -> int:
        return self._random.randrange(len(data) + 1)

    def _flip(self, data: bytes) -> bytes:
        place = self._place(data)
        return (
            data[:place]
            + bytes(b ^ 1 << self._random.randrange(8) for b in data[place : place + 1])
            + data[place + 1 :]
        )

    def _overwrite(self, data: bytes) -> bytes:
        place = self._place(data)
        return data[:place] + bytes((self._random.choice(EDGES),)) + data[place + 1 :]

    def _insert_byte(self, data: bytes) -> bytes:
        place = self._place(data)
        return data[:place] + bytes((self._random.choice(EDGES),)) + data[place:]

    def _insert_piece(self, data: bytes) -> bytes:
        place = self._place(data)
        return data[:place] + self._random.choice(self._pieces) + data[place:]

    def _delete(self, data: bytes) -> bytes:
        place = self._place(data)
        return data[:place] + data[place + self._random.randrange(1, 9) :]

    def _repeat(self, data: bytes) -> bytes:
        start = self._place(data)
        end = min(len(data), start + self._random.randrange(1, 40))
        return data[:end] + data[start:end] * self._random.choice((1, 2, 50)) + data[end:]

    def _cut(self, data: bytes) -> bytes:
        return data[: self._place(data)]

    def _splice(self, data: bytes) -> bytes:
        return data[: self._place(data)] + self._random.choice(self._samples)
