"""The model of the relay's log: members that know what they must get."""

from copy import copy
from itertools import pairwise
from math import inf

from gateway.engineio.forms import WEBSOCKETS
from gateway.engineio.packet import Packet
from gateway.engineio.payload import decode4
from gateway.relay.event import Event
from gateway.relay.session_outbox import SessionOutbox
from gateway.relay.subscription import Subscription
from tests.engineio.world import frames


class Watched(Subscription):
    """A subscription that remembers being conflated."""

    __slots__ = ("conflated",)

    def conflate(self, patience=inf):
        form = self.outbox.form
        polled = form is not None and form.polled
        assert polled or not (self.outbox.ready and form), "only who is full is conflated"
        skipped = super().conflate(patience)
        self.conflated = self.conflated or skipped > 0
        return skipped


class Broken(RuntimeError):
    """What a sink that is broken raises."""


class Sink:
    """Takes one write more than it has room for, and does `trap` from within a write.

    `direct`: it is sent to at once, too.  `takes`: the parts of their data, from 0 to 1, that the
    next such calls take; it raises where that is an exception.  `broken`: so does `write`, and
    `trap` is done when its client is dropped.  `begun`: what the peer has of a frame.
    """

    def __init__(self, member, form, *, polling, direct=False):
        self.member = member
        self.form = form
        self.polling = polling
        self.direct = direct and not polling
        self.taken = 0
        self.slow = self.full = self.unnoticed = self.broken = False
        self.takes = []
        self.begun = self.due = b""
        self.trap = None

    @property
    def at_once(self):
        return self.send if self.direct and not self.full else None

    def send(self, data):
        self._check()
        assert not self.full and not self.begun, "the rest comes first"
        taken = self.takes.pop() if self.takes else 1.0
        if isinstance(taken, Exception):
            raise taken
        if taken == 1.0 and self.slow:
            raise BlockingIOError
        if taken < 1.0:
            size = max(1, int(taken * len(data))) if taken else 0
            self.begun, self.due = data[:size], data[size:]
            return size
        self._hear(data)
        return len(data)

    def write(self, data):
        self._check()
        assert not self.full or self.unnoticed, "a full transport is not written to"
        assert not self.begun or data == self.due, "the rest comes first, and nothing but that"
        if self.broken:
            raise Broken
        room = not (self.slow or self.polling or self.unnoticed)
        self.full, self.unnoticed = not room, False
        data, self.begun = self.begun + data, b""
        self._hear(data)
        if not self.direct:
            self.spring()
        return room

    def spring(self):
        trap, self.trap = self.trap, None
        if trap is not None:
            trap()

    def fill(self):
        """A control frame fills the transport."""
        if self.at_once is not None:
            self.full = self.unnoticed = self.slow = True
            self.member.outbox.resume()

    def _check(self):
        assert self.member.sink is self, "only the transport of the moment is written to"

    def _hear(self, data):
        packets = list(decode4(data)) if self.polling else frames(data)
        assert len(packets) <= 16 or not self.polling
        self.member.received += packets

    def resume(self):
        self.slow, self.taken = False, self.taken + 1
        if self.full:
            self.full = self.unnoticed = False
            try:
                self.member.outbox.resume()
            except Broken:  # as the reactor does
                self.member.abort("transport close")


class Member:
    """One client, and what the model says that it must get."""

    def __init__(self, machine, selection, *, recoverable):
        self.machine = machine
        self.outbox = SessionOutbox(machine.turn)
        self.outbox.owner = self
        self.received = []
        self.sink = None
        self.gone = False
        self.subscription = Watched(self, machine.log, self.outbox)
        self.subscription.sid = str(machine.new_number())
        self.subscription.selection = self.subscription.asked = selection
        self.subscription.conflated = False
        self.session = self
        if recoverable:
            machine.recovery.register(self.subscription)
        self.begin(len(machine.said))

    def begin(self, first):
        """Expect the events from `first` on; questions only from now on."""
        self.first, self.joined = first, len(self.machine.said)
        self.direct = []  # (number of events before it, record)
        self.selections = [(0, self.subscription.selection)]  # each from a position on
        self.subscription.conflated = False

    def abort(self, reason):
        """As a session does."""
        if not self.gone:
            sink = self._part()
            self.gone = True
            self.outbox.close()
            self.machine.members.remove(self)
            self.machine.left(self, reason)
            if sink is not None and sink.broken:
                sink.spring()

    def returned(self, found, first):
        """The same client over a new connection, which has seen the events before `first`."""
        member = copy(self)
        member.received, member.gone, member.sink = [], False, None
        member.session = member
        member.outbox = SessionOutbox(self.machine.turn)
        member.outbox.owner = member
        member.subscription = Watched(member, self.machine.log, member.outbox)
        member.subscription.resume(found)
        member.subscription.read_from(found.cursor, found.since)
        self.machine.recovery.register(member.subscription)
        member.begin(first)
        member.attach(WEBSOCKETS[4, False], polling=False, direct=True)
        return member

    def attach(self, form, *, polling, direct=False):
        if self.sink is not None:
            self._part()
            self.outbox.detach()
        self.sink = Sink(self, form, polling=polling, direct=direct)
        self.outbox.attach(self.sink)

    def detach(self):
        self._part()
        self.outbox.detach()

    def _part(self):
        """Have no transport any more; it is returned."""
        sink, self.sink = self.sink, None
        assert sink is None or sink.broken or not sink.begun, "it ends within a frame"
        return sink

    def select(self, selection):
        self.selections.append((len(self.machine.said), selection))
        self.subscription.select(selection)

    def send(self, record):
        self.direct.append((len(self.machine.said), record))
        self.subscription.send(record)

    def expected(self):
        """Every record that is for this client, in order."""
        direct = list(self.direct)
        for position in range(self.first, len(self.machine.said)):
            while direct and direct[0][0] <= position:
                yield direct.pop(0)[1]
            event = self.machine.said[position]
            if self.is_for(event, position):
                yield event
        yield from [record for _, record in direct]

    def is_for(self, event, position):
        selection = [each for start, each in self.selections if start <= position][-1]
        return (
            not self.said(event)
            and (selection is None or selection.wants(event))
            and not (event.acked and position < self.joined)
        )

    def said(self, event):
        """Whether it is its own, perhaps over a connection before this one."""
        sender, own = event.sender, self.subscription
        if sender is None or own.pid is None:
            return sender is own
        return sender.pid == own.pid

    def packets(self, record):
        """What this client gets of `record`."""
        text, *attachments = record.packets
        if self.subscription.pid is not None and isinstance(record, Event) and not record.acked:
            position = self.machine.said.index(record)
            text = Packet(text.data[:-1] + b',"E-%d"]' % position)
        return [text, *attachments]

    def got(self):
        """The records received, in order; attachments have to follow their text at once."""
        by_text = {self.packets(record)[0].data: record for record in self.expected()}
        records, rest = [], self.received
        while rest:
            assert rest[0].data in by_text, f"{rest[0]} is not for this client"
            record = by_text[rest[0].data]
            count = len(record.packets)
            assert rest[:count] == self.packets(record), "packets of a record are contiguous"
            records.append(record)
            rest = rest[count:]
        return records

    def check(self, *, all_read):
        expected, got = list(self.expected()), self.got()
        if not self.subscription.conflated:
            assert got == (expected if all_read else expected[: len(got)]), (expected, got)
            return
        places = [expected.index(record) for record in got]
        assert all(before < after for before, after in pairwise(places)), "in order, once"
        end = len(expected) if all_read else max(places, default=-1) + 1
        for place, record in enumerate(expected[:end]):
            if place not in places:
                key = getattr(record, "key", None)
                assert key is not None, f"{record} may never be skipped"
                later = [each for each in expected[place + 1 :] if isinstance(each, Event)]
                assert key in [each.key for each in later], "the newest of a key is not skipped"
                if all_read:
                    newest = [each for each in expected if getattr(each, "key", None) == key][-1]
                    assert newest in got
