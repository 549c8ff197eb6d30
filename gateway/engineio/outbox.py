"""What a session has to say, in order, and who takes it.

A session owns one *outbox*.  The transport of the moment (a WebSocket, or the one
pending poll) attaches itself as the outbox's *sink*; on an upgrade the sink changes
and the outbox stays, so nothing is lost or doubled.  `Queue` is the plain outbox of
the libraries; the relay brings its own, a cursor into its event log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gateway.engineio.packet import OVERHEAD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from gateway.engineio.packet import Record

WRITE_BYTES = 65536
"""A WebSocket is given at most this much in one write, one larger record excepted."""

BOUND = 1 << 20
"""Bytes of memory that may wait for one client alone, unless twice its largest record is more."""


class Form(Protocol):
    """A pure function from records to the bytes of one write."""

    key: str
    """Equal for forms that make equal writes."""
    max_packets: int = 0
    """Packets one write may hold; 0 for no bound."""
    max_bytes: int = WRITE_BYTES
    """Bytes one write may hold, one larger record excepted."""
    polled: bool = False
    """A write answers a request, so that everything else waits for the next one."""

    def encode(self, records: Sequence[Record]) -> bytes:
        """The bytes of one write."""
        ...


class Sink(Protocol):
    """A transport's writing end."""

    form: Form

    @property
    def taken(self) -> int:
        """Changes when the peer takes a part of a write that did not fit at once."""
        ...

    def write(self, data: bytes) -> bool:
        """Take one write, whole.  False: full; call `Outbox.resume` when there is room.

        An empty write changes nothing and tells whether there is room.
        """
        ...


class Sender(Protocol):
    """Where records towards one client go in."""

    def send(self, record: Record, *, urgent: bool = False) -> None:
        """Say `record` after all that was said before; `urgent` (pings) may jump."""
        ...


OVERRUN = "slow consumer"
"""Why a session ends that leaves too much unread."""


class Unread:
    """What was made for one client alone and is not written yet, in bytes of memory.

    A client decides how much that is: every question, CONNECT or ping of its own has an
    answer.  So it has a bound, beyond which its session ends.
    """

    __slots__ = ("_largest", "bytes")

    def __init__(self) -> None:
        self.bytes = 0
        self._largest = 0

    def add(self, record: Record) -> None:
        size = record.size + OVERHEAD
        self.bytes += size
        if size > BOUND // 2:  # the bound itself leaves room for two smaller ones
            self._largest = max(self._largest, size)

    def remove(self, records: Iterable[Record]) -> None:
        self.bytes -= sum([record.size + OVERHEAD for record in records])

    def is_too_much(self, largest: int = 0) -> bool:
        """Whether it is over the bound; `largest`: bytes of the largest record elsewhere."""
        return self.bytes > BOUND and self.bytes > 2 * max(self._largest, largest)


class OutboxOwner(Protocol):
    """Whose outbox it is; a session."""

    def abort(self, reason: str) -> None:
        """End it now; what was not written is lost."""
        ...


class Outbox(Sender, Protocol):
    """An ordered stream of records towards one client."""

    owner: OutboxOwner | None
    """Who ends when too much is unread; `close` forgets it."""

    def attach(self, sink: Sink) -> None:
        """Write to `sink` from now on; it is ready for its first write."""
        ...

    def detach(self) -> None:
        """Keep everything until the next `attach`."""
        ...

    def resume(self) -> None:
        """The sink is ready for its next write."""
        ...

    def close(self) -> None:
        """The session is over; forget what was not written."""
        ...


class Queue:
    """The plain outbox: first in, first out."""

    __slots__ = ("_corked", "_ready", "_records", "_sink", "_unread", "owner")

    def __init__(self) -> None:
        self._records: list[Record] = []  # an empty deque takes 760 bytes
        self._sink: Sink | None = None
        self._ready = False
        self._corked = False
        self._unread = Unread()
        self.owner: OutboxOwner | None = None

    def send(self, record: Record, *, urgent: bool = False) -> None:
        if urgent:
            self._records.insert(0, record)
        else:
            self._records.append(record)
        self._unread.add(record)
        self._pump()
        if self._unread.is_too_much() and self.owner is not None:
            self.owner.abort(OVERRUN)

    def attach(self, sink: Sink) -> None:
        self._sink = sink
        self.resume()

    def detach(self) -> None:
        self._sink = None
        self._ready = False

    def resume(self) -> None:
        self._ready = True
        self._pump()

    def close(self) -> None:
        self.detach()
        self._unread.remove(self._records)
        self._records.clear()
        self.owner = None

    def _pump(self) -> None:
        if self._corked:
            return
        self._corked = True  # a sink may call resume from within write
        try:
            while self._ready and self._records and self._sink is not None:
                batch = take(self._records, self._sink.form)
                self._unread.remove(batch)
                self._ready = False
                self._ready = self._sink.write(self._sink.form.encode(batch)) or self._ready
        finally:
            self._corked = False


def take(records: list[Record], form: Form) -> list[Record]:
    """Remove from the front as many records as one write of `form` may hold, at least one."""
    count = size = packets = 0
    for record in records:
        size += record.size
        packets += len(record.packets)
        full = size > form.max_bytes or (form.max_packets and packets > form.max_packets)
        if full and count:
            break
        count += 1
    batch = records[:count]
    del records[:count]
    return batch


# -- An orderly end: what was said before is written before.


class LastForm(Form):
    """A sink's form that sees the last record go by."""

    def __init__(self, form: Form, last: Record) -> None:
        self.key = f"{form.key}-{id(self)}"  # nobody else may be given its bytes
        self.max_packets = form.max_packets
        self.max_bytes = form.max_bytes
        self.polled = form.polled
        self.done = False
        self._form = form
        self._last = last

    def encode(self, records: Sequence[Record]) -> bytes:
        self.done = self._last in records
        return self._form.encode(records)


class LastWrites:
    """A sink until the `last` record is written; then `finished` is called."""

    def __init__(self, sink: Sink, last: Record, finished: Callable[[], None]) -> None:
        self.form: Form
        self._last_form = self.form = LastForm(sink.form, last)
        self._sink = sink
        self._finished: Callable[[], None] | None = finished

    @property
    def taken(self) -> int:
        return self._sink.taken

    def write(self, data: bytes) -> bool:
        room = self._sink.write(data)
        if self._last_form.done and self._finished is not None:
            self._finished()
        return room

    def stop(self) -> None:
        """It is over, by this or another way: call nobody any more."""
        self._finished = None
