"""What the events of a memory are about: read from their texts, many at a time.

    all of a block, and only names and codes -> all of it -> one text after the other

Each way takes what the one before it does not, and costs some times as much.
"""

from __future__ import annotations

from contextlib import suppress
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

import msgspec
import orjson
from msgspec import UNSET

from gateway.engineio.packet import Packet
from gateway.relay.event import Subject
from gateway.relay.memory import SEPARATOR
from gateway.relay.ring import UnusableError
from gateway.socketio.packet import PacketType, decode, header

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.relay.event import Keys
    from gateway.relay.past import About

SHALLOW: Final = 1000
"""Bytes of a text that is read whole: it costs little, whatever is in it."""
EVENT_TYPES: Final = frozenset((PacketType.EVENT, PacketType.BINARY_EVENT))
_fields_of = attrgetter("name", "about", "more")


class Subjects:
    """Reads what events of `namespace` are about, by `keys`.

    An event with one of the fields `marks` that is true may not be there.
    """

    def __init__(self, namespace: str, keys: Keys, marks: Sequence[str]) -> None:
        self._namespace = namespace
        self._keys = keys
        self._marks = marks
        self._quoted = [f'"{mark}"'.encode() for mark in marks]
        self._head = header(PacketType.EVENT, namespace) + b"["
        """With this every plain event begins."""
        self._known: dict[tuple[str, str], About] = {}
        code = [("code", Any, None)]
        about = msgspec.defstruct("About", code, rename={"code": keys.field}, gc=False)
        fields: list[Any] = [("name", Any), ("about", about), ("more", Any, UNSET)]
        plain: Any = msgspec.defstruct("Plain", fields, array_like=True, gc=False)
        self._decode = msgspec.json.Decoder(list[plain]).decode

    def together(self, texts: bytes, count: int) -> list[About] | None:
        """What each of these `count` texts is about; None: they have to be read otherwise."""
        whole = self._whole(texts, count)
        return None if whole is None or self._looks_marked(texts) else self._read(whole, count)

    def of(self, texts: bytes, count: int) -> Sequence[About]:
        """What each of these `count` texts is about; they have `SEPARATOR` between them.

        Raises ValueError, and UnusableError for an event with a mark.
        """
        found = self.together(texts, count)
        if found is not None:
            return found
        whole = self._whole(texts, count)
        values = None if whole is None else _values(whole, count)
        if values is None:
            return [self._one(text) for text in texts.split(SEPARATOR)]
        if self._looks_marked(texts):
            for value in values:
                self._refuse_marked(value)
        return [(self._keys.of(value), False) for value in values]

    def _looks_marked(self, texts: bytes) -> bool:
        return any(mark in texts for mark in self._quoted)

    def _whole(self, texts: bytes, count: int) -> bytes | None:
        """The JSON array of `count` texts that can be read together, which costs a quarter.

        None: they have to be read one by one, since one is large, or has more in its head.
        """
        next_one = SEPARATOR + self._head
        if (
            len(texts) < SHALLOW * count
            and texts.startswith(self._head)
            and texts.count(next_one) == texts.count(SEPARATOR) == count - 1
        ):
            return b"[%b]" % texts[len(self._head) - 1 :].replace(next_one, b",[")
        return None

    def _read(self, whole: bytes, count: int) -> list[About] | None:
        """What `count` events are about that have an object each; None: one is otherwise.

        Nothing else of the objects is made.  Of many events few are about different things.
        """
        try:
            told = self._decode(whole)
        except ValueError:
            return None
        if len(told) != count:
            return None
        known, found = self._known, []
        for name, about, more in map(_fields_of, told):
            if name.__class__ is not str or about.code.__class__ is not str or more is not UNSET:
                return None
            each = known.get((name, about.code))
            if each is None:
                subject = self._keys.of([name, {self._keys.field: about.code}])
                each = known[name, about.code] = subject, False
            found.append(each)
        return found

    def _one(self, text: bytes) -> About:
        """What an event is about."""
        packet = decode(Packet(text))
        if packet.type not in EVENT_TYPES or packet.namespace != self._namespace:
            raise ValueError("a text is no event")
        self._refuse_marked(packet.brief)
        subject = self._keys.of(packet.brief)
        asks = packet.id is not None
        if asks or packet.expected > 0:
            subject = Subject(subject.name, subject.code, None)
        return subject, asks

    def _refuse_marked(self, value: Sequence[object]) -> None:
        """Raise UnusableError if `value` has a mark."""
        objects = [each for each in value if isinstance(each, dict)]
        if any(each.get(mark) is True for each in objects for mark in self._marks):
            raise UnusableError("it has events that are not the market's own")


def _values(whole: bytes, count: int) -> list[list[Any]] | None:
    """The values in `whole`; None: they can't be read together."""
    with suppress(orjson.JSONDecodeError):  # half a surrogate pair, which others take
        values: list[list[Any]] = orjson.loads(whole)
        if len(values) == count and all(values):
            return values
    return None
