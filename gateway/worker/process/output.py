"""What the worker prints: into the log and the tail, and searched for the broker's words."""

from __future__ import annotations

import re
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from twisted.logger import Logger

from gateway.common.attempt import Countdown
from gateway.common.times import iso
from gateway.worker.lifecycle.classification import NEEDLES, imposed
from gateway.worker.process.guarded import STDERR, STDOUT
from gateway.worker.process.lines import LineRateLimit, OutputStream, decode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gateway.common.redact import Redactor
    from gateway.worker.settings import WorkerSettings

_log = Logger(namespace="gateway.worker")

TAGS = {STDOUT: "Python stdout", STDERR: "Python stderr"}


class WorkerOutput:
    """Shared by all generations: one tail, and streams for each.

    `redact` takes secrets out of a text.  `complain` is told when the broker imposes a
    pause: the class, and the generation of the worker that says so.
    """

    def __init__(
        self,
        reactor: Any,
        settings: WorkerSettings,
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

    def streams(self, generation: int) -> Mapping[int, OutputStream]:
        """The streams of a new worker, by descriptor."""
        return {fd: self._stream(fd, generation) for fd in TAGS}

    def tail(self, lines: int) -> list[str]:
        """The last lines, oldest first, with time and tag."""
        return list(self._tail)[-lines:] if lines > 0 else []

    def _stream(self, fd: int, generation: int) -> OutputStream:
        settings = self._settings
        gate = LineRateLimit(settings.line_rate, settings.line_burst, self._reactor.seconds)

        def tell(line: str) -> None:
            self.position += 1
            self._tail.append(f"{iso(self._wall())} [{TAGS[fd]}] {line}")
            _log.info("{line}", line=line, tag=TAGS[fd])

        return OutputStream(
            settings.line_length,
            gate,
            self._redact,
            tell,
            reactor=self._reactor,
            held=self._redact.held,
            broker_words=BrokerWords(
                self._reactor,
                partial(imposed, own=fd == STDOUT),
                lambda cause: self._complain(cause, generation),
            ),
        )


# -- Hears the broker in what a worker prints, wherever in a line and however much it prints.

LOOK_INTERVAL: Final = 1.0
"""Seconds between two looks."""
AROUND: Final = 256
"""Bytes of a line before and after a needle that are looked at."""
MAX_PENDING: Final = 256
"""Shapes of texts that wait for a look; what comes beyond them is lost."""
_OF_NUMBERS: Final = b"0123456789"
_NUMBER: Final = re.compile(rb"(?<!\d)(?!(?:451|503)(?!\d))\d+")
"""One that tells nothing: texts that differ in those alone, such as quotes, are alike."""


class BrokerWords:
    """Listens to one stream; what imposes a pause is told to `tell`, at most once a look.

    `imposed` classifies a text.  Most of what is printed is only searched for needles: a
    few bytes without which no text imposes a pause.  What is near one is looked at, at once
    or when the last look is a second ago.
    """

    def __init__(
        self, reactor: Any, imposed: Callable[[str], str | None], tell: Callable[[str], None]
    ) -> None:
        self._imposed = imposed
        self._tell = tell
        self._rest = b""
        self._pending: dict[bytes, bytes] = {}
        """By its shape, the first text of each."""
        self._timer = Countdown(reactor, "Listening for the broker", self._look)

    def feed(self, data: bytes) -> None:
        """Take what was read."""
        data = self._rest + data
        heard, waits = self._search(data, more=True)
        self._rest = data[max(heard, _line_start(data, waits)) :]
        self._look()

    def flush(self) -> None:
        """Nothing more comes for now: look at all there is, at once."""
        self._search(self._rest, more=False)
        self._rest = b""
        self._timer.cancel()
        self._look()
        self._timer.cancel()

    def _search(self, data: bytes, *, more: bool) -> tuple[int, int]:
        """Note what is near the needles in `data`: how far it is heard, and what waits for more.

        With `more` to come, a needle near the end of an unfinished line waits for the rest.
        """
        heard = 0
        for at in sorted(_needles(data.lower())):
            end = _line_end(data, at)
            if more and end == len(data) < at + AROUND:
                return heard, at
            text = data[_line_start(data, at) : end]
            if len(self._pending) < MAX_PENDING:
                self._pending.setdefault(_NUMBER.sub(b"0", text), text)
            heard = at + 1
        return heard, len(data)

    def _look(self) -> None:
        if self._timer.active or not self._pending:
            return
        texts, self._pending = self._pending, {}
        self._timer.begin(LOOK_INTERVAL)
        causes = (self._imposed(decode(text)) for text in texts.values())
        cause = next(filter(None, causes), None)
        if cause is not None:
            self._tell(cause)


def _needles(low: bytes) -> Iterator[int]:
    """Where the needles are; a number within a longer one, such as a price, is none."""
    for needle in NEEDLES:
        at = low.find(needle)
        while at >= 0:
            around = low[max(0, at - 1) : at] + low[at + len(needle) : at + len(needle) + 1]
            if not (needle.isdigit() and around.strip(_OF_NUMBERS) != around):
                yield at
            at = low.find(needle, at + len(needle))


def _line_start(data: bytes, at: int) -> int:
    first = max(0, at - AROUND)
    return max(first, *(data.rfind(end, first, at) + 1 for end in (b"\r", b"\n")))


def _line_end(data: bytes, at: int) -> int:
    last = min(len(data), at + AROUND)
    ends = (data.find(end, at, last) for end in (b"\r", b"\n"))
    return min((end for end in ends if end >= 0), default=last)
