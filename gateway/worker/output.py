"""What the worker prints: into the log, the tail, and to whoever listens for its errors."""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

from twisted.logger import Logger

from gateway.worker.hearing import Hearing
from gateway.worker.lifecycle.classification import imposed
from gateway.worker.lines import Gate, Stream
from gateway.worker.process import STDERR, STDOUT
from gateway.worker.times import iso

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.worker.redact import Redactor
    from gateway.worker.settings import Settings

_log = Logger(namespace="gateway.worker")

TAGS = {STDOUT: "Python stdout", STDERR: "Python stderr"}


class Output:
    """Shared by all generations: one tail, and streams for each.

    `redact` takes secrets out of a text.  `complain` is told when the broker imposes a
    pause: the class, and the generation of the worker that says so.
    """

    def __init__(
        self,
        reactor: Any,
        settings: Settings,
        *,
        wall: Callable[[], float],
        redact: Redactor,
        complain: Callable[[str, int], None],
    ) -> None:
        self._reactor = reactor
        self._settings = settings
        self._wall = wall
        self._redact = redact
        self._complain = complain
        self._tail: deque[str] = deque(maxlen=settings.tail_lines)
        self.position = int(wall() * 1000)
        """The number of the next line.  It begins with the time, which passes faster than
        lines come: so a gateway that is started again goes on with larger numbers."""

    def streams(self, generation: int) -> Mapping[int, Stream]:
        """The streams of a new worker, by descriptor."""
        return {fd: self._stream(fd, generation) for fd in TAGS}

    def tail(self, lines: int) -> list[str]:
        """The last lines, oldest first, with time and tag."""
        return list(self._tail)[-lines:] if lines > 0 else []

    def _stream(self, fd: int, generation: int) -> Stream:
        settings = self._settings
        gate = Gate(settings.line_rate, settings.line_burst, self._reactor.seconds)

        def tell(line: str) -> None:
            self.position += 1
            self._tail.append(f"{iso(self._wall())} [{TAGS[fd]}] {line}")
            _log.info("{line}", line=line, tag=TAGS[fd])

        return Stream(
            settings.line_length,
            gate,
            self._redact,
            tell,
            reactor=self._reactor,
            held=self._redact.held,
            hearing=Hearing(
                self._reactor,
                partial(imposed, own=fd == STDOUT),
                lambda cause: self._complain(cause, generation),
            ),
        )
