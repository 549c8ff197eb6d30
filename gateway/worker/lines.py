"""From bytes to lines that can be logged: whole, bounded, escaped, not too many."""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ESCAPES = {
    code: f"\\x{code:02x}" for code in (*range(9), *range(10, 32), *range(0x7F, 0xA0)) if code != 9
} | {
    code: f"\\u{code:04x}"
    for code in (0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}
"""Control characters, ANSI sequences and bidirectional overrides can forge a log."""
BYTES = 512
"""Bytes of a line that cost as much as a line."""
_Utf8 = getincrementaldecoder("utf-8")


class Splitter:
    """Finds the lines in a stream; keeps at most `limit` bytes of one."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._line = bytearray()
        self._cut = 0

    def feed(self, data: bytes) -> Iterator[tuple[bytes, int]]:
        """The lines that `data` completes, each with the count of bytes cut from its end."""
        *whole, rest = data.split(b"\n")
        for piece in whole:
            self._add(piece)
            yield self._take()
        self._add(rest)

    def flush(self) -> Iterator[tuple[bytes, int]]:
        """What is left, if anything, as a line."""
        if self._line:
            yield self._take()

    def _add(self, piece: bytes) -> None:
        room = self._limit - len(self._line)
        self._line += piece[:room]
        self._cut += max(0, len(piece) - room)

    def _take(self) -> tuple[bytes, int]:
        line, cut = bytes(self._line), self._cut
        self._line.clear()
        self._cut = 0
        return line, cut


def decode(line: bytes, *, whole: bool = True) -> str:
    """The text of a line: bytes that are no UTF-8 are escaped.

    Of a line that was cut, half a character at the end is dropped.
    """
    return _Utf8("backslashreplace").decode(line, final=whole)


def escape(text: str) -> str:
    """`text` with its control characters made visible."""
    return text.translate(_ESCAPES)


class Gate:
    """Lets `burst` lines pass at once and `rate` per second in the long run.

    A long line counts as several: one, and one more for each `BYTES` of it.

    Once shut it opens when a second's worth has gathered, so that the notes about what
    was dropped are few.
    """

    def __init__(self, rate: float, burst: int, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._burst = burst
        self.clock = clock
        self._tokens = float(burst)
        self._then = clock()
        self._shut = False

    def passes(self, length: int = 0) -> bool:
        """Whether one more line of `length` bytes may pass now."""
        now = self.clock()
        self._tokens = min(self._burst, self._tokens + (now - self._then) * self._rate)
        self._then = now
        if self._shut and self._tokens < min(self._rate, self._burst):
            return False
        self._shut = self._tokens < 1
        if not self._shut:
            self._tokens -= 1 + length // BYTES
        return not self._shut


class Stream:
    """One stream of a worker: lines to `tell`, and the last ones whatever the rate.

    `clean` takes secrets out of a text.  `hear` is given every line as it was read, those
    that are dropped included.
    """

    LAST = 20
    """Lines that are kept for the report of an exit."""

    def __init__(
        self,
        limit: int,
        gate: Gate,
        clean: Callable[[str], str],
        tell: Callable[[str], None],
        hear: Callable[[bytes], None] | None = None,
    ) -> None:
        self._splitter = Splitter(limit)
        self._gate = gate
        self._clean = clean
        self._tell = tell
        self._hear = hear
        self._last: deque[tuple[float, bytes, int]] = deque(maxlen=self.LAST)
        self._dropped = 0

    def feed(self, data: bytes) -> None:
        """Take what was read."""
        self._pass(self._splitter.feed(data))

    def flush(self) -> None:
        """The stream is over, or its writer is."""
        self._pass(self._splitter.flush())
        self._tell_dropped()

    def last(self, since: float = 0) -> list[str]:
        """The last lines that were read after `since`, clean."""
        return [self._text(line, cut) for when, line, cut in self._last if when >= since]

    def _pass(self, lines: Iterator[tuple[bytes, int]]) -> None:
        now = self._gate.clock()
        for line, cut in lines:
            self._last.append((now, line, cut))
            if self._hear is not None:
                self._hear(line)
            if self._gate.passes(len(line)):
                self._tell_dropped()
                self._tell(self._text(line, cut))
            else:
                self._dropped += 1

    def _tell_dropped(self) -> None:
        if self._dropped:
            self._tell(f"({self._dropped} lines dropped: too many at once)")
            self._dropped = 0

    def _text(self, line: bytes, cut: int) -> str:
        text = escape(self._clean(decode(line.removesuffix(b"\r"), whole=not cut)))
        return f"{text} ({cut} more bytes)" if cut else text
