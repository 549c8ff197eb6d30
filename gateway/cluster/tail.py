"""Reads what is new in the streams of the cluster, as soon as it is there.

One blocking XREAD after the other: the answer comes when there is something, or after `BLOCK`
with nothing, which shows that the server lives.  What an answer brings is a turn of its own: it is
written to clients before the next one is asked for, so that nobody waits for the question, and
more comes with each answer where much is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.cluster.resp import LostError, RedisError
from gateway.common.attempt import Attempts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.cluster.link import Link

    Take = Callable[[bytes, Sequence[bytes]], object]
    """Called with the id and the fields of each entry."""

BLOCK: Final = 400
"""Milliseconds."""
AT_ONCE: Final = 500
"""Entries of a stream in one answer."""


class Tail:
    """The reading end of `link`, which does nothing else."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._takes: dict[str, Take] = {}
        self._last: dict[str, str] = {}
        self._is_asking = False
        self._ends: list[Callable[[], object]] | None = None
        """What is to be done at the end of the answer that is being read; None: none is."""
        self._attempt = Attempts()
        link.on_up.append(self._ask)

    def follow(self, stream: str, last: str, take: Take) -> None:
        """Call `take` with each entry of `stream` after the id `last`."""
        self._takes[stream], self._last[stream] = take, last
        self._ask()

    def forget(self, stream: str) -> None:
        """Read `stream` no more."""
        self._takes.pop(stream, None)
        self._last.pop(stream, None)

    def at_end(self, call: Callable[[], object]) -> bool:
        """Have `call` called when all of this answer was taken; False: none is being read."""
        if self._ends is None:
            return False
        self._ends.append(call)
        return True

    def _ask(self) -> None:
        if self._is_asking or not self._last or not self._link.is_up:
            return
        self._is_asking = True
        names, ids = self._last.keys(), self._last.values()
        self._link.call(
            "XREAD", "COUNT", AT_ONCE, "BLOCK", BLOCK, "STREAMS", *names, *ids, answer=self._read
        )

    def _read(self, reply: Any) -> None:
        self._is_asking = False
        if isinstance(reply, LostError):
            return  # the next connection asks again
        if isinstance(reply, RedisError):
            self._link.refuse(f"the log can't be read: {reply}")
            return
        ends: list[Callable[[], object]] = []
        self._ends = ends
        for stream, entries in reply or ():
            self._take(stream.decode(), entries)
        self._ends = None
        for end in ends:
            self._attempt("The end of what was read of the log", end)
        self._ask()

    def _take(self, stream: str, entries: Sequence[tuple[bytes, Sequence[bytes]]]) -> None:
        for id, fields in entries:
            take = self._takes.get(stream)
            if take is None:
                break
            self._last[stream] = id.decode()
            self._attempt("Taking an entry of the log", take, id, fields)
