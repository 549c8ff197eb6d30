"""A relay in memory: real Engine.IO and Socket.IO servers, a clock of its own, fake transports."""

from collections.abc import Callable
from itertools import count
from typing import Any

import orjson

from gateway.engineio.payload import decode3, decode4
from gateway.market.codes import ContractCodes
from gateway.market.events import QUOTES, READINESS, STATES
from gateway.relay.event import Keys
from gateway.relay.lagging import SlowClientLimits
from gateway.relay.late_joiners import SnapshotSettings
from gateway.relay.relay import Relay
from gateway.relay.settings import RelaySettings
from gateway.socketio.server import Server
from gateway.socketio.server import Settings as SocketSettings
from tests.engineio.world import PEER, FakePoll, FakeSocket, World, frames


def market(**snapshots: Any) -> dict[str, Any]:
    """The settings of a relay that knows the market's events; `snapshots`: of late joiners."""
    return {
        "keys": Keys(names=frozenset(STATES + QUOTES)),
        "aliases": ContractCodes,
        "snapshots": SnapshotSettings(
            quote_names=frozenset(QUOTES), readiness_names=READINESS, **snapshots
        ),
    }


KEYED = "tick"
"""The one event name that has keys here."""
EPOCH = "E"
"""The name of every log; it and the ids of questions are random otherwise."""
NEVER = 10.0**12
WALL = 1.7e9
"""Seconds since 1970 when the world's clock stands at 0."""


class Watcher:
    """An observer that trusts the sockets it is told to."""

    def admit(self, session, auth):
        return True

    def __init__(self):
        self.names: list[str | float] = []
        self.trusted: set[str] = set()

    def relayed(self, sender, events):
        self.names += [event.name for event in events]

    def is_worker(self, sender):
        return sender.socket.sid in self.trusted

    trusts = is_worker

    def owner(self, session):
        return session.peer.address

    def is_current(self, sender):
        return self.worker_lives

    def heard(self, sender, events, values):
        pass

    worker_lives = True

    def left(self, sender):
        pass


class Wire(FakeSocket):
    """A WebSocket's sink that takes one write more than it has room for.

    `on_write` is called from within each write.
    """

    def __init__(self) -> None:
        super().__init__()
        self.on_write: Callable[[bytes], object] | None = None

    def write(self, data: bytes) -> bool:
        if not data:
            return not self.full
        assert not (self.full and self.stuffed), "nothing is written to a full WebSocket"
        self.stuffed = self.full
        super().write(data)
        if self.on_write is not None:
            self.on_write(data)
        return not self.full

    stuffed = False

    def drain(self) -> None:
        """The peer reads everything."""
        self.full = self.stuffed = False
        self.taken += 1
        self.channel.room()


class Client:
    """A Socket.IO client: `say` what it sends, `heard` is what came since.

    Text is `str` with the Engine.IO type digit, attachments are `bytes`.
    """

    def __init__(self, world: "RelayWorld") -> None:
        self.world = world
        self.reply: dict[str, Any] = {}
        self.before: list[str | bytes] = []
        self.after: list[str | bytes] = []

    def join(self, namespace: str = "/", **auth: Any) -> "Client":
        """CONNECT; `reply` is the answer, `before` and `after` what came around it."""
        name = "" if namespace == "/" else f"{namespace},"
        self.say(f"40{name}{orjson.dumps(auth).decode()}")
        self.world.flush()
        heard = self.heard
        (place,) = [index for index, each in enumerate(heard) if each[:2] == "40"]
        self.before, answer, self.after = heard[:place], heard[place], heard[place + 1 :]
        assert isinstance(answer, str)
        self.reply = orjson.loads(answer[answer.index("{") :])
        return self

    def emit(self, *args: Any, id: int | str = "") -> None:
        self.say(f"42{id}{orjson.dumps(args).decode()}")

    def say(self, *messages: str | bytes) -> None:
        raise NotImplementedError

    @property
    def heard(self) -> list[str | bytes]:
        raise NotImplementedError


class WebSocketClient(Client):
    def __init__(self, world: "RelayWorld", sid: str = "", **query: str) -> None:
        super().__init__(world)
        self.wire = Wire()
        if sid:
            query["sid"] = sid
        self.channel = world.server.websocket(world.query("websocket", **query), PEER, self.wire)
        self.wire.channel = self.channel
        self._read = 0
        if not sid:
            self.session = world.session

    def say(self, *messages):
        for message in messages:
            if isinstance(message, bytes):
                self.channel.binary(message)
            else:
                self.channel.text(message.encode())

    @property
    def heard(self):
        new, self._read = self.wire.writes[self._read :], len(self.wire.writes)
        return _readable(frames(b"".join(new)))

    @property
    def is_open(self):
        return self.wire.closed is None

    def lose(self) -> None:
        """The connection breaks."""
        self.channel.lost()


class Get(FakePoll):
    """A pending GET; `on_answer` is called from within the answer."""

    on_answer: Callable[[], object] | None = None

    def answer(self, payload: bytes, content_type: str) -> None:
        super().answer(payload, content_type)
        if self.on_answer is not None:
            self.on_answer()


class PollingClient(Client):
    def __init__(self, world: "RelayWorld", **query: str) -> None:
        super().__init__(world)
        self.eio = query.get("EIO", "4")
        self._query = query
        self._answered: list[str | bytes] = []
        self.payloads: list[bytes] = []
        self.sid = ""
        self.pending = self.get()
        self.session = world.session
        self.sid = self.session.sid

    def get(self, *, within_a_turn: bool = False) -> Get:
        """Send a GET; what waits answers it, at the end of the turn."""
        self.pending = get = Get()
        query = self.world.query(**self._query, **({"sid": self.sid} if self.sid else {}))
        self.world.server.poll(query, PEER, get)
        if not within_a_turn:
            self.world.flush()
        return get

    def poll(self) -> list[str | bytes]:
        """What came, and comes at once in answer to the next GET."""
        heard = self.heard
        if self.pending.payload is not None:
            self.get()
        self.world.flush()
        return heard + self.heard

    def say(self, *messages):
        self.world.post(self.sid, "\x1e".join(messages), eio=self.eio)

    @property
    def heard(self):
        payload = self.pending.payload
        if payload is None or (self.payloads and self.payloads[-1] is payload):
            return []
        self.payloads.append(payload)
        return _readable((decode4 if self.eio == "4" else decode3)(payload))


class RelayWorld(World):
    """One gateway and its clients."""

    def __init__(
        self, *, eio3: bool = False, slow_client_limits: Any = None, **settings: Any
    ) -> None:
        super().__init__(self._serve, outbox=self._outbox, ping_interval=NEVER, eio3=eio3)
        self.watcher = Watcher()
        self._soon: list[Callable[[], None]] = []
        settings.setdefault("keys", Keys(names=frozenset((KEYED,))))
        self.relay = Relay(
            RelaySettings(slow_client_limits=slow_client_limits or SlowClientLimits(), **settings),
            self.deadlines,
            self._call_later,
            self.watcher,
            wall=lambda: WALL + self.now,
        )
        self.sockets = Server(SocketSettings(), self.deadlines)
        self.relay.register(self.sockets)
        for hub in self.relay.hubs.values():
            hub.log.epoch = EPOCH
            hub.ack_ids = hub._acks._ids = count()
        self.hub = self.relay.hubs["/"]
        self.log = self.hub.log

    def _serve(self, session):
        return self.sockets(session)

    def _outbox(self):
        return self.relay.outbox()

    def _call_later(self, seconds: float, callback: Callable[[], None]) -> None:
        if seconds:
            self.deadlines.call_later(seconds, callback)
        else:
            self._soon.append(callback)

    def turn(self) -> None:
        """End one reactor turn."""
        soon, self._soon = self._soon, []
        for callback in soon:
            callback()

    def flush(self) -> None:
        """End reactor turns until nothing is left to do."""
        turns = 0
        while self._soon:
            self.turn()
            turns += 1
            assert turns < 20, "the relay does not come to rest"

    def wait(self, seconds: float) -> None:
        """Let time pass, stopping at each deadline."""
        end = self.now + seconds
        self.flush()
        while (when := self.deadlines.next) is not None and when <= end:
            self.now = max(self.now, when)
            self.deadlines.advance()
            self.flush()
        self.now = end

    def client(self, **auth: Any) -> WebSocketClient:
        """A client that has joined `/`."""
        client = WebSocketClient(self)
        self.flush()
        assert len(client.heard) == 1, "the opening packet"
        client.join(**auth)
        return client

    def poller(self, **auth: Any) -> PollingClient:
        """A client that has joined `/` and has a GET pending."""
        client = PollingClient(self)
        client.get()
        client.join(**auth)
        client.get()
        return client


def _readable(packets) -> list[str | bytes]:
    return [packet.data if packet.binary else packet.data.decode() for packet in packets]
