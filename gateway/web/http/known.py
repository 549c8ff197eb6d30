"""A request that comes again on its connection: what was found out about it holds.

A client that polls sends the same bytes each time.  So they are compared, and nothing is parsed
where they are the same.  Nothing is remembered of a request in which anything was unusual.
"""

from __future__ import annotations

import re
from typing import Protocol

LONGEST = 4096
"""Bytes of a head that is remembered; a browser's has 500 to 1,000."""

_STAMP = rb"[A-Za-z0-9._-]{1,64}"
_STAMPED = re.compile(rb"[A-Z]+ [^ ?]*\?(?:[^ ]*&)?t=(%b)(?=[& ])" % _STAMP)
_ANOTHER = re.compile(_STAMP)


class Answerer(Protocol):
    """What answers a known request, by calling `KnownChannel.answer`."""

    def take(self) -> bool:
        """The request came again: answer it, now or later.

        False: it may have another effect than before, so it has to be parsed.
        """
        ...

    def lost(self) -> None:
        """The connection was lost before the answer."""
        ...


class KnownRequest:
    """The bytes of a request, and who answers it.

    `revision`: the one of the guard whose verdict holds (`Guard.revision`).
    """

    __slots__ = ("_after", "_before", "_head", "answerer", "revision")

    def __init__(self, head: bytes, revision: int, answerer: Answerer) -> None:
        self._head = head
        self.revision = revision
        self.answerer = answerer
        stamped = _STAMPED.match(head)
        self._before, self._after = b"", b""
        if stamped is not None:
            self._before, self._after = head[: stamped.start(1)], head[stamped.end(1) :]

    def equals(self, data: bytes) -> bool:
        """Whether `data` is this request and nothing else.

        The value of its parameter `t` may be another one: with it clients keep caches off, and
        nobody reads it.
        """
        if data == self._head:
            return True
        before, after = self._before, self._after
        return (
            bool(before)
            and data.startswith(before)
            and data.endswith(after)
            and _ANOTHER.fullmatch(data, len(before), len(data) - len(after)) is not None
        )
