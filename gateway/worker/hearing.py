"""Hears the broker in what a worker prints, wherever in a line and however much it prints."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from gateway.common.guard import Countdown
from gateway.worker.lifecycle.classification import NEEDLES
from gateway.worker.lines import decode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

APART: Final = 1.0
"""Seconds between two looks."""
AROUND: Final = 256
"""Bytes of a line before and after a needle that are looked at."""
PENDING: Final = 256
"""Shapes of texts that wait for a look; what comes beyond them is lost."""
_OF_NUMBERS: Final = b"0123456789"
_NUMBER: Final = re.compile(rb"(?<!\d)(?!(?:451|503)(?!\d))\d+")
"""One that tells nothing: texts that differ in those alone, such as quotes, are alike."""


class Hearing:
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
            if len(self._pending) < PENDING:
                self._pending.setdefault(_NUMBER.sub(b"0", text), text)
            heard = at + 1
        return heard, len(data)

    def _look(self) -> None:
        if self._timer.active or not self._pending:
            return
        texts, self._pending = self._pending, {}
        self._timer.begin(APART)
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
