"""The log, its views, cursors and outboxes against a model that remembers everything."""

from copy import copy
from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.deadlines import Deadlines
from gateway.engineio.forms import POLLING4, WEBSOCKETS
from gateway.engineio.packet import Packet
from gateway.engineio.payload import decode4
from gateway.engineio.record import Record
from gateway.relay import subscription, view
from gateway.relay.event import OVERHEAD, Event
from gateway.relay.keys import Subject
from gateway.relay.log import Log
from gateway.relay.outbox import SessionOutbox
from gateway.relay.recovery import Recovery, Wish
from gateway.relay.selection import Selection
from gateway.relay.slow import Patience, SlowConsumers
from gateway.relay.subscription import Subscription
from gateway.relay.turn import Turn
from tests.engineio.world import frames

MAX_BYTES, MAX_RECORDS = 8000, 18
BOUND, AWAY, WRITE = 2000, 30.0, 300
CODES = ("A", "B", None)
NUMBER = st.integers(0, 4)
TRAPS = ("leave", "read", "upgrade", "say", "tell", "detach")


class Watched(Subscription):
    """A subscription that remembers being conflated."""

    __slots__ = ("conflated",)

    def conflate(self):
        assert not (self.outbox.ready and self.outbox.form), "only who is full is conflated"
        skipped = super().conflate()
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
        self.subscription.selection = selection
        self.subscription.conflated = False
        self.session = self
        if recoverable:
            machine.recovery.register(self.subscription)
        self.begin(len(machine.said))

    def begin(self, first):
        """Expect the events from `first` on; questions only from now on."""
        self.first, self.joined = first, len(self.machine.said)
        self.direct = []  # (number of events before it, record)
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
        found.move(member, member.outbox)
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
        selection = self.subscription.selection
        return (
            event.sender is not self.subscription
            and (selection is None or selection.wants(event))
            and not (event.acked and position < self.joined)
        )

    def packets(self, record):
        """What this client gets of `record`."""
        text, *attachments = record.packets
        if self.subscription.pid is not None and isinstance(record, Event) and not record.acked:
            position = self.machine.said.index(record)
            text = Packet(text.data[:-1] + b',"%d"]' % position)
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


class LogMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.now = 0.0
        self.soon = []
        self.said = []
        self.members = []
        self.away = []
        self.numbers = 0
        self.deadlines = Deadlines(lambda: self.now)
        self.turn = Turn(self.soon.append)
        self.log = Log(max_bytes=MAX_BYTES, max_records=MAX_RECORDS)
        self.turn.logs.append(self.log)
        self.recovery = Recovery(self.log, self.deadlines, AWAY)
        patience = Patience(bytes=BOUND, stall=1.0, longest_stall=10.0)
        self.slow = SlowConsumers(self.turn, patience, self.deadlines)

    # -- helpers ----------------------------------------------------------------------

    def member(self, number):
        return self.members[number % len(self.members)]

    def append(self, sender, name, code, key, *, size=1, attachments=0, acked=False):
        self.numbers += 1
        text = b'42["%b",%d,"%b"]' % (name.encode(), self.numbers, b"x" * size)
        binary = [
            Packet(b"%d/%d" % (self.numbers, index), binary=True) for index in range(attachments)
        ]
        subject = Subject(name, code, key)
        owner = None if sender is None else sender.subscription
        event = Event((Packet(text), *binary), owner, subject, acked=acked)
        self.said.append(event)
        self.log.append(event)
        self.turn.schedule()
        if sender is not None:
            sender.outbox.step_aside()

    def direct(self, member):
        self.numbers += 1
        member.send(Record(Packet(b"43%d[]" % self.numbers), Packet(b"%d" % self.numbers, True)))

    def left(self, member, reason):
        member.check(all_read=False)
        self.recovery.away(member.subscription, reason)
        if member.subscription.pid is not None:
            member.left = self.now
            self.away.append(member)

    def the_gateway_says(self, count):
        """`count` events that reach everybody at once."""
        for _ in range(count):
            self.append(None, "status", None, None, size=150)
        if count:
            self.end_turn()

    def end_turn(self):
        soon, self.soon[:] = list(self.soon), []
        for flush in soon:
            flush()

    def rest(self):
        turns = 0
        while self.soon:
            self.end_turn()
            turns += 1
            assert turns < 10, "the relay comes to rest"

    # -- rules ------------------------------------------------------------------------

    @initialize()
    def some_join(self):
        for polling in (False, False, True):
            self.join(polling=polling, codes=None, recoverable=False)
        self.rest()

    @precondition(lambda self: len(self.members) < 5)
    @rule(polling=st.booleans(), codes=st.sampled_from((None, "A")), recoverable=st.booleans())
    def join(self, polling, codes, recoverable):
        selection = None if codes is None else Selection(None, frozenset(codes))
        member = Member(self, selection, recoverable=recoverable)
        self.members.append(member)
        member.attach(POLLING4 if polling else WEBSOCKETS[4, False], polling=polling)

    @precondition(lambda self: self.members)
    @rule(number=NUMBER, code=st.sampled_from(CODES), count=st.integers(1, 9), end=st.booleans())
    def say_something_keyed(self, number, code, count, end):
        for _ in range(count):
            self.append(self.member(number), "tick", code, ("tick", code))
        if end:
            self.end_turn()

    @precondition(lambda self: self.members)
    @rule(
        number=NUMBER,
        attachments=st.sampled_from((0, 1, 10)),
        acked=st.booleans(),
        size=st.sampled_from((1, 150, 400)),
        end=st.booleans(),
    )
    def say_something(self, number, attachments, acked, size, end):
        sender = self.member(number)
        self.append(sender, "a", None, None, size=size, attachments=attachments, acked=acked)
        if end:
            self.end_turn()

    @precondition(lambda self: self.members)
    @rule(number=NUMBER)
    def tell_one(self, number):
        self.direct(self.member(number))

    @precondition(lambda self: self.members)
    @rule(number=NUMBER)
    def stop_reading(self, number):
        sink = self.member(number).sink
        if sink is not None:
            sink.slow = True
            self.the_gateway_says(3)

    @precondition(lambda self: self.members)
    @rule(number=NUMBER)
    def read(self, number):
        sink = self.member(number).sink
        if sink is not None:
            sink.resume()

    @precondition(lambda self: self.members)
    @rule(number=NUMBER, polling=st.booleans())
    def change_the_transport(self, number, polling):
        form = POLLING4 if polling else WEBSOCKETS[4, False]
        self.member(number).attach(form, polling=polling)

    @precondition(lambda self: self.members)
    @rule(number=NUMBER)
    def lose_the_transport_for_a_while(self, number):
        member = self.member(number)
        if member.sink is not None:
            member.detach()

    @precondition(lambda self: self.members)
    @rule(number=NUMBER)
    def leave(self, number):
        self.member(number).abort("transport close")

    @precondition(lambda self: self.away)
    @rule(number=NUMBER, lost=st.integers(0, 3))
    def come_back(self, number, lost):
        old = self.away.pop(number % len(self.away))
        events = [each for each in old.got() if isinstance(each, Event) and not each.acked]
        seen = events[: max(0, len(events) - lost)]
        first = self.said.index(seen[-1]) + 1 if seen else old.subscription.start
        found = self.recovery.find(Wish(old.subscription.pid, first - 1 if seen else None))
        missed = self.said[first:]
        if found is None:
            assert (
                self.now >= old.left + AWAY
                or len(missed) > MAX_RECORDS
                or sum(event.size + OVERHEAD for event in missed) > MAX_BYTES
            )
            return
        assert self.now < old.left + AWAY
        self.members.append(old.returned(found, first))

    @precondition(lambda self: self.members)
    @rule(number=NUMBER, other=NUMBER, what=st.sampled_from(TRAPS), count=st.integers(0, 3))
    def set_a_trap(self, number, other, what, count):
        """From within the next write to one, something happens to another, or to itself."""
        victim, sink = self.member(other), self.member(number).sink

        def spring():
            if victim.gone:
                return
            if what == "leave":
                victim.abort("transport close")
            elif what == "say":
                self.append(victim, "a", None, None)
            elif what == "tell":
                self.direct(victim)
            elif what == "upgrade":
                victim.attach(WEBSOCKETS[4, False], polling=False)
            elif victim.sink is not None:
                victim.detach() if what == "detach" else victim.sink.resume()

        if sink is not None:
            sink.trap = spring
            self.the_gateway_says(count)

    @rule()
    def end_the_turn(self):
        self.end_turn()

    @rule(seconds=st.sampled_from((1.0, 11.0, 25.0)))
    def wait(self, seconds):
        end = self.now + seconds
        self.rest()
        while (when := self.deadlines.next) is not None and when <= end:
            self.now = when
            self.deadlines.advance()
            self.rest()
        self.now = end

    @rule()
    def everybody_reads_everything(self):
        turns = 0
        while self.soon or any(each.sink is None or each.sink.full for each in self.members):
            for member in list(self.members):
                if member.sink is None:
                    member.attach(POLLING4, polling=True)
                else:
                    member.sink.resume()
            self.end_turn()
            turns += 1
            assert turns < 1000
        self.turn.schedule()  # what nobody may come back for goes with the next turn
        self.rest()
        for member in self.members:
            member.check(all_read=True)
        assert not self.log.apart
        if not self.log.retain:
            assert self.log.head == self.log.tail

    # -- what always holds ------------------------------------------------------------

    @invariant()
    def everybody_got_what_he_should(self):
        for member in self.members:
            member.check(all_read=False)

    @invariant()
    def the_log_is_bounded(self):
        if self.soon:
            return
        assert self.log.head - self.log.tail <= MAX_RECORDS
        assert self.log.behind(self.log.tail) <= MAX_BYTES

    @invariant()
    def nobody_holds_more_than_the_log_and_two_of_its_own(self):
        if self.soon:
            return
        for member in self.members:
            direct = sum(len(record.packets) * 500 for _, record in member.direct)
            assert member.subscription.lag <= 3 * MAX_BYTES + direct


class LogModelTests(SynchronousTestCase):
    def test_everybody_gets_what_he_should(self):
        for module in (subscription, view):
            self.patch(module, "WRITE_BYTES", WRITE)
        run_state_machine_as_test(
            LogMachine, settings=settings(max_examples=120, stateful_step_count=50, deadline=None)
        )
