"""From bytes to lines that can be logged: whole, bounded, escaped, not too many."""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections import deque
from typing import TYPE_CHECKING, Any

from gateway.common.attempt import Countdown
from gateway.common.escape import escape
from gateway.common.rate import LeakyBucket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gateway.worker.process.output import BrokerWords

BYTES_A_LINE = 512
"""Bytes of a line that cost as much as a line."""
SOON = 0.001
"""Seconds that are not waited for: what is left of a pause may be a rounding error."""
_Utf8 = getincrementaldecoder("utf-8")


class Splitter:
    """Finds the lines in a stream; keeps at most `limit` bytes of one.

    A line ends at LF, at CR, as progress bars write it, or at both together.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._line = bytearray()
        self._cut = 0
        self._returned = False
        """A CR came last: a LF right after it is of the same end."""
        self._begun = False
        """The beginning of the line was taken before it ended."""
        self._lost = False
        """The rest of the line is only counted."""

    @property
    def unfinished(self) -> bool:
        """Whether something is kept of a line that has not ended."""
        return bool(self._line)

    def peek(self) -> tuple[bytes, int]:
        """What is kept of it, and the count of bytes cut from its end."""
        return bytes(self._line), self._cut

    def feed(self, data: bytes) -> Iterator[tuple[bytes, int]]:
        """The lines that `data` completes, each with the count of bytes cut from its end."""
        *whole, rest = data.split(b"\n")
        for piece in whole:
            yield from self._add(piece)
            if self._line or self._cut or not (self._returned or self._begun):
                yield self._take()
            self._returned = self._begun = self._lost = False
        yield from self._add(rest)

    def flush(self) -> Iterator[tuple[bytes, int]]:
        """What is left, if anything, as a line."""
        if self._line or self._cut:
            yield self._take()
        self._begun = self._lost = False

    def take(self, length: int) -> tuple[bytes, int]:
        """The first `length` bytes of the unfinished line; the rest of one that was cut is lost."""
        self._begun = True
        self._lost = self._lost or self._cut > 0
        taken, cut = bytes(self._line[:length]), self._cut
        del self._line[:length]
        self._cut = 0
        return taken, cut

    def _add(self, piece: bytes) -> Iterator[tuple[bytes, int]]:
        """Go on with the line; a CR in `piece` ends it, unless it would be empty."""
        if b"\r" in piece:
            *tracks, piece = piece.split(b"\r")
            for track in tracks:
                self._extend(track)
                if self._line or self._cut:
                    yield self._take()
                self._begun = self._lost = False
            self._returned = not piece
        elif piece:
            self._returned = False
        self._extend(piece)

    def _extend(self, piece: bytes) -> None:
        room = 0 if self._lost else self._limit - len(self._line)
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


class LineRateLimit:
    """Lets `burst` lines pass at once and `rate` per second in the long run.

    A long line counts as several: one, and one more for each `BYTES_A_LINE` of it.

    When it has refused a line, it refuses all others until a second's worth of lines may pass:
    so there are few notes about dropped lines.
    """

    def __init__(self, rate: float, burst: int, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._burst = burst
        self._reopens = burst - min(rate, burst)
        self._bucket = LeakyBucket(rate, clock)
        self._shut = False

    def passes(self, length: int = 0) -> bool:
        """Whether one more line of `length` bytes may pass now."""
        level = self._bucket.level
        if self._shut and level > self._reopens:
            return False
        self._shut = level > self._burst - 1
        if not self._shut:
            self._bucket.add(amount=1 + length // BYTES_A_LINE)
        return not self._shut


class OutputStream:
    """One stream of a worker: gives lines to `tell`, and keeps the last ones at any rate.

    `clean` takes secrets out of a text, `held(text)` says how many characters at its end
    may begin one.  A line that has not ended after `PATIENCE` seconds is told as far as it
    came.  `broker_words` gets all that is read, also what is dropped.
    """

    LAST = 20
    """Lines that are kept for the report of an exit."""
    PATIENCE = 1.0
    """Seconds: a prompt, before a hang, must not stay unseen."""

    def __init__(
        self,
        limit: int,
        gate: LineRateLimit,
        clean: Callable[[str], str],
        tell: Callable[[str], None],
        *,
        reactor: Any,
        held: Callable[[str], int] = lambda _: 0,
        broker_words: BrokerWords | None = None,
    ) -> None:
        self._splitter = Splitter(limit)
        self._gate = gate
        self._clean = clean
        self._tell = tell
        self._held = held
        self._hearing = broker_words
        self._last: deque[tuple[float, bytes, int]] = deque(maxlen=self.LAST)
        self._dropped = 0
        self._began = 0.0
        """When the unfinished line began."""
        self._timer = Countdown(reactor, "Telling a line that does not end", self._tell_unfinished)

    def feed(self, data: bytes) -> None:
        """Take what was read."""
        if self._hearing is not None:
            self._hearing.feed(data)
        begins = not self._splitter.unfinished
        if self._pass(self._splitter.feed(data)) or begins:
            self._began = self._gate.clock()
        if self._splitter.unfinished and not self._timer.active:
            self._timer.begin(self.PATIENCE)

    def flush(self) -> None:
        """The stream is over, or its writer is."""
        self._timer.cancel()
        if self._hearing is not None:
            self._hearing.flush()
        self._pass(self._splitter.flush())
        self._tell_dropped()

    def last(self, since: float = 0) -> list[str]:
        """The last lines that were read after `since`, clean."""
        return [self._text(line, cut) for when, line, cut in self._last if when >= since]

    def _pass(self, lines: Iterable[tuple[bytes, int]]) -> bool:
        """Tell `lines`, or count them; whether there were any."""
        now = self._gate.clock()
        found = False
        for line, cut in lines:
            found = True
            self._last.append((now, line, cut))
            if self._gate.passes(len(line)):
                self._tell_dropped()
                self._tell(self._text(line, cut))
            else:
                self._dropped += 1
        return found

    def _tell_unfinished(self) -> None:
        line, cut = self._splitter.peek()
        left = self.PATIENCE - (self._gate.clock() - self._began)
        if line and left > SOON:
            self._timer.begin(left)
            return
        length = len(line) if cut else _whole(line)
        if not cut:
            held = self._held(decode(line[:length]))
            length -= len(decode(line[:length])[-held:].encode()) if held else 0
        if length > 0:
            if self._hearing is not None:
                self._hearing.flush()
            self._pass([self._splitter.take(length)])

    def _tell_dropped(self) -> None:
        if self._dropped:
            self._tell(f"({self._dropped} lines dropped: too many at once)")
            self._dropped = 0

    def _text(self, line: bytes, cut: int) -> str:
        text = escape(self._clean(decode(line, whole=not cut)))
        return f"{text} ({cut} more bytes)" if cut else text


def _whole(line: bytes) -> int:
    """How many bytes of `line` are whole characters: half a one may come at its end."""
    for back in range(1, min(4, len(line) + 1)):
        byte = line[-back]
        if byte >= 0xC0:  # the first byte of several
            return len(line) - back if back < _length(byte) else len(line)
        if byte < 0x80:
            break
    return len(line)


def _length(first: int) -> int:
    """How many bytes a character has that begins with `first`."""
    return 4 if first >= 0xF0 else 3 if first >= 0xE0 else 2
