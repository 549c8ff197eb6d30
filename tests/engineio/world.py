"""An Engine.IO server in memory: a clock of its own, fake transports, a recording application."""

from typing import Any

from gateway.engineio.deadlines import Deadlines
from gateway.engineio.errors import EngineError
from gateway.engineio.handshake import Peer
from gateway.engineio.interfaces import Connection
from gateway.engineio.outbox import Form, Queue
from gateway.engineio.packet import Packet
from gateway.engineio.server import Server
from gateway.engineio.session import Session
from gateway.engineio.settings import Settings
from gateway.engineio.upload import Upload
from gateway.engineio.websocket import WebSocketChannel

PEER = Peer("127.0.0.1", 50000)
DROPPED = 0
"""In place of a close code: the connection went without a close frame."""


def text(data: str) -> Packet:
    return Packet(data.encode())


def binary(data: bytes) -> Packet:
    return Packet(data, binary=True)


def frames(data: bytes) -> list[Packet]:
    """The messages in `data`, unmasked and unfragmented WebSocket frames."""
    packets = []
    while data:
        opcode, size, start = data[0], data[1], 2
        assert opcode in (0x81, 0x82), data[:20]
        if size == 126:
            size, start = int.from_bytes(data[2:4], "big"), 4
        elif size == 127:
            size, start = int.from_bytes(data[2:10], "big"), 10
        assert len(data) >= start + size
        packets.append(Packet(data[start : start + size], opcode == 0x82))
        data = data[start + size :]
    return packets


class FakeSocket:
    """A WebSocket's sink; `full` makes it say that it has no room."""

    form: Form
    channel: WebSocketChannel
    taken = 0
    at_once = None

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.closed: int | None = None
        self.full = False

    def write(self, data: bytes) -> bool:
        assert self.closed is None, "nothing is written to a closed WebSocket"
        if data:
            self.writes.append(data)
        return not self.full

    def close(self, code: int = 1000) -> None:
        assert self.closed is None, "a WebSocket is closed once"
        self.closed = code

    def abort(self) -> None:
        assert self.closed is None, "a WebSocket is closed once"
        self.closed = DROPPED

    @property
    def packets(self) -> list[Packet]:
        return frames(b"".join(self.writes))

    @property
    def said(self) -> list[Packet]:
        """What came after the opening packet."""
        return self.packets[1:]


class FakePoll:
    """A pending GET."""

    def __init__(self) -> None:
        self.payload: bytes | None = None
        self.content_type = ""

    def answer(self, payload: bytes, content_type: str) -> None:
        assert self.payload is None, "a GET is answered once"
        self.payload, self.content_type = payload, content_type

    def refuse(self, error: EngineError) -> None:
        assert self.payload is None, "a GET is answered once"
        self.payload = b"HTTP %d: %b" % (error.status, error.body)


class Recorder(Connection):
    """A connection that keeps what it hears."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.heard: list[Packet] = []
        self.reasons: list[str] = []

    def message(self, packet: Packet) -> None:
        self.heard.append(packet)

    def closed(self, reason: str) -> None:
        self.reasons.append(reason)


class Echo(Recorder):
    def message(self, packet: Packet) -> None:
        super().message(packet)
        self.session.send(packet)


class World:
    """One server and its clients."""

    def __init__(
        self, application: Any = Recorder, *, outbox: Any = Queue, **settings: Any
    ) -> None:
        self.now = 1000.0
        self.deadlines = Deadlines(lambda: self.now)
        self.settings = Settings(**settings)
        self.connections: list[Any] = []
        self._application = application
        self.server = Server(self.settings, self._connect, self.deadlines, outbox=outbox)

    def _connect(self, session: Session) -> Any:
        connection = self._application(session)
        self.connections.append(connection)
        return connection

    @property
    def connection(self) -> Any:
        """The youngest session's connection."""
        return self.connections[-1]

    @property
    def session(self) -> Session:
        return self.connection.session

    def wait(self, seconds: float) -> None:
        """Let time pass, stopping at each deadline."""
        end = self.now + seconds
        while (when := self.deadlines.next) is not None and when <= end:
            self.now = max(self.now, when)
            self.deadlines.advance()
        self.now = end

    def query(self, transport: str = "polling", **more: str) -> dict[str, str]:
        return {"EIO": "4", "transport": transport} | more

    def websocket(self, **more: str) -> FakeSocket:
        """A WebSocket that the server accepted; of a new session unless it has a `sid`."""
        query = self.query("websocket", **more)
        self.server.verify("GET", query, upgrade=True)
        sink = FakeSocket()
        sink.channel = self.server.websocket(query, PEER, sink)
        if query["EIO"] == "3" and "sid" not in query:
            self.wait(0.02)
        return sink

    def get(self, **more: str) -> FakePoll:
        query = self.query(**more)
        self.server.verify("GET", query)
        poll = FakePoll()
        self.server.poll(query, PEER, poll)
        return poll

    def abandon(self, sid: str) -> None:
        """The client of the pending GET goes away."""
        channel: Any = self.server.sessions[sid].channel
        channel.lost()

    def begin(self, sid: str, body: bytes | str, *, binary: bool = False, eio: str = "4") -> Upload:
        """A POST of which nothing is received yet."""
        session = self.server.verify("POST", self.query(sid=sid, EIO=eio))
        assert session is not None
        data = body if isinstance(body, bytes) else body.encode()
        return self.server.post(session, session.peer, data, binary=binary)

    def post(self, sid: str, body: bytes | str, *, binary: bool = False, eio: str = "4") -> None:
        upload = self.begin(sid, body, binary=binary, eio=eio)
        while not upload.done:
            upload.receive(100)

    def polling(self, **more: str) -> str:
        """Open a polling session; its sid."""
        poll = self.get(**more)
        assert poll.payload is not None
        return self.session.sid

    def upgraded(self) -> FakeSocket:
        """A session that began with polling and goes on over the WebSocket returned."""
        socket = self.websocket(sid=self.polling())
        socket.channel.text(b"2probe")
        socket.channel.text(b"5")
        return socket
