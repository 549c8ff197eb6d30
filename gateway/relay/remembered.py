"""What a memory says, as events: read once, at the start.

The events become those that they were, except that a sender of the past is known by its pid
alone (`FormerSender`), and that all events of one run came at the same time.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, cast

import attrs

from gateway.engineio.packet import Packet
from gateway.relay.event import Event, Subject
from gateway.relay.memory import CURRENT, RUN, SEPARATOR, SIZE, TRUSTED
from gateway.relay.ring import ATTACHED, EVENTS, NOTE, SNAPSHOT, UnusableError, read
from gateway.socketio.packet import PacketType, decode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gateway.relay.event import Keys
    from gateway.relay.ring import Block
    from gateway.relay.subscription import Subscription


EVENT_TYPES = frozenset((PacketType.EVENT, PacketType.BINARY_EVENT))


class FormerSender:
    """Who sent an event over a connection of a gateway before this one."""

    __slots__ = ("pid",)

    def __init__(self, pid: str) -> None:
        self.pid: str | None = pid


@attrs.frozen
class Remembered:
    """What one namespace knew: `events` are all from `start` on, `head` is where they end.

    `values` are those of the snapshot, the oldest first; some may be among `events`, too.
    `notes` are texts by their names.  `since` is from where on the notes of the checkpoint do
    not know the events.  `alive`: the last sign of life, in seconds since 1970.
    """

    epoch: str
    start: int
    head: int
    events: list[Event]
    values: list[Event]
    notes: dict[str, bytes]
    since: int
    alive: float


def remember(
    data: bytes,
    *,
    namespace: str,
    boot: str,
    file: int,
    keys: Keys,
    is_foreign: Callable[[dict[str, Any]], bool],
    now: float,
) -> Remembered:
    """What the memory `data` says; `boot` and `file` as for `ring.read`.

    `is_foreign(argument)`: whether an event with it may not outlive the process; then nothing
    does.  `now`, in seconds since 1970: nothing came later.  Raises `UnusableError`.
    """
    contents = read(data, namespace=namespace, boot=boot, file=file)
    newest, before = contents.newest, contents.before
    make = _Maker(namespace, keys, is_foreign, now)
    try:
        values = list(make.values(newest.blocks))
        events = list(make.events(newest.blocks))
        head = _end(events, newest.names.position)
        start = newest.names.position
        if before is not None and before.names.epoch == newest.names.epoch:
            earlier = list(make.events(before.blocks))
            if earlier and _end(earlier, before.names.position) == start:
                events, start = earlier + events, before.names.position
    except UnusableError:
        raise
    except (ValueError, struct.error, IndexError) as error:
        raise UnusableError(f"it makes no sense ({error})") from None
    names = newest.names
    notes = dict(_notes(newest.blocks))
    alive = min(contents.alive, now)
    return Remembered(names.epoch, start, head, events, values, notes, names.position, alive)


def _end(events: list[Event], start: int) -> int:
    """The position after `events`, which have to follow one another from `start` on."""
    for position, event in enumerate(events, start):
        if event.position != position:
            raise ValueError("events are missing")
    return start + len(events)


def _notes(blocks: Iterable[Block]) -> Iterator[tuple[str, bytes]]:
    for block in blocks:
        if block.kind == NOTE:
            name, _, value = bytes(block.body).partition(SEPARATOR)
            yield name.decode(), value


class _Maker:
    """Makes events of blocks.  Its methods raise ValueError and alike for what makes no sense."""

    def __init__(
        self, namespace: str, keys: Keys, is_foreign: Callable[[dict[str, Any]], bool], now: float
    ) -> None:
        self._namespace = namespace
        self._keys = keys
        self._is_foreign = is_foreign
        self._now = now

    def events(self, blocks: Iterable[Block]) -> Iterator[Event]:
        """The events of the log."""
        for kind, body in blocks:
            if kind not in (EVENTS, ATTACHED):
                continue
            _, flags, named, wall, position, count = RUN.unpack_from(bytes((kind,)) + body)
            texts = bytes(body[RUN.size - 1 :])
            pid, texts = texts[:named].decode(), texts[named:]
            sender = cast("Subscription | None", FormerSender(pid) if pid else None)
            trusted, current = bool(flags & TRUSTED), bool(flags & CURRENT)
            wall = min(wall, self._now)
            records = [_packets(texts)] if kind == ATTACHED else _alone(texts)
            if len(records) != count:
                raise ValueError("a run has another length")
            for packets in records:
                subject, asks = self._subject(packets)
                event = Event(packets, sender, subject, trusted, wall, current)
                event.acked = asks
                event.position = position
                position += 1
                yield event

    def values(self, blocks: Iterable[Block]) -> Iterator[Event]:
        """The values of the snapshot."""
        for kind, body in blocks:
            if kind != SNAPSHOT:
                continue
            (count,) = SIZE.unpack_from(body)
            positions = struct.unpack_from(f"<{count}Q", body, SIZE.size)
            records = _alone(bytes(body[SIZE.size + 8 * count :]))
            for position, packets in zip(positions, records, strict=True):
                subject, _ = self._subject(packets)
                event = Event(packets, None, subject, trusted=True, wall=self._now)
                event.position = position
                yield event

    def _subject(self, packets: tuple[Packet, ...]) -> tuple[Subject, bool]:
        """What an event is about, and whether somebody waited for an answer."""
        packet = decode(packets[0])
        value = packet.brief
        if packet.type not in EVENT_TYPES or packet.namespace != self._namespace:
            raise ValueError("a text is no event")
        if any(argument.__class__ is dict and self._is_foreign(argument) for argument in value):
            raise UnusableError("it has events that are not the market's own")
        subject = self._keys.of(value)
        asks = packet.id is not None
        if asks or packet.expected:
            subject = Subject(subject.name, subject.code, None)
        return subject, asks


def _alone(texts: bytes) -> list[tuple[Packet, ...]]:
    return [(Packet(text),) for text in texts.split(SEPARATOR)]


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
