"""What stands in one batch of the log.

    batch   array of groups
    group   [0, sender, flags, events, question]
                                           what one client said in one read; a question alone
                                           has a number, others 0
            [1, mark]                      `Mark`
            [2, pid, value]                how a client is served that may come back
    event   [name, code, keyed, time, text, attachments...]

The text of an event is that which its sender sent, but of a question, whose acknowledgment id
each gateway makes itself, only the payload.  Of a sender only what its pid says is there, without
the signature, which lets in whoever has it.  Keys (`Keys.of`) are made again: `code` is the value
of the key field where `keyed` is true.
"""

from __future__ import annotations

from itertools import starmap
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from gateway.engineio.packet import Packet
from gateway.relay.event import Event, Sender, Subject
from gateway.relay.journal import Mark
from gateway.relay.pids import unsigned

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.relay.event import Question

    Ask = Callable[[int], Question]

VERSION: Final = b"1"
"""Batches of another version are passed over."""
EVENTS, MARK, NOTE = range(3)
TRUSTED, CURRENT, ASKS = 1, 2, 4
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode
_new = tuple.__new__  # half the cost of a named tuple's own constructor


class Note(NamedTuple):
    """How a client is served that may come back: its pid without signature, and what is noted."""

    said: str
    value: bytes


Content = list[Event] | Mark | Note


def places_of(content: Content) -> int:
    """How many places `content` takes in the log."""
    return len(content) if isinstance(content, list) else 1


def pack(content: Content, number: int = 0) -> bytes:
    """The group for `content`; `number`: that of a question."""
    if isinstance(content, Mark):
        return _encode([MARK, content.value])
    if isinstance(content, Note):
        return _encode([NOTE, *content])
    first = content[0]
    sender = first.sender
    said = "" if sender is None or sender.pid is None else unsigned(sender.pid)
    asks = first.question is not None
    flags = first.trusted * TRUSTED | first.current * CURRENT | asks * ASKS
    events = []
    for event in content:
        key, (text, *attached) = event.key, event.packets
        code = event.code if key is None else key[1]  # type: ignore[index]  # made by `Keys.of`
        more = [each.data for each in attached]
        events.append([event.name, code, key is not None, event.wall, text.data, *more])
    return _encode([EVENTS, said, flags, events, number])


def join(groups: Sequence[bytes]) -> bytes:
    """The batch of `groups`."""
    return b"\xdd" + len(groups).to_bytes(4, "big") + b"".join(groups)


class Reader:
    """Makes contents of batches; `sign(said)` is the pid that says that."""

    def __init__(self, sign: Callable[[str], str]) -> None:
        self._sign = sign
        self._senders: dict[str, Sender] = {}

    def read(self, batch: bytes, ask: Ask | None = None) -> list[Content]:
        """The contents of `batch`; `ask(number)` makes the question of an event that is one.

        Without it nobody here is asked.  Raises ValueError and others for what is no batch.
        """
        return [self._content(group, ask) for group in _decode(batch)]

    def _content(self, group: Any, ask: Ask | None) -> Content:
        kind, *fields = group
        if kind == EVENTS:
            return self._events(fields, ask)
        return Mark(*fields) if kind == MARK else Note(*fields)

    def _events(self, fields: list[Any], ask: Ask | None) -> list[Event]:
        said, flags, events, number = fields
        sender = self._sender(said) if said else None
        trusted, current = bool(flags & TRUSTED), bool(flags & CURRENT)
        question = ask(number) if ask is not None and flags & ASKS else None
        made = []
        for name, code, keyed, wall, text, *more in events:
            packets: tuple[Packet, ...] = (_new(Packet, (text, False)),)
            if more:
                packets = (*packets, *[Packet(each, binary=True) for each in more])
            subject = _new(
                Subject,
                (name, code if code.__class__ is str else None, (name, code) if keyed else None),
            )
            made.append(Event(packets, sender, subject, trusted, wall, current, question))
        for event in made if flags & ASKS else ():
            event.acked = True  # so it is for nobody who comes later
        return made

    def _sender(self, said: str) -> Sender:
        """The client with this pid; few of them send."""
        found = self._senders.get(said)
        if found is None:
            if len(self._senders) >= MOST:
                self._senders.clear()
            found = self._senders[said] = Sender(self._sign(said))
        return found


MOST: Final = 1000
"""Senders that are kept."""


# -- The snapshot, as of a place in the log.


class Checkpoint(NamedTuple):
    """The values of a snapshot, the one that was seen last at the end, and the notes of clients.

    It holds behind the entry `epoch`-`position`; `lead` is the token that counted there.
    """

    epoch: int
    position: int
    lead: int
    values: list[Event]
    notes: list[Note]


def pack_checkpoint(checkpoint: Checkpoint, place_of: Callable[[Event], int]) -> bytes:
    """The bytes of `checkpoint`; `place_of(event)` is the shared position of an event."""
    values = [
        [event.name, event.key[1], event.wall, place_of(event), event.packets[0].data]  # type: ignore[index]
        for event in checkpoint.values
    ]
    head = checkpoint.epoch, checkpoint.position, checkpoint.lead
    return _encode([int(VERSION), *head, values, checkpoint.notes])


def read_checkpoint(data: bytes) -> Checkpoint | None:
    """The checkpoint in `data`; None: it is of another version.

    The position of each event is the shared one.  Raises ValueError and others for other bytes.
    """
    version, epoch, position, lead, values, notes = _decode(data)
    if version != int(VERSION):
        return None
    events = []
    for name, code, wall, place, text in values:
        subject = Subject(name, code if code.__class__ is str else None, (name, code))
        event = Event((Packet(text),), None, subject, trusted=True, wall=wall)
        event.position = place
        events.append(event)
    return Checkpoint(epoch, position, lead, events, list(starmap(Note, notes)))
