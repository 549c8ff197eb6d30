"""Engine.IO conformance over real sockets, case by case from the published protocol.

Sources: Engine.IO protocol 4, and protocol 3.  Every case runs with a fast heartbeat and
with a slow one, where only a rule can close a session within the test's time.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import treq
from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, DeferredQueue
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase
from twisted.web.client import Agent, ResponseFailed
from twisted.web.iweb import UNKNOWN_LENGTH, IBodyProducer
from zope.interface import implementer

from gateway.engineio.deadlines import Deadlines
from gateway.engineio.packet import Packet
from gateway.engineio.server import Server
from gateway.engineio.session import Session
from gateway.engineio.settings import Settings
from gateway.web import trust
from gateway.web.engine import EngineResource
from gateway.web.security import Guard
from gateway.web.site import Mount, make_site
from gateway.web.timer import drive
from gateway.web.upgrade import Upgrader

ROOT = Path(__file__).parents[2]
BYTES = bytes((1, 2, 3, 4))


class Echo:
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


class Output(ProcessProtocol):
    """What a process says."""

    def __init__(self) -> None:
        self.first_line: Deferred[str] = Deferred()
        self.over: Deferred[None] = Deferred()
        self._said = b""

    def outReceived(self, data: bytes) -> None:
        self._said += data
        if b"\n" in self._said and not self.first_line.called:
            self.first_line.callback(self._said.partition(b"\n")[0].decode())

    errReceived = outReceived

    def processEnded(self, reason: object) -> None:
        self.over.callback(None)

    async def stop(self) -> None:
        if not self.over.called:
            self.transport.signalProcess("TERM")
            await self.over


class ConformanceCase(TestCase):
    timeout = 20
    eio = 4
    ping_interval, ping_timeout = 300, 200

    def setUp(self) -> None:
        settings = Settings(
            ping_interval=self.ping_interval, ping_timeout=self.ping_timeout, eio3=True
        )
        deadlines = Deadlines(reactor.seconds)
        self.driver = drive(reactor, deadlines)
        self.server = Server(settings, Echo, deadlines)
        upgrade = Upgrader(reactor, deadlines, max_payload=settings.max_payload)
        engine = Mount(EngineResource(self.server, upgrade), body_limit=settings.max_payload)
        guard = Guard(trust.Settings())
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
        """What there is; on a slow machine a ping may come first."""
        status, body = await self.ask("GET", self.query("polling", sid))
        if body != b"2":
            return status, body
        await self.post(sid, "3")
        return await self.get(sid)

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


class Common:
    """What both versions of the protocol have in common; `p` makes a payload of packets."""

    def p(self, *packets: str) -> bytes:
        raise NotImplementedError

    # -- handshake --------------------------------------------------------------------

    async def test_a_polling_handshake_offers_the_upgrade(self: Any) -> None:
        status, body = await self.ask("GET", self.query("polling"))
        offer = json.loads(body[body.index(b"{") :])
        self.assertEqual((status, offer["upgrades"]), (200, ["websocket"]))
        self.assertEqual(offer["pingInterval"], self.ping_interval)
        self.assertEqual(offer["pingTimeout"], self.ping_timeout)
        self.assertEqual(offer["maxPayload"], 1000000)
        self.assertEqual(
            set(offer), {"sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"}
        )

    async def test_a_websocket_handshake_offers_none(self: Any) -> None:
        socket = await self.websocket(self.query("websocket"))
        packet = await socket.received.get()
        self.assertEqual((packet[0], json.loads(packet[1:])["upgrades"]), ("0", []))

    async def test_wrong_queries_are_refused(self: Any) -> None:
        for query, code in (
            (f"EIO={self.eio}", 0),
            (self.query("abc"), 0),
            (self.query("polling", "unknown"), 1),
            ("transport=polling", 5),
            ("EIO=abc&transport=polling", 5),
            (self.query("websocket"), 3),
        ):
            self.assertEqual(await self.code("GET", query), (400, code), query)
        for method in ("POST", "PUT"):
            self.assertEqual(await self.code(method, self.query("polling")), (400, 2))

    async def test_wrong_websockets_are_refused(self: Any) -> None:
        for query in ("transport=websocket", "EIO=abc&transport=websocket", f"EIO={self.eio}"):
            with self.assertRaises(ConnectionError):
                await self.websocket(query)

    # -- messages ---------------------------------------------------------------------

    async def test_messages_over_polling(self: Any) -> None:
        sid = await self.open_polling()
        for packets in (["4hello"], ["4test1", "4test2", "4test3"], ["4é", "4", "4🀄 !"]):
            self.assertEqual(await self.post(sid, self.p(*packets)), (200, b"ok"))
            self.assertEqual(await self.get(sid), (200, self.p(*packets)))

    async def test_a_pending_get_is_answered_when_there_is_something(self: Any) -> None:
        sid = await self.open_polling()
        pending = await self.pending(sid)
        self.assertEqual(await self.post(sid, self.p("4hello")), (200, b"ok"))
        self.assertEqual(await pending, (200, self.p("4hello")))

    async def test_text_over_a_websocket(self: Any) -> None:
        socket = await self.open_websocket()
        for packet in ("4hello", "4é🀄", "4", "4" + "x" * 900_000):
            socket.say(packet)
            self.assertEqual(await socket.received.get(), packet)

    async def test_malformed_packets_close_a_polling_session(self: Any) -> None:
        sid = await self.open_polling()
        self.assertEqual((await self.post(sid, "abc"))[0], 400)
        await self.assert_gone(sid)

    async def test_malformed_packets_close_a_websocket(self: Any) -> None:
        for packet in ("abc", "", "5", "0"):
            socket = await self.open_websocket()
            socket.say(packet)
            await socket.over

    async def test_a_second_get_closes_the_session(self: Any) -> None:
        sid = await self.open_polling()
        first = await self.pending(sid)
        self.assertEqual((await self.get(sid))[0], 400)
        self.assertEqual(await first, (200, self.p("1")))
        await self.assert_gone(sid)

    async def test_an_aborted_get_closes_the_session(self: Any) -> None:
        sid = await self.open_polling()
        pending = await self.pending(sid)
        pending.cancel()
        with self.assertRaises((CancelledError, ResponseFailed)):
            await pending
        await self.until(lambda: not self.server.sessions)
        await self.assert_gone(sid)

    async def test_a_body_over_the_limit_is_refused_and_nothing_else(self: Any) -> None:
        sid = await self.open_polling()
        for data in (b"4" * 1_000_001, Chunked(b"4" * 1_000_001)):
            status, _ = await self.ask("POST", self.query("polling", sid), data=data)
            self.assertEqual(status, 413)
        self.assertEqual(await self.post(sid, self.p("4hello")), (200, b"ok"))

    # -- closing ----------------------------------------------------------------------

    async def test_a_client_closes_its_polling_session(self: Any) -> None:
        sid = await self.open_polling()
        pending = await self.pending(sid)
        self.assertEqual(await self.post(sid, self.p("1")), (200, b"ok"))
        self.assertEqual(await pending, (200, self.p("6")))
        await self.assert_gone(sid)

    async def test_a_client_closes_its_websocket(self: Any) -> None:
        socket = await self.open_websocket()
        socket.say("1")
        await socket.over
        self.assertEqual(self.server.sessions, {})

    async def test_a_lost_websocket_ends_its_session(self: Any) -> None:
        socket = await self.open_websocket()
        socket.transport.abortConnection()
        await self.until(lambda: not self.server.sessions)

    # -- upgrading --------------------------------------------------------------------

    async def probe(self: Any, sid: str) -> Socket:
        socket: Socket = await self.websocket(self.query("websocket", sid))
        socket.say("2probe")
        self.assertEqual(await socket.received.get(), "3probe")
        return socket

    async def test_an_upgrade(self: Any) -> None:
        sid = await self.open_polling()
        socket = await self.probe(sid)
        self.assertEqual(await self.get(sid), (200, self.p("6")))
        socket.say("5", "4hello")
        self.assertEqual(await socket.received.get(), "4hello")

    async def test_the_probe_releases_a_pending_get(self: Any) -> None:
        sid = await self.open_polling()
        pending = await self.pending(sid)
        await self.probe(sid)
        self.assertEqual(await pending, (200, self.p("6")))

    async def test_polling_is_over_after_the_upgrade(self: Any) -> None:
        sid = await self.open_polling()
        socket = await self.probe(sid)
        socket.say("5", "4hello")
        self.assertEqual(await socket.received.get(), "4hello")
        self.assertEqual(await self.code("GET", self.query("polling", sid)), (400, 3))
        self.assertEqual(await self.code("POST", self.query("polling", sid)), (400, 3))
        socket.say("4still here")
        self.assertEqual(await socket.received.get(), "4still here")

    async def test_another_websocket_is_closed_alone(self: Any) -> None:
        sid = await self.open_polling()
        socket = await self.probe(sid)
        during = await self.websocket(self.query("websocket", sid))
        await during.over
        socket.say("5", "4hello")
        self.assertEqual(await socket.received.get(), "4hello")
        after = await self.websocket(self.query("websocket", sid))
        await after.over
        socket.say("4still here")
        self.assertEqual(await socket.received.get(), "4still here")

    async def test_a_wrong_probe_is_closed_alone(self: Any) -> None:
        sid = await self.open_polling()
        for packet in ("2wrong", "5", "4hello", BYTES):
            socket = await self.websocket(self.query("websocket", sid))
            socket.say(packet)
            await socket.over
        self.assertEqual(await self.post(sid, self.p("4hello")), (200, b"ok"))

    async def test_nothing_is_lost_or_doubled_by_an_upgrade_under_load(self: Any) -> None:
        sid = await self.open_polling()
        sent = [f"4{number}" for number in range(200)]
        got: list[str] = []
        for start in range(0, 100, 20):
            await self.post(sid, self.p(*sent[start : start + 20]))
        socket = await self.probe(sid)
        got += self.packets((await self.get(sid))[1])
        await self.post(sid, self.p(*sent[100:110]))
        socket.say("5", *sent[110:])
        while len(got) < len(sent):
            got.append(await socket.received.get())
        self.assertEqual(got, sent)

    def packets(self, payload: bytes) -> list[str]:
        raise NotImplementedError


class Version4(Common):
    eio = 4

    def p(self, *packets: str) -> bytes:
        return "\x1e".join(packets).encode()

    def packets(self, payload: bytes) -> list[str]:
        return payload.decode().split("\x1e")

    async def test_binary_over_polling(self: Any) -> None:
        sid = await self.open_polling()
        await self.post(sid, "4hello\x1ebAQIDBA==")
        self.assertEqual(await self.get(sid), (200, b"4hello\x1ebAQIDBA=="))

    async def test_binary_over_a_websocket(self: Any) -> None:
        socket = await self.open_websocket()
        socket.say(BYTES, b"")
        self.assertEqual([await socket.received.get() for _ in range(2)], [BYTES, b""])

    async def test_a_binary_body_closes_the_session(self: Any) -> None:
        sid = await self.open_polling()
        headers = {"Content-Type": "application/octet-stream"}
        self.assertEqual((await self.post(sid, "4hello", headers=headers))[0], 400)
        await self.assert_gone(sid)

    async def test_a_client_does_not_ping(self: Any) -> None:
        socket = await self.open_websocket()
        socket.say("2")
        await socket.over
        sid = await self.open_polling()
        self.assertEqual((await self.post(sid, "2"))[0], 400)
        await self.assert_gone(sid)


class Version3(Common):
    eio = 3

    def p(self, *packets: str) -> bytes:
        return "".join(
            f"{len(packet.encode('utf-16-le')) // 2}:{packet}" for packet in packets
        ).encode()

    def packets(self, payload: bytes) -> list[str]:
        text, packets = payload.decode(), []
        while text:
            size, _, text = text.partition(":")
            packets.append(text[: int(size)])
            text = text[int(size) :]
        return packets

    async def test_base64_over_polling(self: Any) -> None:
        sid = await self.open_polling(b64="1")
        await self.post(sid, "6:4hello10:b4AQIDBA==")
        self.assertEqual(await self.get(sid), (200, b"6:4hello10:b4AQIDBA=="))

    async def test_binary_over_polling(self: Any) -> None:
        sid = await self.open_polling()
        body = bytes.fromhex("00 06 ff 34 68 65 6c 6c 6f 01 05 ff 04 01 02 03 04")
        headers = {"Content-Type": "application/octet-stream"}
        self.assertEqual(await self.post(sid, body, headers=headers), (200, b"ok"))
        self.assertEqual(await self.get(sid), (200, body))

    async def test_binary_over_a_websocket(self: Any) -> None:
        socket = await self.open_websocket()
        socket.say(b"\x04" + BYTES)
        self.assertEqual(await socket.received.get(), b"\x04" + BYTES)

    async def test_a_client_pings(self: Any) -> None:
        socket = await self.open_websocket()
        sid = await self.open_polling()
        for _ in range(3):
            socket.say("2")
            self.assertEqual(await socket.received.get(), "3")
            await self.post(sid, "1:2")
            self.assertEqual(await self.get(sid), (200, b"1:3"))


class ExampleTests(TestCase):
    timeout = 20

    async def test_the_echo_server_runs(self) -> None:
        output = Output()
        command = [sys.executable, str(ROOT / "examples" / "engineio_echo.py"), "--port", "0"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        reactor.spawnProcess(output, command[0], command, environment)
        self.addCleanup(lambda: Deferred.fromCoroutine(output.stop()))
        port = (await output.first_line).rpartition(" ")[2]
        url = f"http://127.0.0.1:{port}/engine.io/?EIO=4&transport=polling"
        response = await treq.get(url, agent=Agent(reactor))
        self.assertEqual((await response.text())[:7], '0{"sid"')


class Version4FastTests(Version4, ConformanceCase):
    async def test_pings_are_answered_over_polling(self) -> None:
        sid = await self.open_polling()
        for _ in range(3):
            ping = await self.ask("GET", self.query("polling", sid))
            self.assertEqual(ping, (200, b"2"))
            self.assertEqual(await self.post(sid, "3"), (200, b"ok"))

    async def test_pings_are_answered_over_a_websocket(self) -> None:
        socket = await self.open_websocket()
        socket.shows_pings = True
        for _ in range(3):
            self.assertEqual(await socket.received.get(), "2")
            socket.say("3")

    async def test_a_client_that_does_not_answer_is_closed(self) -> None:
        socket = await self.open_websocket()
        socket.shows_pings = True
        sid = await self.open_polling()
        await deferLater(reactor, 0.5)
        await self.assert_gone(sid)
        await socket.over


class Version4SlowTests(Version4, ConformanceCase):
    ping_interval, ping_timeout = 25000, 20000


class Version3FastTests(Version3, ConformanceCase):
    async def test_a_client_that_does_not_ping_is_closed(self) -> None:
        socket = await self.open_websocket()
        sid = await self.open_polling()
        await deferLater(reactor, 0.5)
        self.assertEqual((await self.post(sid, "1:2"))[0], 400)
        await socket.over


class Version3SlowTests(Version3, ConformanceCase):
    ping_interval, ping_timeout = 25000, 20000
