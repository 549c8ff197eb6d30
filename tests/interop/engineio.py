"""Engine.IO clients over real sockets, and a server for them to talk to."""

import json
from collections.abc import Callable
from typing import Any

import treq
from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol
from twisted.internet import reactor
from twisted.internet.defer import Deferred, DeferredQueue
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase
from twisted.web.client import Agent
from twisted.web.iweb import UNKNOWN_LENGTH, IBodyProducer
from zope.interface import implementer

from gateway.engineio.deadlines import Deadlines
from gateway.engineio.interfaces import Connection
from gateway.engineio.packet import Packet
from gateway.engineio.server import Server
from gateway.engineio.session import Session
from gateway.engineio.settings import Settings
from gateway.web.http.site import Mount, make_site
from gateway.web.http.timer import drive
from gateway.web.routes.engine import EngineResource
from gateway.web.security.guard import Guard
from gateway.web.security.guard_settings import GuardSettings
from gateway.web.websocket.allowance import Allowance
from gateway.web.websocket.upgrade import Upgrader
from tests.patience import PATIENCE

BYTES = bytes((1, 2, 3, 4))


class Echo(Connection):
    def __init__(self, session: Session) -> None:
        self._session = session

    def message(self, packet: Packet) -> None:
        self._session.send(packet)

    def closed(self, reason: str) -> None:
        pass


class Socket(WebSocketClientProtocol):
    """A WebSocket client; `received` are its messages, `over` fires when it is closed.

    Pings are answered and not shown, unless `shows_pings`.
    """

    shows_pings = False

    def __init__(self) -> None:
        super().__init__()
        self.opened: Deferred[Any] = Deferred()
        self.over: Deferred[Any] = Deferred()
        self.received: DeferredQueue[str | bytes] = DeferredQueue()

    def onOpen(self) -> None:
        self.opened.callback(self)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if payload == b"2" and not self.shows_pings:
            self.say("3")
        else:
            self.received.put(payload if isBinary else payload.decode())

    def onClose(self, wasClean: bool, code: int, reason: str) -> None:
        if not self.opened.called:
            self.opened.errback(ConnectionError(reason))
        self.over.callback(code)

    def say(self, *packets: str | bytes) -> None:
        for packet in packets:
            if isinstance(packet, str):
                self.sendMessage(packet.encode())
            else:
                self.sendMessage(packet, isBinary=True)


@implementer(IBodyProducer)
class Chunked:
    """A request body without a Content-Length."""

    length = UNKNOWN_LENGTH

    def __init__(self, body: bytes) -> None:
        self._body = body

    def startProducing(self, consumer: Any) -> Deferred[None]:
        for start in range(0, len(self._body), 65536):
            consumer.write(self._body[start : start + 65536])
        done: Deferred[None] = Deferred()
        done.callback(None)
        return done

    def stopProducing(self) -> None:
        pass

    pauseProducing = resumeProducing = stopProducing


class ConformanceCase(TestCase):
    timeout = 2 * PATIENCE
    eio = 4
    ping_interval, ping_timeout = 300, 60_000
    """A busy machine may answer late: only who never answers is closed, in tests of that."""

    def setUp(self) -> None:
        settings = Settings(
            ping_interval=self.ping_interval, ping_timeout=self.ping_timeout, eio3=True
        )
        deadlines = Deadlines(reactor.seconds)
        self.driver = drive(reactor, deadlines)
        self.server = Server(settings, Echo, deadlines)
        upgrade = Upgrader(reactor, deadlines, Allowance(max_payload=settings.max_payload))
        engine = Mount(EngineResource(self.server, upgrade).render, body_limit=settings.max_payload)
        guard = Guard(GuardSettings())
        site = make_site(reactor, guard, {}, engine=engine, engine_path=b"/engine.io/")
        self.port = reactor.listenTCP(0, site, interface="127.0.0.1")
        self.number = self.port.getHost().port
        self.agent = Agent(reactor)
        self.sockets: list[Socket] = []

    async def tearDown(self) -> None:
        await self.port.stopListening()
        self.server.close()
        for socket in self.sockets:
            if not socket.over.called:
                socket.transport.abortConnection()
                await socket.over
        self.driver.stop()

    def query(self, transport: str, sid: str | None = None, **more: str) -> str:
        query = {"EIO": str(self.eio), "transport": transport} | more
        query |= {"sid": sid} if sid else {}
        return "&".join(f"{name}={value}" for name, value in query.items() if value)

    async def ask(self, method: str, query: str, **more: Any) -> tuple[int, bytes]:
        url = f"http://127.0.0.1:{self.number}/engine.io/?{query}"
        response = await treq.request(method, url, agent=self.agent, **more)
        return response.code, await response.content()

    async def get(self, sid: str) -> tuple[int, bytes]:
        """What there is; on a slow machine a ping may come first, which is answered."""
        status, body = await self.ask("GET", self.query("polling", sid))
        first, more, rest = body.partition(b"\x1e")
        if first != b"2":
            return status, body
        await self.post(sid, "3")
        return (status, rest) if more else await self.get(sid)

    async def post(self, sid: str, body: str | bytes, **more: Any) -> tuple[int, bytes]:
        data = body.encode() if isinstance(body, str) else body
        return await self.ask("POST", self.query("polling", sid), data=data, **more)

    async def code(self, method: str, query: str) -> tuple[int, int]:
        """Status and code of a refusal."""
        status, body = await self.ask(method, query)
        return status, json.loads(body)["code"]

    async def websocket(self, query: str) -> Socket:
        factory = WebSocketClientFactory(f"ws://127.0.0.1:{self.number}/engine.io/?{query}")
        factory.protocol = Socket
        socket: Socket = await TCP4ClientEndpoint(reactor, "127.0.0.1", self.number).connect(
            factory
        )
        self.sockets.append(socket)
        await socket.opened
        return socket

    async def open_websocket(self) -> Socket:
        socket = await self.websocket(self.query("websocket"))
        await socket.received.get()
        return socket

    async def open_polling(self, **more: str) -> str:
        status, body = await self.ask("GET", self.query("polling", **more))
        self.assertEqual(status, 200)
        return json.loads(body[body.index(b"{") :])["sid"]

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            await deferLater(reactor, 0.001)

    async def pending(self, sid: str) -> "Deferred[tuple[int, bytes]]":
        """A GET that the server holds back."""
        get = Deferred.fromCoroutine(self.get(sid))
        await self.until(lambda: self.server.sessions[sid].channel.has_room)
        return get

    async def assert_gone(self, sid: str) -> None:
        self.assertEqual(await self.code("GET", self.query("polling", sid)), (400, 1))
