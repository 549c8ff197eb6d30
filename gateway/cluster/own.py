"""What this gateway has said and has not got back from the log yet.

    said -> (a connection, the end of the turn) flying: sent, in numbered batches
         -> (read again from the log) recent: kept for some seconds

A batch is sent again, with its number, on every new connection until it is read from the log: the
log takes each number once (`scripts.APPEND`).  When the log has lost what it had taken (a server
came back with an older state), the recent ones are sent again, too.
"""

from __future__ import annotations

from collections import deque
from itertools import chain
from typing import TYPE_CHECKING, Final

import attrs

from gateway.cluster.record import join, pack, places_of
from gateway.relay.journal import Mark

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from gateway.cluster.record import Content
    from gateway.relay.event import Event

RECENT: Final = 10.0
"""Seconds for which a batch is kept after it was read from the log."""
MOST: Final = 1 << 20
"""Bytes of a batch, beyond which another one is begun."""


@attrs.define(eq=False)
class Said:
    """Something that was said here."""

    content: Content
    data: bytes
    at: float
    told: bool = False
    """Whether clients of this gateway have it already."""
    tapped: bool = False
    """Whether the taps have, which are told nothing twice."""


@attrs.define(eq=False)
class Batch:
    """What was sent together."""

    number: int
    contents: list[Said]
    data: bytes
    places: int
    at: float = 0.0
    """When it was read from the log; 0: it was not yet."""
    was_read: bool = False
    """Whether that was the second time, in another epoch."""


class Own:
    """The batches of one namespace; `bound`: bytes that may wait while the log is away."""

    def __init__(self, clock: Callable[[], float], bound: int) -> None:
        self._clock = clock
        self._bound = bound
        self._said: list[Said] = []
        self._bytes = 0
        self._full = bound  # bytes from which on room is made
        self._number = 0
        self._flying: deque[Batch] = deque()
        self._recent: deque[Batch] = deque()
        self._kept = 0  # bytes of those
        self.dropped = 0
        """Events that found no room while the log was away, and that it will never have."""

    def add(self, content: Content, question: int = 0) -> Said:
        """Take what was said just now; `question`: its number, if it is one.

        It is packed at once: a question has its own text only until it is told.
        """
        said = Said(content, pack(content, question), self._clock())
        self._said.append(said)
        self._bytes += len(said.data)
        if self._bytes > self._full:
            self._shed()
        return said

    def waiting(self) -> Iterator[Said]:
        """Everything that is not back from the log, the oldest first."""
        for batch in self._flying:
            yield from batch.contents
        yield from self._said

    @property
    def waiting_bytes(self) -> int:
        """Bytes of what is not sent yet."""
        return self._bytes

    @property
    def is_idle(self) -> bool:
        """Whether nothing is on its way."""
        return not self._said and not self._flying

    @property
    def oldest(self) -> float | None:
        """When the oldest was said that nobody was told yet."""
        return next((said.at for said in self.waiting() if not said.told), None)

    def unplaced(self) -> int | None:
        """The position of the oldest event that was told here already; None: there is none."""
        flying = (said for batch in self._flying if not batch.at for said in batch.contents)
        told = (said.content for said in chain(flying, self._said) if said.told)
        return next((each[0].position for each in told if isinstance(each, list)), None)

    def batches(self) -> Iterator[Batch]:
        """Make batches of what was said since the last call: they fly from now on."""
        said, self._said, self._bytes, self._full = self._said, [], 0, self._bound
        first = size = 0
        for index, each in enumerate(said):
            if size and size + len(each.data) > MOST:
                yield self._batch(said[first:index])
                first, size = index, 0
            size += len(each.data)
        if said:
            yield self._batch(said[first:])

    def again(self, *, all: bool) -> list[Batch]:
        """What has to be sent on a new connection; with `all` also what the log may have lost."""
        if all:
            self._forget()
            self._flying.extendleft(reversed(self._recent))
            self._recent.clear()
            self._kept = 0
        return list(self._flying)

    def was_written(self, batch: Batch) -> None:
        """The log had `batch` already when it was sent again; if it was read, it flies no more."""
        if batch.at and self._flying and self._flying[0] is batch:
            self._keep(self._flying.popleft())

    def arrived(self, number: int) -> Batch | None:
        """The batch `number`, which was read from the log; None: it is not awaited."""
        flying = self._flying
        while flying and flying[0].number < number:  # it was read before
            self._keep(flying.popleft())
        if not flying or flying[0].number != number:
            return None
        batch = flying.popleft()
        batch.was_read = batch.at > 0
        batch.at = self._clock()
        self._keep(batch)
        return batch

    def _keep(self, batch: Batch) -> None:
        self._recent.append(batch)
        self._kept += len(batch.data)
        self._forget()

    def _batch(self, contents: list[Said]) -> Batch:
        self._number += 1
        places = sum([places_of(each.content) for each in contents])
        batch = Batch(self._number, contents, join([each.data for each in contents]), places)
        self._flying.append(batch)
        return batch

    def _forget(self) -> None:
        since = self._clock() - RECENT
        while self._recent and (self._recent[0].at < since or self._kept > self._bound):
            self._kept -= len(self._recent.popleft().data)

    def _shed(self) -> None:
        """Make room: first what newer events and notes replace, then the oldest of both.

        Only what was told here is left out: other gateways miss it.
        """
        self._said = self._newest()
        self._bytes = sum([len(said.data) for said in self._said])
        kept = []
        for said in self._said:
            if self._bytes <= self._bound // 2 or not said.told or isinstance(said.content, Mark):
                kept.append(said)
                continue
            self._bytes -= len(said.data)
            if isinstance(said.content, list):
                self.dropped += len(said.content)
        self._said = kept
        # What could not be left out is not looked at for each event that follows.
        self._full = max(self._bound, 2 * self._bytes)

    def _newest(self) -> list[Said]:
        """What was said, without what was told here and is replaced by now."""
        seen: set[Hashable] = set()
        kept = []
        for said in reversed(self._said):
            content = said.content
            if not said.told or isinstance(content, Mark):
                kept.append(said)
            elif isinstance(content, list):
                kept += _without(said, content, seen)
            elif content.said not in seen:  # a pid is no key of an event
                seen.add(content.said)
                kept.append(said)
        return kept[::-1]


def _without(said: Said, events: list[Event], seen: set[Hashable]) -> list[Said]:
    """What is left of `said` without the keys that were `seen` later; adds those that it has."""
    newest = []
    for event in reversed(events):
        if event.key is None or event.key not in seen:
            newest.append(event)
        if event.key is not None:
            seen.add(event.key)
    if len(newest) == len(events):
        return [said]
    newest.reverse()
    return [Said(newest, pack(newest), said.at, told=True, tapped=True)] if newest else []
