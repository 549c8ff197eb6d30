"""One relayed event, what of it may change in the log, and which events replace which."""

from __future__ import annotations

from collections.abc import Hashable  # noqa: TC003 - a compiled NamedTuple looks at its types
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.engineio import packet
from gateway.engineio.packet import Record, size_of
from gateway.relay.aliases import NONE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.engineio.packet import Packet
    from gateway.relay.acks import Wider

OVERHEAD = packet.OVERHEAD
"""An event costs as much memory beyond its payload as any record does."""


class Sender:
    """Who sent an event.

    `pid`: the private id of a client that can come back, by which it is the same over another
    connection.
    """

    __slots__ = ("pid",)

    def __init__(self, pid: str | None = None) -> None:
        self.pid = pid


class Question:
    """Who asked, and the acknowledgment id that the sender gave.

    `wider`: what gathers the answers of several gateways; None: this one is alone.  `sender` is a
    `Subscription`, unless the question came from another gateway.
    """

    __slots__ = ("id", "sender", "wider")

    def __init__(self, sender: Sender, id: int, wider: Wider | None = None) -> None:
        self.sender = sender
        self.id = id
        self.wider = wider


class Event(Record):
    """One relayed event: a record with its sender, its place and its key.

    Its packets never change after `Log.extend`.  These do: `outdated` and `outdated_by`
    (`conflation.py`), `aliases` (`late_joiners.py`), and the encoded forms that the record keeps.
    """

    __slots__ = (
        "acked",
        "aliases",
        "code",
        "current",
        "epoch",
        "key",
        "name",
        "outdated",
        "outdated_by",
        "position",
        "question",
        "sender",
        "start",
        "trusted",
        "wall",
    )

    epoch: str
    """The name of the log that it is in, once it is in one; "": clients are told no offset."""

    def __init__(  # noqa: PLR0917 - one is made for every event: keywords cost
        self,
        packets: tuple[Packet, ...],
        sender: Sender | None,
        subject: Subject,
        trusted: bool,
        wall: float,
        current: bool = True,
        question: Question | None = None,
    ) -> None:
        # What `Record` does, without the call: this is the path of every event.
        self.packets = packets
        self.size = len(packets[0].data) if len(packets) == 1 else size_of(packets)
        self._memo = None
        self.sender = sender
        """The client that does not receive it; None: the gateway itself sent it."""
        self.name, self.code, self.key = subject
        self.aliases: frozenset[str] = NONE
        """Other codes that name the same thing as `code`."""
        self.question = question
        """Who waits for an answer; None: nobody."""
        self.acked = question is not None
        """Whether its text has an acknowledgment id."""
        self.trusted = trusted
        """Whether the worker or the gateway sent it; without a worker, anybody who may publish."""
        self.current = current
        """False: its worker had ended when it came; always True for other senders."""
        self.wall = wall
        """When it came, in seconds since 1970."""
        self.outdated = False
        """Whether a newer event of its key replaces it, see `conflation.py`."""
        self.outdated_by: Sender | None = None
        """Who sent the newer one: for this client, which does not get it, nothing is replaced."""
        self.position = self.start = -1
        """Its place in the log, in events and in bytes."""

    def become(self, *packets: Packet) -> None:
        """Replace its packets; only before it is in a log."""
        super().__init__(*packets)


# -- What an event is about.  `Keys.of` alone decides which events replace which.

_CODES = (str, int, float, type(None))
"""Types of codes that make a key; an event whose code has another type is never replaced."""


class Subject(NamedTuple):
    """What an event is about."""

    name: str | float
    code: str | None
    """The key field of its first argument, where that is an object with such a text."""
    key: Hashable | None
    """Of two events with equal keys the newer replaces the older; None: it has no key."""


_new = tuple.__new__  # half the cost of a named tuple's own constructor


class Keys:
    """Reads an event's subject.

    Only events whose name is one of `names`, with exactly one argument, an object, have a
    key: the name, and the text or number in `field` if there is one.
    """

    __slots__ = ("field", "names")

    def __init__(self, names: frozenset[str] = NONE, field: str = "code") -> None:
        self.names = names
        self.field = field

    def of(self, value: Sequence[object]) -> Subject:
        """The subject of the event `[name, ...arguments]`."""
        name: str | float = value[0]  # type: ignore[assignment]  # socketio checked it
        count = len(value)
        argument: Any = value[1] if count > 1 else None
        is_object = isinstance(argument, dict)
        if not is_object:
            return _new(Subject, (name, None, None))
        code = argument.get(self.field)  # also of an object that was only skimmed
        keyed = count == 2 and name in self.names and code.__class__ in _CODES
        key = (name, code) if keyed else None
        return _new(Subject, (name, code if code.__class__ is str else None, key))
