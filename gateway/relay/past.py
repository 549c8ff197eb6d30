"""The events of a process before this one, as they were written: made when somebody asks.

A client that comes back has missed a second or two of them, so most are never asked for.  A start
makes the newest one of each key and those that tell codes, and leaves the others packed.
"""

from __future__ import annotations

from collections import Counter, deque
from itertools import takewhile
from typing import TYPE_CHECKING

import attrs

from gateway.engineio.packet import Packet
from gateway.relay.aliases import NoAliases
from gateway.relay.event import OVERHEAD, Event, Sender
from gateway.relay.memory import CURRENT, RUN, SEPARATOR, SIZE, TRUSTED
from gateway.relay.ring import ATTACHED

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from gateway.relay.aliases import Aliases
    from gateway.relay.event import Subject

    About = tuple[Subject, bool]
    """What an event is about, and whether somebody waited for an answer."""

_new = tuple.__new__  # half the cost of a named tuple's own constructor


@attrs.define
class Run:
    """A block with events that one client sent in one turn.

    `body`: as it was written.  `is_attached`: it is one event with attachments.  `position`: of the
    first event, `end`: after the last one.  `size`: bytes of memory that they cost in a log.
    `start`: where in the body the texts begin.
    """

    body: bytes
    is_attached: bool
    position: int
    count: int
    end: int
    size: int
    start: int
    pid: str
    trusted: bool
    current: bool
    wall: float
    about: Sequence[About] = ()
    """What each event is about."""

    @classmethod
    def read(cls, body: bytes, now: float) -> Run:
        """The run with this body, of which nothing came later than `now`.

        Raises ValueError or struct.error for what is none.
        """
        kind, flags, named, wall, position, count = RUN.unpack_from(body)
        start = RUN.size + named
        is_attached = kind == ATTACHED
        if is_attached:
            packets = _packets(body[start:])
            there, size = 1, sum([len(packet.data) for packet in packets])
        else:
            there = body.count(SEPARATOR, start) + 1
            size = len(body) - start - there + 1
        if there != count:
            raise ValueError("a run has another length")
        pid = body[RUN.size : start].decode() if named else ""
        return cls(
            body,
            is_attached,
            position,
            count,
            position + count,
            size + count * OVERHEAD,
            start,
            pid,
            bool(flags & TRUSTED),
            bool(flags & CURRENT),
            min(wall, now),
        )

    @property
    def texts(self) -> bytes:
        """The texts of its events, with `SEPARATOR` between them; without attachments."""
        texts = self.body[self.start :]
        return _packets(texts)[0].data if self.is_attached else texts

    def events(self, which: Iterable[int]) -> list[Event]:
        """Those of its events, counted from 0, made now."""
        texts, sender, made = self.body[self.start :], Sender(self.pid) if self.pid else None, []
        records = [_packets(texts)] if self.is_attached else split(texts)
        for index in which:
            subject, asks = self.about[index]
            event = Event(records[index], sender, subject, self.trusted, self.wall, self.current)
            event.acked = asks
            event.position = self.position + index
            made.append(event)
        return made


class Past:
    """The events of `runs`, which follow one another, up to where a log begins."""

    aliases: Aliases = NoAliases()
    """The codes that name one thing, for the events that are made."""

    def __init__(self, runs: Iterable[Run] = ()) -> None:
        self._runs = deque(runs)
        self._epoch = ""
        self.start = self._end = 0
        """Bytes before its first event and after its last one, as the log counts them."""

    def __len__(self) -> int:
        return self._runs[-1].end - self._runs[0].position if self._runs else 0

    @property
    def bodies(self) -> list[bytes]:
        """The blocks, as they were written."""
        return [run.body for run in self._runs]

    # -- for a start -----------------------------------------------------------------------

    def named(self, name: str) -> list[Event]:
        """The trusted events of this name, the oldest first."""
        found: list[Event] = []
        for run in self._runs:
            which = [at for at, (subject, _) in enumerate(run.about) if subject.name == name]
            if run.trusted and which:
                found += self._make(run, which)
        return found

    def newest(self) -> list[Event]:
        """The newest trusted event of each key, the oldest first.

        Of each key also the newest one that came when its worker still lived.
        """
        seen: dict[bool, set[Hashable]] = {True: set(), False: set()}
        found: list[list[Event]] = []
        for run in reversed(self._runs):
            if not run.trusted:
                continue
            keys, which = seen[run.current], []
            for at in range(run.count - 1, -1, -1):
                key = run.about[at][0].key
                if key is not None and key not in keys:
                    keys.add(key)
                    which.append(at)
            if which:
                found.append(self._make(run, reversed(which)))
        return [event for events in reversed(found) for event in events]

    def counts(self, position: int) -> dict[tuple[str | float, str | None], tuple[int, float]]:
        """What living workers and the gateway sent from `position` on, by name and code.

        How often, and when the last one came.
        """
        counts: Counter[tuple[str | float, str | None]] = Counter()
        times = {}
        for run in self._runs:
            if run.end > position and run.trusted and run.current:
                told = run.about[max(position - run.position, 0) :]
                names = [(subject.name, subject.code) for subject, _ in told]
                counts.update(names)
                times.update(dict.fromkeys(names, run.wall))
        return {each: (count, times[each]) for each, count in counts.items()}

    # -- for the log -----------------------------------------------------------------------

    def place(self, epoch: str, end: int) -> None:
        """It is the past of the log `epoch`; `end`: bytes before that log's first event."""
        self._epoch, self._end = epoch, end
        self.start = end - sum([run.size for run in self._runs])

    @property
    def position(self) -> int:
        """Of the first event; there is one."""
        return self._runs[0].position

    def forget(self, position: int, start: int) -> bool:
        """Forget the runs that end before `position`, or before `start` in bytes.

        Returns whether any is left.
        """
        runs = self._runs
        while runs and (runs[0].end <= position or self.start + runs[0].size <= start):
            self.start += runs.popleft().size
        return bool(runs)

    def take(self, position: int) -> list[Event]:
        """Take out the events from `position` on, and perhaps some before it."""
        taken = [*takewhile(lambda run: run.end > position, reversed(self._runs))][::-1]
        events = [event for run in taken for event in self._make(run, range(run.count))]
        start = self._end = self._end - sum([run.size for run in taken])
        for event in events:
            event.epoch = self._epoch
            event.start = start
            start += event.size + OVERHEAD
        for _ in taken:
            self._runs.pop()
        return events

    def _make(self, run: Run, which: Iterable[int]) -> list[Event]:
        events = run.events(which)
        for event in events:
            event.aliases = self.aliases.of(event.code)
        return events


def split(texts: bytes) -> list[tuple[Packet, ...]]:
    """The packets of each of these texts."""
    return [(_new(Packet, (text, False)),) for text in texts.split(SEPARATOR)]


def _packets(body: bytes) -> tuple[Packet, ...]:
    """The packets of one event; all but the first are attachments."""
    found: list[Packet] = []
    at = 0
    while at < len(body):
        (size,) = SIZE.unpack_from(body, at)
        at += SIZE.size + size
        found.append(Packet(body[at - size : at], bool(found)))
    if at != len(body) or not found:
        raise ValueError("a packet was cut off")
    return tuple(found)
