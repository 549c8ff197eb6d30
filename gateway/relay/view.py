"""Subscriptions that have read everything and want the same bytes: they share writes."""

from __future__ import annotations

from operator import length_hint
from typing import TYPE_CHECKING

from gateway.engineio.outbox import AT_ONCE_BYTES
from gateway.relay.event import Event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TypeAlias

    from gateway.engineio.outbox import Form
    from gateway.engineio.packet import Record
    from gateway.relay.selection import Selection
    from gateway.relay.subscription import Subscription
    from gateway.relay.views import Views

    Write: TypeAlias = tuple[Subscription, Callable[[bytes], bool]]
    Broken: TypeAlias = tuple[Subscription, Exception]


class View:
    """The subscriptions with one selection and one form that have read everything.

    `is_found`: it wants all events that it is found for, see `Views`.
    `members`: each with what writes to it; `direct`: those that are sent to by `Sink.at_once`,
    which is one call less for each.  `delivery` has the turn's events for them that are not written
    yet; None: there are none.
    """

    __slots__ = ("_views", "delivery", "direct", "form", "is_found", "members", "selection")

    def __init__(self, form: Form, selection: Selection | None, views: Views) -> None:
        self.form = form
        self.selection = selection
        self.is_found = selection is None or selection.is_indexed
        self.members: dict[Subscription, Callable[[bytes], bool]] = {}
        self.direct: dict[Subscription, Callable[[bytes], int]] = {}
        self.delivery: EncodedTurn | None = None
        self._views = views

    def join(self, member: Subscription) -> bool:
        """Add `member`; False: its cursor is elsewhere."""
        delivery = self.delivery
        if delivery is None:
            if member.cursor != self._views.level:
                return False
        elif delivery.is_writing or member.cursor != delivery.position:
            return False
        was_vacant, outbox = not (self.direct or self.members), member.outbox
        send = None if self.form.polled else outbox.at_once
        if send is None:
            self.members[member] = outbox.write
        else:
            self.direct[member] = send
        if was_vacant:
            self._views.occupied(self)
        return True

    def leave(self, member: Subscription) -> int:
        """Remove `member`; the position up to which it was written to."""
        if member in self.members:
            del self.members[member]
        else:
            del self.direct[member]
        if not (self.direct or self.members):
            self._views.vacated(self)
        return self._views.level if self.delivery is None else self.delivery.leave(member)


class EncodedTurn:
    """A turn's events on the way to the members of all views that get the same bytes of them.

    They are encoded once.  First they are sent to the direct members, in a row; then a *round* of
    writes begins, and members may come and go within each: an answer to a poll can bring the next
    request, or end a session.  `failure`: why it can't be known what is for them.
    """

    __slots__ = (
        "_before", "_events", "_failure", "_form", "_left", "_rest", "_round", "_traffic",
        "position", "views",
    )  # fmt: skip

    def __init__(
        self,
        form: Form,
        events: list[Event],
        position: int,
        traffic: Traffic,
        failure: Exception | None = None,
    ) -> None:
        self.views: list[View] = []
        self.position = self._before = position
        """Where the members are in the log; in a round, where it brings them from `_before`."""
        self._form = form
        self._events = events
        self._traffic = traffic
        self._failure = failure
        self._round: list[Write] = []
        self._rest: Iterator[Write] = iter(())
        """The members of the round that were not written to yet."""
        self._left: dict[Subscription, int] = {}
        """Members that left within the round, and how often their sinks had resumed then."""

    @property
    def is_writing(self) -> bool:
        """Whether a round is on: nobody joins meanwhile."""
        return bool(self._round)

    def leave(self, member: Subscription) -> int:
        """Spare `member`, which has left its view; the position up to which it was written to."""
        if self._round:
            self._left[member] = member.outbox.resumed
        for index in range(len(self._round) - length_hint(self._rest), len(self._round)):
            if self._round[index][0] is member:
                del self._round[index]  # not reached by the round yet, which goes on by index
                return self._before
        return self.position

    def run(self, speaker: Subscription | None = None) -> None:
        """Write the events; a member whose transport is full leaves its view, and reads alone.

        `speaker` is written nothing: it said them.  If the events can't be encoded, all members
        are disconnected: they come back, and see that they missed something.
        """
        try:
            self._run(speaker)
        except Exception:
            self._round = []
            for member in [each for view in self.views for each in (*view.direct, *view.members)]:
                member.outbox.drop()
        for view in self.views:
            view.delivery = None

    def _run(self, speaker: Subscription | None) -> None:
        if self._failure is not None:
            raise self._failure
        events, start = self._events, 0
        for end in self._ends():
            direct = sum([len(view.direct) - (speaker in view.direct) for view in self.views])
            members = [
                each
                for view in self.views
                for each in view.members.items()
                if each[0] is not speaker
            ]
            if not (direct or members):
                break
            data = self._form.encode(events[start:end])
            self._before = self.position
            self.position = events[end - 1].position + 1
            others, broken = self._send(data, speaker) if direct else ([], [])
            self._write(data, members + others, broken)
            sent = direct - len(others) + len(self._round)
            self._traffic.shared(end - start, len(data), sent)
            self._round = []
            start = end

    def _send(self, data: bytes, speaker: Subscription | None) -> tuple[list[Write], list[Broken]]:
        """Send to the direct members; the writes that are left to do, and who can't be written to.

        Nobody comes or goes meanwhile: who took a part of a frame is given the rest before anything
        else can happen to him.
        """
        size = len(data)
        begun, others, broken = [], [], []
        for view in self.views:
            direct = view.direct
            if speaker in direct:
                direct = direct.copy()
                del direct[speaker]
            if size > AT_ONCE_BYTES:
                others += [(each, each.outbox.write) for each in direct]
                continue
            for member, send in direct.items():
                try:
                    sent = send(data)
                except OSError:  # its `write` knows what to do
                    sent = 0
                except Exception as error:
                    broken.append((member, error))
                    continue
                if sent != size:
                    if sent:
                        begun.append((member, data[sent:]))
                    else:
                        others.append((member, member.outbox.write))
        for member, rest in begun:
            try:
                if not member.outbox.write(rest):
                    member.outbox.on_full()
            except Exception as error:
                broken.append((member, error))
        return others, broken

    def _write(self, data: bytes, writes: list[Write], broken: list[Broken]) -> None:
        """One round; those that are `broken` are dropped before it."""
        self._round, self._rest = writes, iter(writes)
        for member, error in broken:
            try:
                raise error
            except Exception:
                member.outbox.drop()
        full = []
        while True:
            try:
                for member, write in self._rest:
                    if not write(data):
                        full.append(member)
                break
            except Exception:
                member.outbox.drop()
        for member in full:
            if self._left.get(member, member.outbox.resumed) == member.outbox.resumed:
                member.outbox.on_full()
        self._left.clear()

    def _ends(self) -> list[int]:
        """The indexes in the events at which the writes end."""
        form, events = self._form, self._events
        if not form.max_packets and sum([event.size for event in events]) <= form.max_bytes:
            return [len(events)]
        start, size, packets, ends = 0, 0, 0, []
        for index, event in enumerate(events):
            size += event.size
            packets += len(event.packets)
            over = size > form.max_bytes or (form.max_packets and packets > form.max_packets)
            if over and index > start:
                ends.append(index)
                start, size, packets = index, event.size, len(event.packets)
        return [*ends, len(events)]


# -- How much was written.


class Traffic:
    """What the transports of one namespace's clients were given since the start."""

    __slots__ = ("bytes", "deliveries")

    def __init__(self) -> None:
        self.deliveries = 0
        """Events, each as often as there were clients that it was written to."""
        self.bytes = 0
        """With the frames or separators of the transport, without HTTP and TLS."""

    def shared(self, events: int, size: int, clients: int) -> None:
        """One write of `events` and `size` bytes was made to each of `clients`."""
        self.deliveries += events * clients
        self.bytes += size * clients

    def alone(self, records: Sequence[Record], size: int) -> None:
        """One client was written `records`, some of them perhaps for it alone."""
        self.deliveries += len([each for each in records if isinstance(each, Event)])
        self.bytes += size
