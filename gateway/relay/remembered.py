"""What a memory says, as events: read once, at the start.

The events become those that they were, except that a sender of the past is known by its pid
alone (`Sender`), and that all events of one run came at the same time.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple

import attrs

from gateway.engineio.packet import Packet
from gateway.relay.event import OVERHEAD, Event, Sender
from gateway.relay.memory import CURRENT, RUN, SEPARATOR, SIZE, TRUSTED
from gateway.relay.remembered_subjects import Subjects
from gateway.relay.ring import ATTACHED, EVENTS, NOTE, SNAPSHOT, UnusableError, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gateway.relay.event import Keys
    from gateway.relay.ring import Block, Segment


NAMED: Final = 2
"""Where in a body the length of the pid is."""
_new = tuple.__new__  # half the cost of a named tuple's own constructor


@attrs.frozen
class Remembered:
    """What one namespace knew: `events` are the last ones before the position `head`.

    `values` are those of the snapshot at the checkpoint, the oldest first; events after it may
    be newer.  `notes` are texts by their names.  `bodies` are the blocks with the events, as they
    were written.  `alive`: the last sign of life, in seconds since 1970.
    """

    epoch: str
    head: int
    events: list[Event]
    values: list[Event]
    notes: dict[str, bytes]
    bodies: list[bytes]
    alive: float


def remember(
    data: bytes,
    *,
    namespace: str,
    boot: str,
    file: int,
    keys: Keys,
    marks: Sequence[str],
    room: Room,
    now: float,
) -> Remembered:
    """What the memory `data` says; `boot` and `file` as for `ring.read`.

    An event with one of the fields `marks` that is true may not outlive its process; then nothing
    does.  `room`: what of events the log may hold.  `now`, in seconds since 1970: nothing came
    later.  Raises `UnusableError`.
    """
    contents = read(data, namespace=namespace, boot=boot, file=file)
    newest, before = contents.newest, contents.before
    make = _Maker(namespace, keys, marks, now)
    try:
        values = list(make.values(newest.blocks))
        runs = _runs(newest)
        if before is not None and before.names.epoch == newest.names.epoch:
            earlier = _runs(before)
            if earlier and earlier[-1].end == newest.names.position:
                runs = room.newest(earlier, runs) + runs
        events = [event for run in runs for event in make.events(run)]
        head = runs[-1].end if runs else newest.names.position
    except UnusableError:
        raise
    except (ValueError, struct.error, IndexError) as error:
        raise UnusableError(f"it makes no sense ({error})") from None
    return Remembered(
        newest.names.epoch,
        head,
        events,
        values,
        dict(_notes(newest.blocks)),
        [run.body for run in runs],
        min(contents.alive, now),
    )


class Run(NamedTuple):
    """A block with events: its body, the positions of its first event and after its last."""

    body: bytes
    position: int
    end: int


@attrs.frozen
class Room:
    """What of events a log may hold."""

    bytes: int
    records: int

    def newest(self, earlier: list[Run], runs: list[Run]) -> list[Run]:
        """Those of `earlier`, the newest ones, that have room beside `runs`, which follow."""
        size = sum(map(_cost, runs))
        records = sum(run.end - run.position for run in runs)
        at = len(earlier)
        while at and size < self.bytes and records < self.records:
            at -= 1
            size += _cost(earlier[at])
            records += earlier[at].end - earlier[at].position
        return earlier[at:]


def _cost(run: Run) -> float:
    """Bytes of memory of the events of `run`, rather too few than too many."""
    named = run.body[NAMED]
    return 0.97 * (len(run.body) - RUN.size - named + OVERHEAD * (run.end - run.position))


def _runs(segment: Segment) -> list[Run]:
    """The events of `segment`, which have to follow one another.  Raises ValueError."""
    found = []
    head = segment.names.position
    for kind, body in segment.blocks:
        if kind in (EVENTS, ATTACHED):
            whole = bytes((kind,)) + body
            *_, position, count = RUN.unpack_from(whole)
            if position != head:
                raise ValueError("events are missing")
            head += count
            found.append(Run(whole, position, head))
    return found


def _notes(blocks: Iterable[Block]) -> Iterator[tuple[str, bytes]]:
    for block in blocks:
        if block.kind == NOTE:
            name, _, value = bytes(block.body).partition(SEPARATOR)
            yield name.decode(), value


class _Maker:
    """Makes events of blocks.  Its methods raise ValueError and alike for what makes no sense."""

    def __init__(self, namespace: str, keys: Keys, marks: Sequence[str], now: float) -> None:
        self._subjects = Subjects(namespace, keys, marks)
        self._now = now

    def events(self, run: Run) -> list[Event]:
        """The events of `run`."""
        kind, flags, named, wall, position, count = RUN.unpack_from(run.body)
        texts = run.body[RUN.size :]
        pid, texts = texts[:named].decode(), texts[named:]
        sender = Sender(pid) if pid else None
        trusted, current = bool(flags & TRUSTED), bool(flags & CURRENT)
        wall = min(wall, self._now)
        records = [_packets(texts)] if kind == ATTACHED else _alone(texts)
        if len(records) != count:
            raise ValueError("a run has another length")
        made = []
        for packets, (subject, asks) in zip(
            records, self._subjects.of(records, texts), strict=True
        ):
            event = Event(packets, sender, subject, trusted, wall, current)
            event.acked = asks
            event.position = position
            position += 1
            made.append(event)
        return made

    def values(self, blocks: Iterable[Block]) -> Iterator[Event]:
        """The values of the snapshot."""
        for kind, body in blocks:
            if kind != SNAPSHOT:
                continue
            (count,) = SIZE.unpack_from(body)
            positions = struct.unpack_from(f"<{count}Q", body, SIZE.size)
            texts = bytes(body[SIZE.size + 8 * count :])
            records = _alone(texts)
            subjects = self._subjects.of(records, texts)
            for position, packets, (subject, _) in zip(positions, records, subjects, strict=True):
                event = Event(packets, None, subject, trusted=True, wall=self._now)
                event.position = position
                yield event


def _alone(texts: bytes) -> list[tuple[Packet, ...]]:
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
