"""One client's place in its namespace's log."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from gateway.relay.conflation import conflate
from gateway.relay.event import OVERHEAD, Event, Sender
from gateway.relay.member import Member
from gateway.relay.recovery import WithOffset

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from gateway.engineio.outbox import Form
    from gateway.engineio.packet import Record
    from gateway.relay.log import Log
    from gateway.relay.selection import Selection
    from gateway.relay.session_outbox import SessionOutbox
    from gateway.relay.view import View
    from gateway.socketio.socket import Socket

UNBOUNDED = 1 << 60
AT_ONCE = 64
"""Events that are taken out of the log together: a write mostly has room for few of all."""

NONE: list[Event] = []
"""Shared by all sockets that keep nothing, and never changed: most are idle."""


class Subscription(Member):
    """A cursor into the log, and the records that are for this socket alone.

    Each of those records has the log's head at its time as a stamp, and is sent when the cursor
    gets there: so a socket receives everything in the order in which it was said.  A view writes
    to the socket while it has read everything and its transport has room; else it reads alone.
    """

    __slots__ = (
        "_direct",
        "_held",
        "_passed",
        "_shown",
        "_view",
        "cursor",
        "kept",
        "log",
        "outbox",
        "socket",
    )

    def __init__(self, socket: Socket, log: Log, outbox: SessionOutbox) -> None:
        super().__init__(log.head)
        self.log = log
        self.cursor = log.head
        self._direct: list[tuple[int, Record, bool]] = []  # stamp, record, whether for it alone
        self._shown = 0  # bytes of memory of those that are not for it alone
        self.kept = NONE
        """Events from before the cursor, the newest first, which the log's bounds do not count."""
        self._held = 0  # bytes of memory of those
        self._passed: dict[Hashable, float] | None = None
        """By key, since when something of it waits."""
        self._view: View | None = None
        self.socket = socket
        self.outbox = outbox
        log.apart.add(self)
        outbox.add(self)

    def read_from(self, position: int, since: int) -> None:
        """Read on from `position`, after those that have no offset from `since` on.

        Records for this socket alone come first.
        """
        missed = self.log.between(since, position)
        self.kept = [each for each in reversed(missed) if not each.epoch and self._wants(each)]
        self._held = _memory(self.kept)
        self.cursor = position
        self._direct = [(since, record, own) for _, record, own in self._direct]

    def send(self, record: Record, *, urgent: bool = False) -> None:
        """Send `record` to this socket after everything that the log holds now."""
        del urgent  # only pings jump, and they are the session's
        self.outbox.unread.add(record)
        self._direct.append((self.log.head, record, True))
        self.outbox.step_aside()

    def inherit(self, records: list[Record]) -> None:
        """Send `records` of a subscription before this one, which counted them."""
        head = self.log.head
        self._direct += [(head, record, True) for record in records]
        self.outbox.step_aside()

    def show(self, records: list[Record]) -> None:
        """Send `records`, at least one, of a snapshot.

        Many clients share them, so they don't count as this client's.
        """
        head = self.log.head
        self._direct += [(head, record, False) for record in records]
        self._shown += _memory(records)
        self.shown_at = head
        self.outbox.step_aside()

    def select(self, selection: Selection) -> None:
        """Use `selection` for events to come; the filter before it still holds for earlier ones."""
        self.leave()
        self._keep_before(self.log.head)
        self._choose(selection, self.log.head)
        self.outbox.step_aside()

    def close(self) -> None:
        """The socket has left: send it what is for it alone, and no more events."""
        self.leave()
        self.log.apart.discard(self)
        self.outbox.remove(self)
        self.kept, self._held = NONE, 0
        direct, self._direct, self._shown = self._direct, [], 0
        if own := [record for _, record, own in direct if own]:
            self.outbox.inherit(own)

    # -- for the outbox and the view --------------------------------------------------

    def form(self, form: Form) -> Form:
        """The form for this socket: `form`, with offsets if it can be recovered."""
        return form if self.pid is None else WithOffset(form)

    def settle(self, form: Form) -> bool:
        """Join the view, since everything is read; False: the cursor is not where the view is."""
        if self._view is None:
            form = form if self.pid is None else WithOffset(form)
            view = self.log.views.of(form, self.selection)
            if not view.join(self):
                return False
            self._view = view
            self._passed = None
            self.log.apart.discard(self)
        return True

    def leave(self) -> None:
        """Leave the view, and read alone from where it is."""
        if self._view is not None:
            self.cursor = self._view.leave(self)
            self._view = None
            self.log.apart.add(self)

    @property
    def lag(self) -> int:
        """Bytes of memory that wait for this socket, up to the last flush."""
        return (
            (self.log.behind(self.cursor) if self._view is None else 0)
            + self._held
            + self._shown
            + self.outbox.unread.bytes
        )

    def keep(self) -> None:
        """Keep what waits here, so that the log may forget it."""
        self._keep_before(self.log.flushed)

    def _keep_before(self, end: int) -> None:
        waiting = [event for event in self.log.between(self.cursor, end) if self._wants(event)]
        self.kept = waiting[::-1] + self.kept
        self._held += _memory(waiting)
        self.cursor = max(self.cursor, end)

    def conflate(self, patience: float = inf) -> int:
        """Skip every waiting event that a newer one of its key replaces; the number of them.

        What is left stays in order.  A key of which nothing was sent for `patience` seconds
        keeps an older event, too.
        """
        self.log.mark_outdated()
        passing = self.log.between(self.cursor, self.log.flushed)
        others = [event for event in passing if event.sender is not self]
        newest = [event for event in others if not event.outdated or event.outdated_by is self]
        skipped = len(others) - len(newest)
        if self.selection is not None:
            wants = self.selection.wants
            skipped = sum(map(wants, others)) - sum(map(wants, newest))
        self.cursor = max(self.cursor, self.log.flushed)
        waiting = [event for event in reversed(newest) if self._wants(event)] + self.kept
        if self._passed is None:
            self._passed = {}
        self.kept = conflate(waiting, self._passed, patience)
        self._held = _memory(self.kept)
        return skipped + len(waiting) - len(self.kept)

    @property
    def waits(self) -> bool:
        """Whether anything waits for this socket; an event for others may count, too."""
        return bool(self._direct or self.kept) or self.cursor < self.log.flushed

    @property
    def waits_since(self) -> float | None:
        """When the oldest event that waits for this socket came (since 1970); None: none."""
        event = self._peek(len(self._direct))
        return event.wall if isinstance(event, Event) else None

    @property
    def is_catching_up(self) -> bool:
        """Whether it still has to read what it missed before it came back."""
        return self._due < self.joined

    @property
    def undroppable(self) -> int:
        """Bytes of memory that wait for this socket and that conflation can't skip."""
        return self.lag - _memory([event for event in self.kept if event.key is not None])

    def take(self, form: Form) -> list[Record]:
        """The next records, as many as one write of `form` may hold; moves the cursor."""
        batch: list[Record] = []
        direct = 0
        room, packets = form.max_bytes, form.max_packets or UNBOUNDED
        while (record := self._peek(direct)) is not None:
            if direct == len(self._direct) and not (self.kept or self._passed):
                self._read(batch, room, packets)
                break
            room -= record.size
            packets -= len(record.packets)
            if batch and (room < 0 or packets < 0):
                break
            batch.append(record)
            if direct < len(self._direct) and self._direct[direct][1] is record:
                direct += 1
            elif self.kept:
                self.kept.pop()
                self._held -= record.size + OVERHEAD
            else:
                self.cursor += 1
            if self._passed and isinstance(record, Event):
                self._passed.pop(record.key, None)
        if direct:
            taken, self._direct = self._direct[:direct], self._direct[direct:]
            self.outbox.unread.remove([record for _, record, own in taken if own])
            self._shown -= _memory([record for _, record, own in taken if not own])
        return batch

    def _read(self, batch: list[Record], room: int, packets: int) -> None:
        """`take` into `batch` where only the log has more: what a client missed may be much."""
        position, end = self.cursor, self.log.flushed
        while position < end:
            for event in self.log.between(position, min(position + AT_ONCE, end)):
                if self._wants(event):
                    room -= event.size
                    packets -= len(event.packets)
                    if batch and (room < 0 or packets < 0):
                        self.cursor = position
                        return
                    batch.append(event)
                position += 1
        self.cursor = position

    def fetches(self, head: int) -> bool:
        """Whether it polls and has not fetched all events before the position `head`."""
        form = self.outbox.form
        polled = form is not None and form.polled
        return polled and self.waits_since is not None and self._due < head

    @property
    def _due(self) -> int:
        """The position of the next event."""
        return self.kept[-1].position if self.kept else self.cursor

    def _peek(self, direct: int) -> Record | None:
        """The next record, if `direct` of its own are taken; skips events for others."""
        log, cursor, flushed = self.log, self.cursor, self.log.flushed
        if not self.kept:
            while cursor < flushed:
                event = log.at(cursor)
                if event.sender is not self and self._wants(event):
                    break
                cursor += 1
            self.cursor = cursor
        if direct < len(self._direct) and self._direct[direct][0] <= self._due:
            return self._direct[direct][1]
        if self.kept:
            return self.kept[-1]
        return log.at(cursor) if cursor < flushed else None

    def _wants(self, event: Event) -> bool:
        """Whether `event` is for this socket; a question is only for those that were there."""
        return (
            not self._is_me(event.sender)
            and (self.selection is None or self.selection.wants(event))
            and not (event.acked and event.position < self.joined)
        )

    def _is_me(self, sender: Sender | None) -> bool:
        """Whether `sender` is this client, perhaps over a connection before this one."""
        return sender is self or (
            sender is not None and sender.pid is not None and sender.pid == self.pid
        )


def _memory(records: Iterable[Record]) -> int:
    """Bytes of memory that they cost."""
    return sum([record.size + OVERHEAD for record in records])
