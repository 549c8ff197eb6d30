"""Subscriptions that have read everything and want the same bytes: they share writes."""

from __future__ import annotations

from operator import length_hint
from typing import TYPE_CHECKING

import attrs

from gateway.relay.event import Event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gateway.engineio.outbox import Form
    from gateway.engineio.packet import Record
    from gateway.relay.selection import Selection
    from gateway.relay.subscription import Subscription
    from gateway.relay.views import Views

LEVEL = -1
"""Stands for the position of all views that have nothing left to write."""


class View:
    """Encodes a turn's events once and writes the same bytes to all its members.

    Members may come and go within a write: an answer to a poll can bring the next request,
    or end a session.
    """

    __slots__ = (
        "_before", "_form", "_left", "_members", "_position", "_rest", "_round", "_selection",
        "_traffic", "_views", "key",
    )  # fmt: skip

    def __init__(
        self, form: Form, selection: Selection | None, views: Views, traffic: Traffic
    ) -> None:
        self.key = selection, form.key
        self._form = form
        self._selection = selection
        self._views = views
        self._traffic = traffic
        self._members: dict[Subscription, Callable[[bytes], bool]] = {}
        self._position = LEVEL
        """Where the members are in the log, until the turn's events are written to them.

        In a round, where it brings them from `_before`.
        """
        self._before = LEVEL
        self._round: list[tuple[Subscription, Callable[[bytes], bool]]] = []
        self._rest: Iterator[tuple[Subscription, Callable[[bytes], bool]]] = iter(())
        """The members of the round that were not written to yet."""
        self._left: dict[Subscription, int] = {}
        """Members that left within the round, and how often their sinks had resumed then."""

    @property
    def position(self) -> int:
        """Where the members are in the log."""
        return self._views.level if self._position == LEVEL else self._position

    def join(self, member: Subscription, write: Callable[[bytes], bool]) -> bool:
        """Add `member`, which is written to by `write`; False: its cursor is elsewhere."""
        if self._round or member.cursor != self.position:
            return False
        if not self._members:
            self._views.occupied(self)
        self._members[member] = write
        return True

    def leave(self, member: Subscription) -> int:
        """Remove `member`; the position up to which it was written to."""
        del self._members[member]
        if not self._members:
            self._views.vacated(self)
        if self._round:
            self._left[member] = member.outbox.resumed
        for index in range(len(self._round) - length_hint(self._rest), len(self._round)):
            if self._round[index][0] is member:
                del self._round[index]  # not reached by the round yet, which goes on by index
                return self._before
        return self.position

    def wait(self, position: int) -> None:
        """Stay at `position` until `flush` is called for the events from there on."""
        self._position = position

    def flush(self, events: list[Event]) -> None:
        """Write `events` to all members; one whose transport is full leaves, and reads alone.

        If the events can't be encoded, all members are disconnected: they come back, and see
        that they missed something.
        """
        try:
            if self._members:
                self._flush(events)
        except Exception:
            self._round, self._rest = [], iter(())
            for member in list(self._members):
                member.outbox.drop()
        self._position = LEVEL

    def _flush(self, events: list[Event]) -> None:
        wants = self._selection.wants if self._selection is not None else None
        if wants is not None:
            events = [event for event in events if wants(event)]
        start = 0
        for end in self._ends(events):
            if not self._members:
                break
            batch = events[start:end]
            data = (
                self._form.encode(batch) if wants is None else self._views.encode(self._form, batch)
            )
            self._write(data, events[end].position if end < len(events) else batch[-1].position + 1)
            self._traffic.shared(end - start, len(data), len(self._round))
            self._round = []
            start = end

    def _write(self, data: bytes, position: int) -> None:
        """One round: `data` brings the members to `position`."""
        self._before, self._position = self._position, position
        self._round = list(self._members.items())
        self._rest = iter(self._round)
        full: list[Subscription] = []
        while True:
            try:
                for member, write in self._rest:
                    if not write(data):
                        full.append(member)
                break
            except Exception:
                member.outbox.drop()
        for member in full:
            if member in self._members or self._left.get(member) == member.outbox.resumed:
                member.outbox.on_full()
        if self._left:
            self._left.clear()

    def _ends(self, events: list[Event]) -> list[int]:
        """The indexes at which the writes end."""
        if len(events) < 2:
            return [1] if events else []
        form, start, size, packets, ends = self._form, 0, 0, 0, []
        for index, event in enumerate(events):
            size += event.size
            packets += len(event.packets)
            over = size > form.max_bytes or (form.max_packets and packets > form.max_packets)
            if over and index > start:
                ends.append(index)
                start, size, packets = index, event.size, len(event.packets)
        ends.append(len(events))
        return ends


# -- How much was written.


@attrs.define
class Traffic:
    """What the transports of one namespace's clients were given since the start."""

    deliveries: int = 0
    """Events, each as often as there were clients that it was written to."""
    bytes: int = 0
    """With the frames or separators of the transport, without HTTP and TLS."""

    def shared(self, events: int, size: int, clients: int) -> None:
        """One write of `events` and `size` bytes was made to each of `clients`."""
        self.deliveries += events * clients
        self.bytes += size * clients

    def alone(self, records: Sequence[Record], size: int) -> None:
        """One client was written `records`, some of them perhaps for it alone."""
        self.deliveries += len([each for each in records if isinstance(each, Event)])
        self.bytes += size
