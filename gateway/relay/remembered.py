"""What a memory says, read once, at the start.

Its events are those that they were, except that a sender of the past is known by its pid alone
(`Sender`), and that all events of one run came at the same time.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import attrs

from gateway.relay.event import Event
from gateway.relay.memory import AT_ONCE, SEPARATOR, SIZE
from gateway.relay.past import Past, Run, split
from gateway.relay.remembered_subjects import Subjects
from gateway.relay.ring import ATTACHED, EVENTS, NOTE, SNAPSHOT, UnusableError, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gateway.relay.event import Keys
    from gateway.relay.ring import Segment


@attrs.frozen
class Remembered:
    """What one namespace knew: `past` has the last events before the position `head`.

    `values` are those of the snapshot at the checkpoint, the oldest first; events after it may
    be newer.  `notes` are texts by their names.  `alive`: the last sign of life, in seconds since
    1970.
    """

    epoch: str
    head: int
    past: Past
    values: list[Event]
    notes: dict[str, bytes]
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
    reader = _Reader(namespace, keys, marks, now)
    try:
        values = list(reader.values(newest.blocks))
        runs = reader.runs(newest)
        if before is not None and before.names.epoch == newest.names.epoch:
            earlier = reader.runs(before)
            if earlier and earlier[-1].end == newest.names.position:
                runs = room.newest(earlier, runs) + runs
        reader.tell(runs)
        notes = dict(_notes(newest.blocks))
    except UnusableError:
        raise
    except (ValueError, struct.error, IndexError) as error:
        raise UnusableError(f"it makes no sense ({error})") from None
    head = runs[-1].end if runs else newest.names.position
    return Remembered(newest.names.epoch, head, Past(runs), values, notes, min(contents.alive, now))


@attrs.frozen
class Room:
    """What of events a log may hold."""

    bytes: int
    records: int

    def newest(self, earlier: list[Run], runs: list[Run]) -> list[Run]:
        """Those of `earlier`, the newest ones, that have room beside `runs`, which follow."""
        size = sum([run.size for run in runs])
        records = sum([run.count for run in runs])
        at = len(earlier)
        while at and size < self.bytes and records < self.records:
            at -= 1
            size += earlier[at].size
            records += earlier[at].count
        return earlier[at:]


def _notes(blocks: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    for block in blocks:
        if block[0] == NOTE:
            name, _, value = block[1:].partition(SEPARATOR)
            yield name.decode(), value


class _Reader:
    """Reads blocks.  Its methods raise ValueError and alike for what makes no sense."""

    def __init__(self, namespace: str, keys: Keys, marks: Sequence[str], now: float) -> None:
        self._subjects = Subjects(namespace, keys, marks)
        self._now = now

    def runs(self, segment: Segment) -> list[Run]:
        """The runs of `segment`, which have to follow one another."""
        found = []
        head = segment.names.position
        for block in segment.blocks:
            if block[0] in (EVENTS, ATTACHED):
                run = Run.read(block, self._now)
                if run.position != head:
                    raise ValueError("events are missing")
                head = run.end
                found.append(run)
        return found

    def tell(self, runs: Iterable[Run]) -> None:
        """Tell the runs what their events are about: of many together, since they may be short."""
        batch: list[Run] = []
        count = 0
        for run in runs:
            if run.is_attached:
                run.about = self._subjects.of(run.texts, 1)
            else:
                batch.append(run)
                count += run.count
            if count >= AT_ONCE:
                self._tell(batch, count)
                batch, count = [], 0
        if batch:
            self._tell(batch, count)

    def _tell(self, batch: list[Run], count: int) -> None:
        """Tell `batch`, with `count` events; where one is odd, each run by itself."""
        about = self._subjects.together(
            SEPARATOR.join([run.body[run.start :] for run in batch]), count
        )
        at = 0
        for run in batch:
            if about is None:
                run.about = self._subjects.of(run.texts, run.count)
            else:
                run.about = about[at : at + run.count]
                at += run.count

    def values(self, blocks: Iterable[bytes]) -> Iterator[Event]:
        """The values of the snapshot."""
        for block in blocks:
            if block[0] != SNAPSHOT:
                continue
            (count,) = SIZE.unpack_from(block, 1)
            positions = struct.unpack_from(f"<{count}Q", block, 1 + SIZE.size)
            texts = block[1 + SIZE.size + 8 * count :]
            told = self._subjects.of(texts, count)
            for position, packets, (subject, _) in zip(positions, split(texts), told, strict=True):
                event = Event(packets, None, subject, trusted=True, wall=self._now)
                event.position = position
                yield event
