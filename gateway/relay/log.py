"""The events of one namespace, in order, bounded in bytes and number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.common.attempt import Attempts
from gateway.relay.conflation import Outdated
from gateway.relay.event import OVERHEAD
from gateway.relay.journal import Offset
from gateway.relay.view import Traffic
from gateway.relay.views import Views

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.relay.event import Event
    from gateway.relay.journal import Tap
    from gateway.relay.past import Past
    from gateway.relay.subscription import Subscription


class Log:
    """Events by absolute position, bounded in bytes and records.

    `tail <= flushed <= head`: events before `tail` are forgotten, events from `flushed`
    on came in this reactor turn and reach nobody before its end.  `epoch` is its name.
    """

    def __init__(self, epoch: str, *, max_bytes: int, max_records: int) -> None:
        self.epoch = epoch
        self.head = self.flushed = self.tail = 0
        self.retain = False
        """Keep what everybody has read, within the bounds, for clients that may come back."""
        self.apart: set[Subscription] = set()
        """The subscriptions that no view serves: each reads from its own cursor."""
        self.traffic = Traffic()
        self.views = Views(self.traffic)
        """Those who have read everything, and are written to together."""
        self.taps: list[Tap] = []
        """Callables that get each turn's events before the clients do."""
        self.speakers: dict[Subscription | None, None] = {}
        """Who said this turn's events; None: somebody who is no client here, or who hears them."""
        self.told_before: set[int] = set()
        """Positions of this turn's events that taps and listeners were told at another place."""
        self._attempts = Attempts()
        self.max_bytes = max_bytes
        self._max_records = max_records
        self._events: list[Event] = []
        self._bytes = 0
        self._largest = 0
        self._outdated = Outdated()
        self._marked = 0
        self._restored = self._restored_bytes = 0
        """Events that this process did not relay, and their bytes."""
        self._past: Past | None = None
        """What a process before this one left, as far as nobody has asked for it."""

    def restore(self, epoch: str, past: Past | None, head: int) -> None:
        """Go on as the log `epoch`, whose next event gets the position `head`.

        `past` has those before it; None: nobody may ask for them.  Nothing may have been appended
        yet.
        """
        self.epoch = epoch
        self.head = self.flushed = self.tail = self._restored = self.views.level = head
        self._bytes, self._restored_bytes = head * OVERHEAD, 0
        self._events = []
        self.told_before.clear()
        self._outdated, self._marked = Outdated(), head
        self._past = past or None
        if past is not None:
            past.place(epoch, self._bytes)

    def recall(self, position: int = 0) -> None:
        """Have the events of a process before this one here, from `position` on."""
        past = self._past
        if past is None or position >= self.tail:
            return
        events = past.take(position)
        self._events[:0] = events
        self.tail -= len(events)
        self._largest = max([self._largest, *[event.size + OVERHEAD for event in events]])
        self._outdated, self._marked = Outdated(), 0  # older ones than those that were marked
        if not past:
            self._past = None

    @property
    def count(self) -> int:
        """Events since the start of this process."""
        return self.head - self._restored

    @property
    def largest(self) -> int:
        """Bytes of the largest event so far."""
        return self._largest

    @property
    def payload_bytes(self) -> int:
        """Bytes of all events since the start of this process."""
        return self._bytes - self.head * OVERHEAD - self._restored_bytes

    def extend(self, events: Sequence[Event]) -> None:
        """Take `events` as the newest, in their order; `flush` sends them."""
        epoch, position, start, largest = self.epoch, self.head, self._bytes, self._largest
        for event in events:
            event.epoch = epoch
            event.position = position
            event.start = start
            position += 1
            size = event.size + OVERHEAD
            start += size
            if size > largest:  # noqa: PLR1730 - a call for each event costs
                largest = size
        self.head, self._bytes, self._largest = position, start, largest
        self._events += events

    def catch_up(self, events: Sequence[Event]) -> None:
        """Take `events` that were said before this process came to the log: no tap gets them.

        No client may be here yet.
        """
        self.extend(events)
        self.flushed = self._restored = self.views.level = self.head
        self._restored_bytes = self._bytes - self.head * OVERHEAD

    def has(self, position: int) -> bool:
        """Whether nothing from `position` on is forgotten.

        What is past of that is here then.
        """
        if self._past is not None and self._past.position <= position:
            self.recall(position)
        return self.tail <= position <= self.head

    def offset(self, position: int) -> Offset:
        """The offset of `position`."""
        return Offset(self.epoch, position)

    def position(self, offset: Offset) -> int | None:
        """Where `offset` is in this log; None: it is of another one."""
        return offset.position if offset.epoch == self.epoch else None

    def since(self, offset: Offset, position: int) -> int:
        """Nowhere: an event has its place before anybody gets it."""
        return position

    def awaits(self, offset: Offset) -> bool:
        """Never: all of it is here."""
        return False

    def at(self, position: int) -> Event:
        """The event at `position`; `tail <= position < head`."""
        return self._events[position - self.tail]

    def start_of(self, position: int) -> int:
        """Bytes before `position`, or before the first event that is known, as `Event.start`."""
        if position >= self.head:
            return self._bytes
        if position < self.tail and self._past is not None:
            return self._past.start
        return self.at(max(position, self.tail)).start

    def between(self, position: int, end: int) -> list[Event]:
        """The events from `position` on, before `end`."""
        return self._events[position - self.tail : end - self.tail]

    def behind(self, position: int) -> int:
        """Bytes between `position` and the last flush."""
        if position >= self.flushed:
            return 0
        end = self._bytes if self.flushed == self.head else self.at(self.flushed).start
        return end - self.at(position).start

    def mark_outdated(self) -> None:
        """Mark the events that newer ones of their keys replace."""
        events = self.between(max(self._marked, self.tail), self.head)
        self._outdated.mark(events, self.tail, self.head)
        self._marked = self.head

    def flush(self) -> None:
        """Send the turn's events to every view."""
        start, self.flushed = self.flushed, self.head
        if start == self.head:
            return
        speakers, self.speakers = self.speakers, {}
        speaker = next(iter(speakers)) if len(speakers) == 1 else None
        events = news = self.between(start, self.head)
        if self.told_before:
            news = [event for event in events if event.position not in self.told_before]
            self.told_before.clear()
        for tap in self.taps if news else ():
            try:  # here, since a call for each turn costs more than a tap
                tap(news)
            except Exception:
                self._attempts.failed("A tap of the event log")
        self.views.flush(events, self.head, speaker)

    def surplus(self) -> int:
        """The position to which the tail has to move to keep the bounds; `tail`: it may stay."""
        position = max(self.tail, min(self.head - self._max_records, self.flushed))
        while position < self.flushed and self._bytes - self.at(position).start > self.max_bytes:
            position += 1
        return position

    def trim(self) -> None:
        """Forget what is over the bounds, and what nobody will read again.

        Nothing after the cursor of a subscription is forgotten, so those that are before
        `surplus()` must be moved on first.
        """
        floor = self.surplus() if self.retain else self.flushed
        if self.apart:
            floor = min([floor, *[each.cursor for each in self.apart]])
        if self._past is not None:
            self._forget(self._past, floor)
        del self._events[: floor - self.tail]
        self.tail = floor

    def _forget(self, past: Past, floor: int) -> None:
        """Forget of `past` what is over the bounds; all of it when it does not reach `floor`."""
        oldest, start = self.head - self._max_records, self._bytes - self.max_bytes
        if not self.retain or floor > self.tail or not past.forget(oldest, start):
            self._past = None
