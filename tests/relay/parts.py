"""The relay's small parts, without the protocols: a log, and members with a sink each."""

from types import SimpleNamespace

from gateway.engineio.forms import WEBSOCKETS
from gateway.engineio.packet import Packet, Record
from gateway.relay.event import Event, Question, Subject
from gateway.relay.log import Log
from gateway.relay.session_outbox import SessionOutbox
from gateway.relay.subscription import Subscription
from gateway.relay.turn import Turn
from tests.engineio.world import frames

WEBSOCKET = WEBSOCKETS[4, False]


def event(text="x", sender=None, *, name="e", code=None, key=None, acked=False, attachments=()):
    """One event whose whole text packet is `text`."""
    packets = (Packet(text.encode()), *[Packet(data, binary=True) for data in attachments])
    question = Question(sender, 0) if acked and sender else None
    subject = Subject(name, code, key)
    made = Event(packets, sender, subject, trusted=True, wall=0.0, question=question)
    made.acked = acked
    return made


def record(text):
    return Record(Packet(text.encode()))


class Sink:
    """Says whether it has `room` after each write; `on_write` is called from within it."""

    def __init__(self, form=WEBSOCKET):
        self.form = form
        self.taken = 0
        self.room = True
        self.writes = []
        self.on_write = None

    at_once = None

    def write(self, data):
        self.writes.append(data)
        if self.on_write is not None:
            self.on_write()
        return self.room

    @property
    def texts(self):
        """The text packets of all writes; only where the form is a WebSocket's."""
        return [packet.data.decode() for packet in frames(b"".join(self.writes))]


class Parts:
    """One log, flushed by `flush`."""

    def __init__(self, *, max_bytes=1 << 20, max_records=1000):
        self.scheduled = []
        self.turn = Turn(self.scheduled.append)
        self.log = Log("E", max_bytes=max_bytes, max_records=max_records)
        self.turn.logs.append(self.log)

    def outbox(self, sink=None):
        outbox = SessionOutbox(self.turn)
        if sink is not None:
            outbox.attach(sink)
        return outbox

    def subscribe(self, outbox, selection=None):
        socket = SimpleNamespace(session=SimpleNamespace(outbox=outbox), namespace="/")
        subscription = Subscription(socket, self.log, outbox)
        subscription.selection = selection
        return subscription

    def member(self, form=WEBSOCKET, selection=None):
        """A caught-up subscription and its sink."""
        sink = Sink(form)
        subscription = self.subscribe(self.outbox(sink), selection)
        self.flush()
        return subscription, sink

    def say(self, *texts, sender=None, **more):
        """Append events of these texts, as the hub does."""
        for text in texts:
            self.log.extend([event(text, sender, **more)])
        self.log.speakers[sender] = None
        self.turn.schedule()

    def turns(self, most=1):
        """End `most` reactor turns."""
        for _ in range(most):
            flushes, self.scheduled[:] = list(self.scheduled), []
            for flush in flushes:
                flush()

    def flush(self):
        """End turns until nothing is left to do."""
        self.turns(10)
        assert not self.scheduled, "the relay does not come to rest"
