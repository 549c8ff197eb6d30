"""The log, its views, cursors and outboxes against a model that remembers everything."""

from sys import exception

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
from gateway.engineio.forms import POLLING4, WEBSOCKETS, Polling
from gateway.engineio.outbox import Form
from gateway.engineio.packet import Packet, Record
from gateway.relay import views
from gateway.relay.aliases import NONE
from gateway.relay.event import OVERHEAD, Event, Question, Subject
from gateway.relay.journal import Offset
from gateway.relay.lagging import SlowClientLimits, SlowClients
from gateway.relay.log import Log
from gateway.relay.pids import Pids
from gateway.relay.recovery import Recovery, RecoveryRequest
from gateway.relay.selection import Selection
from gateway.relay.turn import Turn
from tests.relay.model import Broken, Member
from tests.untraced import untraced

MAX_BYTES, MAX_RECORDS = 8000, 18
BOUND, AWAY, WRITE = 2000, 30.0, 300
CODES = ("A", "B", "C", None)
ALIASES = {"C": frozenset("B")}
FILTERS = (
    None,
    *[Selection(codes=frozenset(codes)) for codes in ("A", "AB", "C", "")],
    *[Selection(events=frozenset(names)) for names in (("tick",), ("a", "status"), ())],
    Selection(frozenset(("tick", "status")), frozenset("B")),
    Selection(trusted=True),
)
"""What clients want; most of these are different views."""
NUMBER = st.integers(0, 4)
PARTS = (0.0, 0.01, 0.5, 0.99, 1.0, OSError(), BlockingIOError())
"""What sockets take of what is sent to them at once, or raise."""
TRAPS = ("leave", "read", "upgrade", "poll", "select", "say", "tell", "detach")


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
        self.log = Log("E", max_bytes=MAX_BYTES, max_records=MAX_RECORDS)
        self.turn.logs.append(self.log)
        self.turn.attempt.failed = _raise  # what the relay would log and go on with
        self.recovery = Recovery(self.log, Pids(lambda: b"key", "/"), self.deadlines, AWAY)
        limits = SlowClientLimits(bytes=BOUND, stall=1.0, longest_stall=10.0)
        self.slow = SlowClients(self.turn, limits, self.deadlines, wall=lambda: self.now)

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
        question = Question(owner, 0) if acked else None
        packets = (Packet(text), *binary)
        event = Event(packets, owner, subject, trusted=True, wall=self.now, question=question)
        event.aliases = ALIASES.get(code, NONE)
        self.said.append(event)
        self.log.extend([event])
        self.log.speakers[owner] = None
        self.turn.schedule()

    def new_number(self):
        self.numbers += 1
        return self.numbers

    def direct(self, member):
        self.numbers += 1
        member.send(Record(Packet(b"43%d[]" % self.numbers), Packet(b"%d" % self.numbers, True)))

    def left(self, member, reason):
        member.check(all_read=False)
        self.recovery.away(member.subscription, reason, "")
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
        for polling, direct in ((False, True), (False, True), (False, False), (True, False)):
            self.join(polling=polling, direct=direct, selection=None, recoverable=False)
        self.rest()

    @precondition(lambda self: len(self.members) < 5)
    @rule(
        polling=st.booleans(),
        direct=st.booleans(),
        selection=st.sampled_from(FILTERS),
        recoverable=st.booleans(),
    )
    def join(self, polling, direct, selection, recoverable):
        member = Member(self, selection, recoverable=recoverable)
        self.members.append(member)
        form = POLLING4 if polling else WEBSOCKETS[4, False]
        member.attach(form, polling=polling, direct=direct)

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
    @rule(number=NUMBER, selection=st.sampled_from(FILTERS))
    def change_the_filter(self, number, selection):
        for code in CODES:
            self.append(None, "tick", code, ("tick", code))
        self.member(number).select(selection)

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
    @rule(number=NUMBER, parts=st.lists(st.sampled_from(PARTS), max_size=3), slow=st.booleans())
    def take_parts(self, number, parts, slow):
        sink = self.member(number).sink
        if sink is not None:
            sink.takes, sink.slow = parts, slow
            self.the_gateway_says(2)

    @precondition(lambda self: self.members)
    @rule(number=NUMBER)
    def be_filled_by_a_control_frame(self, number):
        sink = self.member(number).sink
        if sink is not None:
            sink.fill()

    @precondition(lambda self: self.members)
    @rule(number=NUMBER, polling=st.booleans(), direct=st.booleans())
    def change_the_transport(self, number, polling, direct):
        form = POLLING4 if polling else WEBSOCKETS[4, False]
        self.member(number).attach(form, polling=polling, direct=direct)

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
        offset = Offset("E", first - 1) if seen else None
        found = self.recovery.find(
            RecoveryRequest(old.subscription.pid, offset), old.subscription.asked
        )
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
    @rule(
        number=NUMBER,
        other=NUMBER,
        what=st.sampled_from(TRAPS),
        count=st.integers(0, 3),
        taken=st.sampled_from((*PARTS, Broken())),
    )
    def set_a_trap(self, number, other, what, count, taken):
        """From within the next write to one, something happens to another, or to itself.

        If it is sent to at once: when it raises, and is dropped.
        """
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
                victim.attach(WEBSOCKETS[4, False], polling=False, direct=count % 2 == 0)
            elif what == "poll":
                victim.attach(POLLING4, polling=True)
            elif what == "select":
                victim.select(Selection(None, frozenset("A")))
            elif victim.sink is not None:
                victim.detach() if what == "detach" else victim.sink.resume()

        if sink is not None:
            sink.trap = spring
            if sink.direct:
                sink.broken, sink.takes = True, [taken]
            self.the_gateway_says(count)

    @rule()
    def end_the_turn(self):
        self.end_turn()

    @rule()
    def write_all_at_once(self):
        self.turn.finish()

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
                if member.gone:
                    continue
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
    def what_waits_is_counted(self):
        for member in self.members:
            own = member.subscription
            waiting = [*own.kept, *[record for _, record, _ in own._direct]]
            behind = self.log.behind(own.cursor) if own in self.log.apart else 0
            assert own.lag == behind + sum(each.size + OVERHEAD for each in waiting) + sum(
                each.size + OVERHEAD for each in member.outbox._direct
            )

    @invariant()
    def nobody_holds_more_than_the_log_and_two_of_its_own(self):
        if self.soon:
            return
        for member in self.members:
            direct = sum(len(record.packets) * 500 for _, record in member.direct)
            assert member.subscription.lag <= 3 * MAX_BYTES + direct


def _raise(what):
    if not isinstance(exception(), Broken):
        raise  # noqa: PLE0704  # it is called where one is handled


class LogModelTests(SynchronousTestCase):
    @untraced
    def test_everybody_gets_what_he_should(self):
        for form in (Form, Polling):
            self.patch(form, "max_bytes", WRITE)
        self.patch(views, "SPARE", 1)
        self.patch(views, "VALUES", 2)
        run_state_machine_as_test(
            LogMachine, settings=settings(max_examples=120, stateful_step_count=50, deadline=None)
        )
