"""A peer without a transport."""

from itertools import count
from types import SimpleNamespace

from gateway.engineio.deadlines import Deadlines
from gateway.engineio.errors import ProtocolError
from gateway.engineio.meter import Meter
from gateway.engineio.packet import Packet as EnginePacket
from gateway.engineio.settings import Settings as EngineSettings
from gateway.socketio.packet import whole
from gateway.socketio.server import Server, Settings

MAX_PAYLOAD = 1000


class RecordingOutbox:
    """Keeps what is sent: text as `str`, binary as `bytes`."""

    def __init__(self):
        self.sent = []

    def send(self, record, *, urgent=False):
        self.sent += [
            packet.data if packet.binary else packet.data.decode() for packet in record.packets
        ]

    def take(self):
        sent, self.sent = self.sent, []
        return sent


class FakeSession:
    """As much of an Engine.IO session as this layer sees."""

    def __init__(self, eio=4, deadlines=None):
        self.sid = "engine-sid"
        self.eio = eio
        self.query = {}
        self.outbox = RecordingOutbox()
        self.meter = Meter(0, 0, lambda: 0.0)
        self.server = SimpleNamespace(
            settings=EngineSettings(max_payload=MAX_PAYLOAD), deadlines=deadlines
        )
        self.is_open = True
        self.reason = None
        self.connection = None

    def close(self, reason="forced close"):
        if self.is_open:
            self.is_open, self.reason = False, reason
            self.connection.closed(reason)

    abort = close


class Peer:
    """A client of `server`: `say` what it sends, `heard` is what came since."""

    def __init__(self, server, eio=4):
        self.session = FakeSession(eio, server.deadlines)
        self.session.connection = self.client = server(self.session)

    def say(self, *messages):
        """Text as `str` with the Engine.IO type digit, attachments as `bytes`."""
        for message in messages:
            binary = isinstance(message, bytes)
            packet = EnginePacket(message if binary else message.encode(), binary)
            try:
                self.client.message(packet)
            except ProtocolError as error:
                self.session.close(error.reason)

    @property
    def heard(self):
        return self.session.outbox.take()

    @property
    def is_open(self):
        return self.session.is_open


class Clock:
    """Deadlines that pass when the test says so."""

    def __init__(self):
        self.now = 0.0
        self.deadlines = Deadlines(lambda: self.now)

    def advance(self, seconds):
        self.now += seconds
        self.deadlines.advance()


class RecordingNamespace:
    """Accepts everybody and remembers the calls."""

    def __init__(self):
        self.ack_ids = count()  # they begin at random otherwise
        self.sockets = []
        self.auths = []
        self.events = []
        self.acks = []
        self.gone = []

    def connect(self, socket, auth):
        self.sockets.append(socket)
        self.auths.append(auth)
        self.decide(socket)

    def decide(self, socket):
        socket.accept()

    def accepted(self, socket):
        """Nothing to do."""

    def events(self, socket, texts, values):
        for text, value in zip(texts, values, strict=True):
            self.event(socket, whole(text, value))

    def event(self, socket, packet):
        self.events.append(packet)

    def ack(self, socket, packet):
        self.acks.append(packet)

    def disconnected(self, socket, reason):
        self.gone.append((socket, reason))


def serve(clock=None, limit=None, **namespaces):
    """A server with `root` at `/` and the others at their names."""
    server = Server(Settings(), (clock or Clock()).deadlines, limit=limit)
    for name, namespace in namespaces.items():
        server.of("/" if name == "root" else f"/{name}", namespace)
    return server
