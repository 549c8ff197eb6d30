"""What the worker prints: into the log, the tail, and to whoever listens for its errors."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from twisted.logger import Logger

from gateway.worker.classify import may_impose
from gateway.worker.lines import Gate, Stream, decode
from gateway.worker.process import STDERR, STDOUT
from gateway.worker.times import iso

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.worker.settings import Settings

_log = Logger(namespace="gateway.worker")

TAGS = {STDOUT: "Python stdout", STDERR: "Python stderr"}


class Output:
    """Shared by all generations: one tail, and streams for each.

    `clean` takes secrets out of a text, `complain` is told the lines of stderr
    that a code of the broker may be in.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], float],
        wall: Callable[[], float],
        clean: Callable[[str], str],
        complain: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._wall = wall
        self._clean = clean
        self._complain = complain
        self._tail: deque[str] = deque(maxlen=settings.tail_lines)
        self.position = int(wall() * 1000)
        """The number of the next line.  It begins with the time, which passes faster than
        lines come: so a gateway that is started again goes on with larger numbers."""

    def streams(self) -> Mapping[int, Stream]:
        """The streams of a new worker, by descriptor."""
        return {fd: self._stream(fd) for fd in TAGS}

    def tail(self, lines: int) -> list[str]:
        """The last lines, oldest first, with time and tag."""
        return list(self._tail)[-lines:] if lines > 0 else []

    def _stream(self, fd: int) -> Stream:
        settings = self._settings
        gate = Gate(settings.line_rate, settings.line_burst, self._clock)

        def tell(line: str) -> None:
            self.position += 1
            self._tail.append(f"{iso(self._wall())} [{TAGS[fd]}] {line}")
            _log.info("{line}", line=line, tag=TAGS[fd])

        hear = self._hear if fd == STDERR else None
        return Stream(settings.line_length, gate, self._clean, tell, hear)

    def _hear(self, line: bytes) -> None:
        """A code of the broker must not be lost in a flood, whose lines are dropped."""
        if may_impose(line):
            self._complain(decode(line))
