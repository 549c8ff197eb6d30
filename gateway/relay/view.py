"""The caught-up subscriptions that want the same in the same form: they share writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.engineio.outbox import WRITE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gateway.engineio.outbox import Form
    from gateway.relay.event import Event
    from gateway.relay.selection import Selection
    from gateway.relay.subscription import Subscription


class View:
    """Joins a turn's events once and hands the same bytes to all its members."""

    def __init__(self, form: Form, selection: Selection | None) -> None:
        self._form = form
        self._selection = selection
        self._members: dict[Subscription, Callable[[bytes], bool]] = {}

    @property
    def empty(self) -> bool:
        """Whether it serves nobody."""
        return not self._members

    def join(self, member: Subscription, write: Callable[[bytes], bool]) -> None:
        """Serve `member`, whose cursor is at the last flush, through `write`."""
        self._members[member] = write

    def leave(self, member: Subscription) -> None:
        """Serve `member` no more."""
        self._members.pop(member, None)

    def flush(self, events: list[Event]) -> None:
        """Write `events` to everybody; who is full reads on alone from where that was."""
        if self._selection is not None:
            events = [event for event in events if self._selection.wants(event)]
            if not events:
                return
        for data, end in self._writes(events):
            # A copy: a poll that is answered may let somebody else come or go.
            full = [member for member, write in list(self._members.items()) if not write(data)]
            for member in full:
                member.on_full(end)

    def _writes(self, events: list[Event]) -> Iterator[tuple[bytes, int]]:
        """The bytes of each write, and the position after it."""
        form, start, size, packets = self._form, 0, 0, 0
        for index, event in enumerate(events):
            size += event.size
            packets += len(event.packets)
            over = size > WRITE_BYTES or (form.max_packets and packets > form.max_packets)
            if over and index > start:
                yield form.encode(events[start:index]), event.position
                start, size, packets = index, event.size, len(event.packets)
        yield form.encode(events[start:]), events[-1].position + 1
