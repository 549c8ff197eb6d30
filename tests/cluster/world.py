"""Gateways of one cluster in this process: real Redis and reactor, clients in memory."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import attrs
import orjson
from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from gateway.cluster.address import Address, parse
from gateway.cluster.cluster import Cluster
from gateway.cluster.settings import ClusterSettings
from gateway.engineio.deadlines import Deadlines
from gateway.engineio.server import Server as EngineServer
from gateway.engineio.settings import Settings
from gateway.relay.relay import Relay
from gateway.relay.settings import RelaySettings
from gateway.socketio.server import Server
from gateway.socketio.server import Settings as SocketSettings
from gateway.web.http.timer import drive
from tests.cluster.servers import RedisServer
from tests.interop.kept import Kept
from tests.patience import PATIENCE
from tests.relay.world import RelayWorld, Watcher, WebSocketClient, market

KEY = b"k" * 32


async def until(condition: Callable[[], Any], what: str = "what was waited for") -> Any:
    """What `condition()` is, as soon as it is true."""
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end, f"{what} did not come"
        await deferLater(reactor, 0.002)
    return found


class Ear(WebSocketClient):
    """A client that keeps all it heard."""

    def __init__(self, world: "Node", **auth: Any) -> None:
        self.all: list[str | bytes] = []
        super().__init__(world)
        self.say(f"40{orjson.dumps(auth).decode()}")

    @property
    def lines(self) -> list[str]:
        """Every text that came since the beginning."""
        self.all += self.heard
        return [each for each in self.all if isinstance(each, str)]

    @property
    def is_in(self) -> bool:
        return any(line.startswith("40") for line in self.lines)

    @property
    def reply(self) -> dict[str, Any]:
        (line,) = [line for line in self.lines if line.startswith("40")]
        return orjson.loads(line[2:])

    @reply.setter
    def reply(self, value: Any) -> None:
        """The base class has none yet."""

    @property
    def events(self) -> list[str]:
        return [line for line in self.lines if line.startswith("42")]

    @property
    def place(self) -> str:
        """The offset of its last event."""
        return orjson.loads(self.events[-1][2:])[-1]


class Node(RelayWorld):
    """One gateway of the cluster `name`."""

    def __init__(
        self,
        where: str | Address,
        gateway: str,
        name: str,
        *,
        key: bytes = KEY,
        post: "PostOffice | None" = None,
        **given: Any,
    ):
        hold = given.pop("hold", 0.5)
        settings = RelaySettings(**market(quotes=True), **given)
        self.deadlines = Deadlines(reactor.seconds)
        self.driver = drive(reactor, self.deadlines)
        self.cluster = Cluster(
            reactor,
            self.deadlines,
            ClusterSettings(
                address=parse(where) if isinstance(where, str) else where,
                name=name,
                gateway=gateway,
                key=key,
                hold=hold,
                namespaces=settings.namespaces,
                history=settings.log_bytes,
                records=settings.log_records,
            ),
            partial(reactor.callLater, 0),
        )
        self.watcher = Watcher()
        self.watcher.trusts = lambda _: True  # type: ignore[method-assign]
        self.relay = Relay(
            attrs.evolve(settings, pid_key=self.cluster.pid_key),
            self.deadlines,
            reactor.callLater,
            self.watcher,
            wall=time.time,
            call_soon=self.cluster.after_answer,
            journal=self.cluster.journal,
        )
        self.sockets = Server(SocketSettings(), self.deadlines)
        self.relay.register(self.sockets)
        self.server = EngineServer(
            Settings(ping_interval=10**9), self._connect, self.deadlines, outbox=self.relay.outbox
        )
        self.hub = self.relay.hubs["/"]
        self.log = self.hub.log
        self.journal = self.cluster.journals["/"]
        if post is not None:
            self.cluster.mail = self.cluster.members = post
        self.cluster.startService()

    @property
    def session(self) -> Any:
        return self._session

    def _connect(self, session):
        self._session = session
        return self.sockets(session)

    def flush(self) -> None:
        """The reactor does it."""

    async def ear(self, **auth: Any) -> Ear:
        """A client that is in."""
        ear = Ear(self, **auth)
        await until(lambda: ear.is_in, "the answer to CONNECT")
        return ear

    def close(self):
        """End as a killed process does: nothing is said."""
        self.driver.stop()
        self.cluster.talk.stop()
        self.cluster._listening.stop()
        self.cluster.running = False


_redis = Kept(RedisServer)


class PostOffice:
    """Brings letters from one to another gateway of this process, each in a turn of its own.

    It is the mail and the members of `gateway`; `all` are those of the cluster.
    """

    is_settled = True

    def __init__(self, gateway: str, all: "dict[str, PostOffice]") -> None:
        self.handlers: dict[str, Callable[[str, bytes], object]] = {}
        self.on_gone: list[Callable[[str], object]] = []
        self._gateway = gateway
        self._all = all
        all[gateway] = self

    def post(self, to: str, kind: str, body: bytes) -> None:
        reactor.callLater(0, self._bring, to, kind, body)

    def _bring(self, to: str, kind: str, body: bytes) -> None:
        if to in self._all:
            self._all[to].handlers[kind](self._gateway, body)

    def present(self) -> set[str]:
        return set(self._all)

    def lose(self, gateway: str) -> None:
        """Note that a gateway is gone."""
        self._all.pop(gateway, None)
        for other in self._all.values():
            for heed in other.on_gone:
                heed(gateway)


class ClusterCase(TestCase):
    """One Redis for all of them, one cluster for each test."""

    timeout = PATIENCE * 2

    def setUp(self) -> None:
        self.redis = _redis(self)

    @property
    def name(self) -> str:
        """That of the test's cluster."""
        return self.id().rpartition(".")[2][-40:].strip("_")

    def node(self, gateway: str, where: str | Address = "", **given: Any) -> Node:
        node = Node(where or self.redis.url, gateway, self.name, **given)
        self.addCleanup(node.close)
        return node

    async def nodes(self, count: int = 2, **given: Any) -> list[Node]:
        """Gateways that have read the log."""
        nodes = [self.node(f"g{number}", **given) for number in range(1, count + 1)]
        for node in nodes:
            await until(lambda node=node: node.journal.reading.is_attached, "the log")
        return nodes
