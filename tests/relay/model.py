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


class Sink:
    """Takes one write more than it has room for, and does `trap` from within a write."""

    def __init__(self, member, form, *, polling):
        self.member = member
        self.form = form
        self.polling = polling
        self.taken = 0
        self.slow = self.full = False
        self.trap = None

    at_once = None

    def write(self, data):
        assert self.member.sink is self, "only the transport of the moment is written to"
        assert not self.full, "a full transport is not written to"
        room = not (self.slow or self.polling)
        self.full = not room
        packets = list(decode4(data)) if self.polling else frames(data)
        assert len(packets) <= 16 or not self.polling
        self.member.received += packets
        trap, self.trap = self.trap, None
        if trap is not None:
            trap()
        return room

    def resume(self):
        self.slow, self.taken = False, self.taken + 1
        if self.full:
            self.full = False
            self.member.outbox.resume()


class Member:
    """One client, and what the model says that it must get."""

    def __init__(self, machine, selection, *, recoverable):
        self.machine = machine
        self.outbox = SessionOutbox(machine.turn)
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
            self.gone = True
            self.sink = None
            self.outbox.close()
            self.machine.members.remove(self)
            self.machine.left(self, reason)

    def returned(self, found, first):
        """The same client over a new connection, which has seen the events before `first`."""
        member = copy(self)
        member.received, member.gone, member.sink = [], False, None
        member.session = member
        member.outbox = SessionOutbox(self.machine.turn)
        member.subscription = Watched(member, self.machine.log, member.outbox)
        member.subscription.resume(found)
        member.subscription.read_from(found.cursor, found.since)
        self.machine.recovery.register(member.subscription)
        member.begin(first)
        member.attach(WEBSOCKETS[4, False], polling=False)
        return member

    def attach(self, form, *, polling):
        if self.sink is not None:
            self.outbox.detach()
        self.sink = Sink(self, form, polling=polling)
        self.outbox.attach(self.sink)

    def detach(self):
        self.sink = None
        self.outbox.detach()

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
