"""Writes what one namespace needs to go on after its process: a tap of its log.

Each turn's events are packed before they are sent, so nobody has seen an event that a killed
process did not leave behind.  When a half of the ring is full, the next segment begins with a
*checkpoint*: the epoch, the values of the snapshot and notes.  So the snapshot outlives the
events that it came from, and what `ring.py` keeps of events is never less than one half.

    body of EVENTS    what all of them share, the sender's pid, the texts one after the other
    body of ATTACHED  the same of one event, with the size of each packet before the packet
    body of SNAPSHOT  number, positions, texts
    body of NOTE      name, value

An event's name, code, key and acknowledgment id stand in its text.  Of its sender only the pid is
kept: a client that comes back does not get its own events.  The time is that of the run's
first event.
"""

from __future__ import annotations

import struct
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, Protocol

from gateway.common.attempt import Attempts
from gateway.relay.ring import (
    ATTACHED,
    CLOSED,
    EVENTS,
    FRAME,
    NOTE,
    READY,
    SNAPSHOT,
    Names,
    names_block,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gateway.relay.event import Event
    from gateway.relay.log import Log
    from gateway.relay.ring import Ring

SEPARATOR: Final = b"\x1e"
"""Stands between two texts; no JSON has it."""
RUN: Final = struct.Struct("<BBBdQI")
"""Kind, flags, length of the pid, time, position and number of a run of events."""
TRUSTED, CURRENT = 1, 2
SIZE: Final = struct.Struct("<I")
AT_ONCE: Final = 500
"""Events in one block of a checkpoint."""
ROOM: Final = 1 << 20
"""Bytes of a half that checkpoints may fill, besides those for events."""


class State(Protocol):
    """What a checkpoint has, apart from the log."""

    def snapshot(self) -> Sequence[Event]:
        """The events for late joiners, the oldest first."""
        ...

    def notes(self) -> Mapping[str, bytes]:
        """Texts by their names: whatever else is to be known again."""
        ...


class Place(Protocol):
    """Where memories are kept: it makes the ring of one namespace."""

    def make(self, namespace: str, size: int) -> tuple[Ring, str, int]:
        """A new ring with halves of `size` bytes, the machine's boot, and its file's number.

        Nobody finds it yet.  Raises OSError.
        """
        ...

    def publish(self, namespace: str) -> None:
        """Put the ring that was made last in the place of the one before it.  Raises OSError."""
        ...


class Memory:
    """The tap of one log.

    `history`: bytes of a half for events alone.  Without a ring, before `open` and after `lose`,
    it writes nothing.
    """

    def __init__(self, namespace: str, log: Log, state: State, place: Place, history: int) -> None:
        self._namespace = namespace
        self._log = log
        self._state = state
        self._place = place
        self._history = history
        self._ring: Ring | None = None
        self._boot = ""
        self._file = 0
        self._alive = 0
        self._until = 0
        """Where a segment ends that holds as much as the log does, in bytes of the log."""
        self._attempts = Attempts()

    @property
    def is_open(self) -> bool:
        """Whether anything is written."""
        return self._ring is not None

    def open(self, bodies: Sequence[bytes] | None = None) -> None:
        """Make a ring, and write what the log holds.  Raises OSError, and writes nothing then.

        `bodies`: the blocks for that, where they were just read.
        """
        self._make(self._checkpoint(), self._log.flushed, bodies)

    def lose(self) -> None:
        """Write no more; what was written is not believed any more."""
        if self._ring is not None:
            self._ring.spoil()
            self._ring.release()
            self._ring = None

    def close(self) -> None:
        """Write that nothing follows."""
        if self._ring is not None:
            self._put(bytes((CLOSED,)), self._log.flushed)
            self._ring.commit()
            self._ring.release()
            self._ring = None

    def sign(self, milliseconds: int) -> None:
        """Note that the process lives; a ring that is made later has the note from the start."""
        self._alive = milliseconds
        if self._ring is not None:
            self._ring.sign(milliseconds)

    def note(self, name: str, value: bytes) -> None:
        """Keep `value` until the next checkpoint, which asks for it."""
        if self._ring is not None:
            try:
                self._put(_note(name, value), self._log.flushed)
                self._ring.commit()
            except Exception:
                self.lose()
                self._attempts.failed("Noting what is to be known after a restart")

    def collect(self, events: Sequence[Event]) -> None:
        """Keep the turn's `events`."""
        ring = self._ring
        if ring is None:
            return
        try:
            first = events[0]
            sender, trusted, current = first.sender, first.trusted, first.current
            texts = [
                event.packets[0][0]
                for event in events
                if event.sender is sender
                and event.trusted is trusted
                and event.current is current
                and len(event.packets) == 1
            ]
            if len(texts) == len(events) and first.start < self._until:
                texts[0] = _head(first, EVENTS, len(texts)) + texts[0]
                if ring.put(SEPARATOR.join(texts)):
                    return
            self._put_runs(events)
        except Exception:
            self.lose()  # a hole would be worse
            raise

    def _put_runs(self, events: Sequence[Event]) -> None:
        """Keep `events`, of any senders."""
        for body, first in _runs(events):
            if first.start >= self._until and self._ring is not None:
                self._begin(first.position)
            self._put(body, first.position)
        if self._ring is not None:
            self._ring.commit()

    def _put(self, body: bytes, position: int) -> None:
        """Write `body`; what does not fit in a whole segment is left out, with all before it."""
        ring = self._ring
        if ring is None:
            return
        if len(body) > ring.room:
            ring = self._begin(position)
            if len(body) > ring.room:
                self._begin(self._log.flushed)
                return
        ring.add(body)

    def _begin(self, position: int) -> Ring:
        """Begin a segment whose first event is at `position`."""
        assert self._ring is not None
        bodies = self._checkpoint()
        if _room(bodies) > self._ring.size - self._history:
            return self._make(bodies, position)
        self._write(self._ring, bodies, position)
        return self._ring

    def _make(
        self, bodies: list[bytes], position: int, events: Sequence[bytes] | None = None
    ) -> Ring:
        """Have another ring, with all that the log holds before `position`, or with `events`."""
        before, log = self._ring, self._log
        self._ring = None
        try:
            size = self._history + max(ROOM, 2 * _room(bodies))
            ring, self._boot, self._file = self._place.make(self._namespace, size + -size % 8)
            self._ring = ring
            if events is not None and sum(map(len, events)) + FRAME * len(events) < self._history:
                first = RUN.unpack_from(events[0])[4] if events else position
                self._write(ring, bodies, first)
                ring.extend(events)
                ring.commit()
            else:
                log.recall()
                self._write(ring, bodies, log.tail)
                self._put_runs(log.between(log.tail, position))
            ring.sign(self._alive)
            self._place.publish(self._namespace)
        except Exception:
            self.lose()
            if before is not None:
                before.spoil()
            raise
        finally:
            if before is not None:
                before.release()
        return ring

    def _write(self, ring: Ring, bodies: list[bytes], position: int) -> None:
        names = Names(
            ring.begin(), self._namespace, self._log.epoch, self._boot, self._file, position
        )
        self._until = self._log.start_of(position) + self._history
        ring.add(names_block(names))
        ring.extend(bodies)
        ring.add(bytes((READY,)))
        ring.commit()

    def _checkpoint(self) -> list[bytes]:
        """The bodies of a checkpoint between its first and its last one."""
        notes = [_note(name, value) for name, value in self._state.notes().items()]
        return [*_values(self._state.snapshot()), *notes]


# -- The bodies of blocks.


def _room(bodies: Sequence[bytes]) -> int:
    """Bytes of a checkpoint, with what stands around each block."""
    return sum(map(len, bodies)) + FRAME * len(bodies) + 1000


def _head(first: Event, kind: int, count: int) -> bytes:
    """What the events of a run share, `first` being the first of them."""
    sender: Any = first.sender
    pid = b"" if sender is None or sender.pid is None else sender.pid.encode()
    flags = first.trusted * TRUSTED + first.current * CURRENT
    return RUN.pack(kind, flags, len(pid), first.wall, first.position, count) + pid


def _alike(event: Event) -> tuple[object, ...]:
    """Events are of one run while this stays the same."""
    sender: Any = event.sender
    attached = event.position if len(event.packets) > 1 else None
    pid = None if sender is None else sender.pid
    return pid, event.trusted, event.current, attached, event.position // AT_ONCE


def _runs(events: Iterable[Event]) -> Iterator[tuple[bytes, Event]]:
    """The bodies for `events`, each with its first event."""
    for _, run in groupby(events, _alike):
        alike = list(run)
        first = alike[0]
        if len(first.packets) == 1:
            texts = [event.packets[0].data for event in alike]
            yield _head(first, EVENTS, len(texts)) + SEPARATOR.join(texts), first
        else:
            packets = [SIZE.pack(len(packet.data)) + packet.data for packet in first.packets]
            yield _head(first, ATTACHED, 1) + b"".join(packets), first


def _values(events: Sequence[Event]) -> Iterator[bytes]:
    """The bodies for the events of a snapshot; each of them is one text."""
    for at in range(0, len(events), AT_ONCE):
        some = events[at : at + AT_ONCE]
        positions = struct.pack(f"<{len(some)}Q", *[event.position for event in some])
        texts = SEPARATOR.join([event.packets[0].data for event in some])
        yield bytes((SNAPSHOT,)) + SIZE.pack(len(some)) + positions + texts


def _note(name: str, value: bytes) -> bytes:
    return bytes((NOTE,)) + name.encode() + SEPARATOR + value
