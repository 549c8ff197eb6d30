"""What a session has to send, in order, and the sink that takes it.

A session owns one *outbox*.  Its transport (a WebSocket, or the one pending poll) attaches
itself as the outbox's *sink*.  On an upgrade the sink changes and the outbox stays, so nothing
is lost or sent twice.  `Queue` is the outbox of the libraries; the relay has its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gateway.engineio.packet import OVERHEAD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from gateway.engineio.packet import Record

WRITE_BYTES = 65536
"""Bytes of one write to a WebSocket; a single larger record is written whole."""

AT_ONCE_BYTES = 16384
"""Bytes of the longest write that `Sink.at_once` is given: each client that does not take it whole
gets a copy of the rest."""

BOUND = 1 << 20
"""Bytes of memory that may wait for one client alone, unless twice its largest record is more."""


class Form(Protocol):
    """A pure function from records to the bytes of one write."""

    key: str
    """Equal for forms whose writes are equal."""
    max_packets: int = 0
    """Packets of one write; 0: any number."""
    max_bytes: int = WRITE_BYTES
    """Bytes of one write; a single larger record is written whole."""
    polled: bool = False
    """Whether a write answers a request, so that the next write waits for another one."""

    def encode(self, records: Sequence[Record]) -> bytes:
        """The bytes of one write."""
        ...


class Sink(Protocol):
    """A transport's writing end."""

    form: Form

    @property
    def taken(self) -> int:
        """A value that changes when the peer takes a part of a write that did not fit at once."""
        ...

    @property
    def at_once(self) -> Callable[[bytes], int] | None:
        """Sends what fits at once and returns how many bytes that were; the caller keeps the rest.

        What it did not take goes to `write`, and so does all where it raises `OSError`; anything
        else that it raises costs the client.  Nobody joins, leaves or ends because of it, or of a
        `write` after it.  It may be used for as long as `write` says that there is room.  None:
        there is only `write`.
        """
        ...

    def write(self, data: bytes) -> bool:
        """Take one write, whole.  False: full; call `Outbox.resume` when there is room.

        An empty write changes nothing and tells whether there is room.
        """
        ...


class Sender(Protocol):
    """Where records towards one client go in."""

    def send(self, record: Record, *, urgent: bool = False) -> None:
        """Send `record` after all that was sent before; `urgent` (pings): before it."""
        ...


OVERRUN = "slow consumer"
"""The reason for which a session is ended that leaves too much unread."""


class Unread:
    """Counts the bytes of memory of what is for one client alone and not written yet.

    A client decides how much that is: each of its questions, CONNECTs and pings has an answer.
    So there is a bound, beyond which its session is ended.
    """

    __slots__ = ("_largest", "bytes")

    def __init__(self) -> None:
        self.bytes = 0
        self._largest = 0

    def add(self, record: Record) -> None:
        """Count `record`, which waits now."""
        size = record.size + OVERHEAD
        self.bytes += size
        if size > BOUND // 2:  # the bound itself leaves room for two smaller ones
            self._largest = max(self._largest, size)

    def remove(self, records: Iterable[Record]) -> None:
        """Count `records` no longer."""
        self.bytes -= sum([record.size + OVERHEAD for record in records])

    def is_too_much(self, largest: int = 0) -> bool:
        """Whether it is over the bound; `largest`: bytes of the largest record elsewhere."""
        return self.bytes > BOUND and self.bytes > 2 * max(self._largest, largest)


class OutboxOwner(Protocol):
    """The session of an outbox."""

    def abort(self, reason: str) -> None:
        """End it now; what was not written is lost."""
        ...


class Outbox(Sender, Protocol):
    """An ordered stream of records towards one client."""

    owner: OutboxOwner | None
    """The session to end when too much is unread; `close` forgets it."""

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


# -- An orderly end: the close packet is written after all that was sent before.


class LastForm(Form):
    """A sink's form that notices when the last record is encoded."""

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

    @property
    def at_once(self) -> None:
        """None: it looks at each write."""

    def write(self, data: bytes) -> bool:
        room = self._sink.write(data)
        if self._last_form.done and self._finished is not None:
            self._finished()
        return room

    def stop(self) -> None:
        """The session has ended: don't call `finished`."""
        self._finished = None
