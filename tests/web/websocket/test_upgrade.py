"""An HTTP connection becomes a WebSocket: in memory to the byte, then over real sockets."""

import gc
import json
import weakref
import zlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from socket import SO_RCVBUF, SO_SNDBUF, SOL_SOCKET
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import (
    SSL4ClientEndpoint,
    SSL4ServerEndpoint,
    TCP4ClientEndpoint,
    TCP4ServerEndpoint,
    UNIXClientEndpoint,
    UNIXServerEndpoint,
    connectProtocol,
)
from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.ssl import CertificateOptions, PrivateCertificate
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.trial.unittest import SynchronousTestCase, TestCase
from twisted.web import server
from twisted.web.resource import Resource

from gateway.engineio.deadlines import Deadlines
from gateway.engineio.interfaces import Connection
from gateway.engineio.meter import Meter
from gateway.engineio.packet import Packet
from gateway.engineio.server import Server
from gateway.engineio.settings import Settings
from gateway.web.http.counting import count_connections
from gateway.web.http.proxy_protocol import ProxyProtocolFactory
from gateway.web.http.timer import drive
from gateway.web.http.writer import CHUNK
from gateway.web.routes.engine import EngineResource
from gateway.web.security.addresses import is_loopback
from gateway.web.websocket import closing
from gateway.web.websocket.allowance import Allowance
from gateway.web.websocket.fallback import Fallback
from gateway.web.websocket.upgrade import UpgradeError, Upgrader, accept_key
from tests.patience import PATIENCE
from tests.web.certificates import write_certificate
from tests.web.peer import (
    ANSWER,
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    REQUEST,
    TEXT,
    Peer,
    Recorder,
    close,
    frame,
    said,
)
from tests.web.site import Visitors, build_site
from tests.web.wire import Wire

LIMIT = 100_000
GET = b"GET /socket.io/?slow HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Door(Resource):
    """Upgrades what asks for it, echoes text, and answers anything else when told."""

    isLeaf = True

    def __init__(self, upgrade: Upgrader) -> None:
        super().__init__()
        self.errors: list[UpgradeError] = []
        self.channels: list[Recorder] = []
        self.requests: list[Any] = []
        self._upgrade = upgrade

    def connect(self, sink: Any) -> Recorder:
        channel = Recorder(sink)
        channel.on_text = lambda data: sink.write(said(TEXT, data))
        self.channels.append(channel)
        return channel

    def render(self, request: server.Request) -> bytes | int:
        self.requests.append(request)
        if b"slow" in request.uri:
            return server.NOT_DONE_YET
        try:
            self._upgrade(request, self.connect)
        except UpgradeError as error:
            self.errors.append(error)
            request.setResponseCode(error.status)
            return b"refused"
        return server.NOT_DONE_YET


class UpgradeTestCase(SynchronousTestCase):
    """A connection to a site, over a wire."""

    def setUp(self) -> None:
        self.wire = Wire()
        reactor: Any = self.wire.reactor
        self.deadlines = Deadlines(reactor.seconds)
        self.door = Door(Upgrader(reactor, self.deadlines, Allowance(max_payload=LIMIT)))
        self.wire.protocol = self.site(reactor).buildProtocol(self.wire.getPeer())
        self.wire.protocol.makeConnection(self.wire)

    def site(self, reactor: Any) -> Any:
        """The gateway's own; `each_site` tries Twisted's, too."""
        return build_site(reactor, engine=self.door)

    def each_site(self) -> Iterator[str]:
        self.setUp()
        yield "the gateway's"
        ours, self.site = self.site, lambda reactor: server.Site(self.door, reactor=reactor)
        self.setUp()
        yield "Twisted's"
        self.site = ours

    def receive(self, *data: bytes) -> None:
        """What the peer sends, and what the reactor does about it."""
        for each in data:
            if self.wire in self.wire.reactor.readers:
                self.wire.protocol.dataReceived(each)
        self.wire.take(self.wire.kernel.room)
        self.wire.turn()

    @property
    def sent(self) -> bytes:
        return self.wire.kernel.sent

    @property
    def heard(self) -> list[Any]:
        return self.door.channels[0].heard


class RequestTests(UpgradeTestCase):
    def test_the_answer_is_that_of_the_rfc(self) -> None:
        for site in self.each_site():
            self.receive(REQUEST)
            self.assertEqual(self.sent, ANSWER, site)
        self.assertEqual(accept_key(b"dGhlIHNhbXBsZSBub25jZQ=="), b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")

    def test_the_first_subprotocol_is_agreed_to(self) -> None:
        for site in self.each_site():
            self.wire.protocol.dataReceived(
                REQUEST.replace(
                    b"\r\n\r\n",
                    b"\r\nSec-WebSocket-Protocol: chat, v2\r\nSec-WebSocket-Protocol: v3\r\n\r\n",
                )
            )
            lines = self.wire.kernel.sent.split(b"\r\n")
            self.assertIn(b"Sec-WebSocket-Protocol: chat", lines, site)

    def test_empty_places_in_a_list_of_subprotocols_do_not_count(self) -> None:
        for value, answer in (
            (b", chat", [b"chat"]),
            (b" ,\t,v2,", [b"v2"]),
            (b",", []),
            (b"", []),
        ):
            self.setUp()
            line = b"\r\nSec-WebSocket-Protocol: " + value + b"\r\n\r\n"
            self.wire.protocol.dataReceived(REQUEST.replace(b"\r\n\r\n", line))
            head, _, _ = self.wire.kernel.sent.partition(b"\r\n\r\n")
            self.assertTrue(head.startswith(b"HTTP/1.1 101 "), value)
            agreed = [each[24:] for each in head.split(b"\r\n") if b"-Protocol: " in each]
            self.assertEqual(agreed, answer, value)

    def test_what_is_no_subprotocol_is_refused(self) -> None:
        for value in (b"a b", b"a\tb, c", b"\xff", b"a/b"):
            self.setUp()
            self.wire.protocol.dataReceived(
                REQUEST.replace(b"\r\n\r\n", b"\r\nSec-WebSocket-Protocol: %s\r\n\r\n" % value)
            )
            self.assertEqual([each.status for each in self.door.errors], [400], value)

    def test_header_fields_are_read_as_lists_of_any_case(self) -> None:
        for old, new in (
            (b"Upgrade: websocket", b"upgrade: WebSocket"),
            (b"Upgrade: websocket", b"Upgrade: h2c, websocket"),
            (b"Connection: Upgrade", b"Connection: keep-alive, UPGRADE"),
            (b"Connection: Upgrade", b"Connection: keep-alive\r\nConnection: upgrade"),
            (b"Host: localhost", b"Host: localhost\r\nContent-Length: 0"),
        ):
            self.setUp()
            self.receive(REQUEST.replace(old, new))
            self.assertEqual(self.sent, ANSWER, new)

    def test_what_the_rfc_does_not_allow_is_refused_and_nothing_has_changed(self) -> None:
        key = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
        version = b"Sec-WebSocket-Version: 13"
        for status, old, new in (
            (400, b"Upgrade: websocket\r\n", b""),
            (400, b"Upgrade: websocket", b"Upgrade: websockets"),
            (400, b"Connection: Upgrade\r\n", b""),
            (400, b"Connection: Upgrade", b"Connection: keep-alive"),
            (400, key, b"X: y"),
            (400, key, key + b"\r\n" + key),
            (400, key, b"Sec-WebSocket-Key: "),
            (400, key, b"Sec-WebSocket-Key: c2hvcnQ="),
            (400, key, b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ"),
            (400, key, b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ!=="),
            (400, key, b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZWU="),
            (426, version, b"X: y"),
            (426, version, b"Sec-WebSocket-Version: 8"),
            (426, version, b"Sec-WebSocket-Version: 14"),
            (426, version, b"Sec-WebSocket-Version: 13, 8"),
            (426, version, version + b"\r\nSec-WebSocket-Version: 8"),
            (400, b"GET", b"POST"),
            (400, b"Host: localhost", b"Host: localhost\r\nContent-Length: 1"),
            (400, b"Host: localhost", b"Host: localhost\r\nTransfer-Encoding: chunked"),
        ):
            for site in self.each_site():
                request = REQUEST.replace(old, new)
                self.assertNotEqual(request, REQUEST)
                body = b"x" if b"Length: 1" in new else b"0\r\n\r\n" if b"chunked" in new else b""
                self.receive(request + body + REQUEST + frame(b"hello"))
                self.assertEqual(
                    [error.status for error in self.door.errors], [status], (new, site)
                )
                refusal, _, rest = self.sent.partition(b"refused")
                self.assertIn(b" %d " % status, refusal)
                self.assertEqual(rest, ANSWER + said(TEXT, b"hello"), new)

    def test_http_1_0_can_not_be_upgraded(self) -> None:
        for site in self.each_site():
            self.receive(REQUEST.replace(b"HTTP/1.1", b"HTTP/1.0"))
            self.assertEqual([error.status for error in self.door.errors], [400], site)

    def test_another_version_is_told_ours(self) -> None:
        self.receive(REQUEST.replace(b"Version: 13", b"Version: 12"))
        self.assertEqual(
            self.door.errors[0].headers,
            {"sec_websocket_version": "13", "upgrade": "websocket", "connection": "Upgrade"},
        )


class EngineTests(UpgradeTestCase):
    """The same behind Engine.IO's resource."""

    def site(self, reactor: Any) -> Any:
        self.server = Server(Settings(), lambda session: Application(), self.deadlines)
        self.is_worker = False
        allowance = Allowance(
            max_payload=LIMIT, worker_payload=3 * LIMIT, is_worker=lambda _: self.is_worker
        )
        upgrade = Upgrader(reactor, self.deadlines, allowance, deflate=True)
        return build_site(reactor, engine=EngineResource(self.server, upgrade))

    def test_a_websocket_opens_a_session(self) -> None:
        self.receive(REQUEST)
        self.assertTrue(self.sent.startswith(ANSWER + b"\x81"))
        self.assertEqual(len(self.server.sessions), 1)
        self.receive(close())
        self.assertEqual(len(self.server.sessions), 0)
        self.assertTrue(self.sent.endswith(said(CLOSE, b"\x03\xe8")))
        self.assertEqual(self.sent.count(said(CLOSE, b"\x03\xe8")), 1)

    def test_refusals_are_json_and_the_connection_goes_on(self) -> None:
        for status, old, new in (
            (b"400 Bad Request", b"Connection: Upgrade", b"Connection: close-not"),
            (b"426 ", b"Version: 13", b"Version: 7"),
        ):
            self.setUp()
            self.receive(REQUEST.replace(old, new))
            head, _, body = self.sent.partition(b"\r\n\r\n")
            self.assertTrue(head.startswith(b"HTTP/1.1 " + status), head)
            self.assertIn(b"application/json", head.lower())
            self.assertEqual(json.loads(body)["code"], 3)
            self.assertEqual(b"sec-websocket-version: 13" in head.lower(), b"426" in status)
            self.receive(REQUEST)
            self.assertIn(ANSWER, self.sent)

    def test_messages_are_compressed_for_who_asked(self) -> None:
        offer = b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
        for asked in (False, True):
            self.setUp()
            self.receive(REQUEST[:-2] + offer if asked else REQUEST)
            head = self.sent.partition(b"\r\n\r\n")[0]
            self.assertEqual(b"permessage-deflate" in head, asked)
            (session,) = self.server.sessions.values()
            session.send(Packet(b"4" + b"x" * 1000))
            self.assertEqual(b"x" * 1000 in self.sent, not asked)
            self.assertLess(len(self.sent), 1000 + 500 * (not asked))

    def test_the_worker_may_inflate_to_its_own_limit_and_others_to_theirs(self) -> None:
        squeezer = zlib.compressobj(wbits=-15)
        long = squeezer.compress(b"4" * 2 * LIMIT) + squeezer.flush(zlib.Z_SYNC_FLUSH)
        message = frame(long.removesuffix(b"\0\0\xff\xff"), rsv=4)
        for is_worker in (True, False):
            self.setUp()
            self.is_worker = is_worker
            self.receive(REQUEST[:-2] + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n")
            self.receive(message)
            self.assertEqual(len(self.server.sessions), int(is_worker))

    def test_nothing_is_kept_of_what_a_message_was_inflated_with(self) -> None:
        kept: list[Any] = []
        on_message = Fallback.onMessage

        def note(fallback: Fallback, payload: bytes, isBinary: bool) -> None:
            on_message(fallback, payload, isBinary)
            kept.extend(each._decompressor for each in fallback.websocket_extensions_in_use)

        self.patch(Fallback, "onMessage", note)
        squeezer = zlib.compressobj(wbits=-15)
        noop = squeezer.compress(b"6") + squeezer.flush(zlib.Z_SYNC_FLUSH)
        self.receive(REQUEST[:-2] + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n")
        for _ in range(2):
            self.receive(frame(noop.removesuffix(b"\0\0\xff\xff"), rsv=4))
        self.assertEqual((kept, len(self.server.sessions)), ([None, None], 1))

    def test_shutting_down_says_1001_also_through_autobahn(self) -> None:
        self.receive(REQUEST + frame(b"", PING))
        self.server.close()
        self.assertTrue(self.sent.endswith(said(PONG) + said(CLOSE, b"\x03\xe9")), self.sent)


class Application(Connection):
    def message(self, packet: Any) -> None: ...

    def closed(self, reason: str) -> None: ...


class TakeOverTests(UpgradeTestCase):
    def test_frames_in_the_segment_of_the_request_are_heard(self) -> None:
        for site in self.each_site():
            more = frame(b"one") + frame(b"", PING) + frame(b"tw", fin=False)
            self.receive(REQUEST + more)
            self.receive(frame(b"o", CONTINUATION))
            self.assertEqual(self.heard, [("text", b"one"), ("text", b"two")], site)
            self.assertEqual(
                self.sent, ANSWER + said(TEXT, b"one") + said(PONG) + said(TEXT, b"two")
            )

    @settings(deadline=None, max_examples=40)
    @given(st.lists(st.integers(0, len(REQUEST) + 30), max_size=10))
    def test_request_and_frames_may_be_cut_anywhere(self, cuts: list[int]) -> None:
        self.setUp()
        stream = REQUEST + frame(b"one") + frame(b"two")
        places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
        for start, end in pairwise(places):
            if start != end:
                self.receive(stream[start:end])
        self.assertEqual(self.sent, ANSWER + said(TEXT, b"one") + said(TEXT, b"two"))

    def test_one_byte_at_a_time(self) -> None:
        stream = REQUEST + frame(b"one") + frame(b"x" * 200)
        self.receive(*(stream[index : index + 1] for index in range(len(stream))))
        self.assertEqual(self.heard, [("text", b"one"), ("text", b"x" * 200)])

    def test_a_pipelined_upgrade_waits_for_its_turn_and_its_frames_with_it(self) -> None:
        for site in self.each_site():
            self.receive(GET + REQUEST + frame(b"one"), frame(b"two"))
            self.assertEqual(self.sent, b"")
            self.door.requests[0].write(b"slowly")
            self.door.requests[0].finish()
            self.receive(frame(b"three"))
            answer, found, rest = self.sent.partition(ANSWER)
            self.assertIn(b"slowly", answer, site)
            self.assertTrue(found)
            self.assertEqual(
                rest, b"".join(said(TEXT, each) for each in (b"one", b"two", b"three"))
            )

    def test_an_answer_that_is_not_sent_yet_is_not_overtaken(self) -> None:
        for site in self.each_site():
            self.wire.kernel.room = 10
            self.receive(GET + REQUEST + frame(b"one"))
            self.door.requests[0].write(b"a" * 1000)
            self.door.requests[0].finish()
            self.wire.take()
            answer, _, rest = self.sent.partition(ANSWER)
            self.assertIn(b"a" * 1000, answer, site)
            self.assertEqual(rest, said(TEXT, b"one"))

    def test_a_back_pressured_http_channel_leaves_no_trace(self) -> None:
        # More than the transport's buffer waits, and more was pipelined than is read ahead.
        for site in self.each_site():
            self.wire.kernel.room = 0
            self.receive(GET + REQUEST + frame(b"x" * 20_000) + frame(b"y" * 20_000))
            self.door.requests[0].write(b"a" * 200_000)
            self.door.requests[0].finish()
            self.wire.take()
            self.receive(frame(b"end"))
            self.assertTrue(
                self.sent.endswith(said(TEXT, b"y" * 20_000) + said(TEXT, b"end")), site
            )
            self.assertIn(self.wire, self.wire.reactor.readers)

    def test_a_back_pressured_websocket_still_closes(self) -> None:
        for site in self.each_site():
            self.receive(REQUEST)
            self.wire.kernel.room = 0
            sink = self.door.channels[0].sink
            self.assertFalse(sink.write(b"x" * 300_000))
            sink.close()
            self.wire.take()
            self.assertTrue(self.sent.endswith(b"x" + said(CLOSE, b"\x03\xe8")), site)
            self.receive(close())
            self.wire.take()
            self.assertIs(self.wire.why, ConnectionDone)

    def test_no_time_limit_of_http_holds_any_more(self) -> None:
        for site in self.each_site():
            self.receive(REQUEST)
            self.wire.reactor.pump([1] * 200)
            self.receive(frame(b"still here"))
            self.assertEqual(self.heard, [("text", b"still here")], site)
            self.assertIsNone(self.wire.why)

    def test_channel_and_request_are_freed_at_once_while_the_websocket_lives(self) -> None:
        gc.disable()  # a circle would wait for it
        self.addCleanup(gc.enable)
        for site in self.each_site():
            channel = weakref.ref(self.wire.protocol)
            self.receive(REQUEST + frame(b"hello"))
            request = weakref.ref(self.door.requests.pop())
            self.assertIsNone(channel(), site)
            self.assertIsNone(request(), site)
            self.assertEqual(self.heard, [("text", b"hello")])

    def test_the_end_of_the_connection_is_told_once_and_to_the_websocket(self) -> None:
        for site in self.each_site():
            self.receive(REQUEST)
            self.wire.connectionLost()
            self.assertEqual(self.heard, ["lost"], site)


class FailureTests(UpgradeTestCase):
    def fails(self, why: str) -> None:
        self.wire.turn()
        self.assertIs(self.wire.why, ConnectionAborted)
        (failure,) = self.flushLoggedErrors(RuntimeError)
        self.assertEqual(str(failure.value), why)

    def test_a_channel_that_can_not_be_made_costs_its_connection(self) -> None:
        def connect(sink: Any) -> Recorder:
            raise RuntimeError("no channel")

        self.door.connect = connect
        self.receive(REQUEST + frame(b"hello"))
        self.fails("no channel")
        self.assertEqual(self.sent, ANSWER)

    def test_a_channel_that_fails_on_the_first_frame_is_told_of_the_end(self) -> None:
        def fail(data: bytes) -> None:
            raise RuntimeError("no text")

        made = self.door.connect

        def connect(sink: Any) -> Recorder:
            channel = made(sink)
            channel.on_text = fail
            return channel

        self.door.connect = connect
        self.receive(REQUEST + frame(b"hello"))
        self.fails("no text")
        self.assertEqual(self.heard, [("text", b"hello"), "lost"])

    def test_a_channel_that_closes_at_once(self) -> None:
        made = self.door.connect

        def connect(sink: Any) -> Recorder:
            sink.close(1000)
            return made(sink)

        self.door.connect = connect
        self.receive(REQUEST + frame(b"hello"), close())
        self.assertEqual(self.sent, ANSWER + said(CLOSE, b"\x03\xe8"))
        self.assertEqual(self.heard, [])
        self.assertIs(self.wire.why, ConnectionDone)


BLOCK = 65_536
ALL = 32 * BLOCK
"""More than all buffers together hold of it."""


class Sockets:
    """Over real sockets; a subclass says which."""

    timeout = 2 * PATIENCE
    greeting = b""
    """What a peer says before HTTP."""

    async def setUp(self) -> None:
        from twisted.internet import reactor

        self.reactor: Any = reactor
        deadlines = Deadlines(reactor.seconds)
        self.addCleanup(drive(reactor, deadlines).stop)
        self.door = Door(Upgrader(self.reactor, deadlines, Allowance(max_payload=LIMIT)))
        port = await self.server().listen(build_site(self.reactor, engine=self.door))
        self.visitors = Visitors()
        count_connections(port, self.visitors, self.reactor)
        self.addCleanup(port.stopListening)
        self.addCleanup(self.visitors.gone)
        self.peer = await connectProtocol(self.client(port.getHost()), Peer())
        self.addCleanup(self.hang_up)
        self.peer.transport.write(self.greeting)

    def server(self) -> Any:
        raise NotImplementedError

    def client(self, address: Any) -> Any:
        raise NotImplementedError

    def hang_up(self) -> Any:
        if self.peer.lost.called:
            return None
        self.peer.transport.abortConnection()
        return self.peer.lost

    async def upgrade(self) -> None:
        self.peer.transport.write(REQUEST)
        await self.peer.until_got(ANSWER)
        self.channel = self.door.channels[0]
        self.sink = self.channel.sink

    async def fill(self) -> None:
        """The peer stops reading, and we write as an outbox does until nothing moves."""
        self.peer.transport.pauseProducing()
        _bare(self.peer.transport).socket.setsockopt(SOL_SOCKET, SO_RCVBUF, BLOCK)
        _bare(self.sink.transport).socket.setsockopt(SOL_SOCKET, SO_SNDBUF, BLOCK)
        self.written = b""
        self.channel.on_room = self.pump
        self.pump()
        await self.mark()
        await self.mark()
        self.assertLess(len(self.written), ALL)

    def pump(self) -> None:
        """Write while there is room, until all is written."""
        room = True
        while room and len(self.written) < ALL:
            block = said(BINARY, b"%08d" % len(self.written) * (BLOCK // 8))
            room = self.sink.write(block)
            self.written += block

    async def mark(self) -> None:
        """Wait until we have heard the peer, which gets a pong for it besides."""
        heard: Deferred[bytes] = Deferred()
        self.channel.on_text = heard.callback
        self.peer.transport.write(frame(b"", PING) + frame(b"mark"))
        await heard

    async def lost(self) -> None:
        """Wait until the channel is told of the end."""
        lost: Deferred[None] = Deferred()
        self.channel.on_lost = lambda: lost.callback(None)
        await lost

    async def test_an_upgrade_with_a_frame_in_its_segment(self) -> None:
        self.peer.transport.write(REQUEST + frame(b"hello"))
        await self.peer.until_got(said(TEXT, b"hello"))
        self.assertEqual(self.peer.got, ANSWER + said(TEXT, b"hello"))

    async def test_the_peer_closes(self) -> None:
        await self.upgrade()
        self.peer.transport.write(close(1001))
        await self.visitors.gone()
        self.assertIs(await self.peer.lost, ConnectionDone)
        self.assertEqual(self.peer.frames, [(CLOSE, b"\x03\xe9")])
        self.assertEqual(self.channel.heard, ["lost"])

    async def test_the_peer_closes_and_autobahn_reads(self) -> None:
        await self.upgrade()
        self.peer.transport.write(frame(b"", PING) + close(3000, b"bye"))
        await self.visitors.gone()
        self.assertIs(await self.peer.lost, ConnectionDone)
        self.assertEqual(self.peer.frames, [(PONG, b""), (CLOSE, b"\x0b\xb8bye")])
        self.assertEqual(self.channel.heard, ["lost"])

    async def test_we_close(self) -> None:
        await self.upgrade()
        self.sink.close(1000)
        await self.peer.until_got(said(CLOSE, b"\x03\xe8"))
        self.peer.transport.write(frame(b"", PING) + close())
        await self.visitors.gone()
        self.assertIs(await self.peer.lost, ConnectionDone)
        self.assertEqual(self.peer.frames, [(CLOSE, b"\x03\xe8")])
        self.assertEqual(self.channel.heard, [])

    async def test_a_peer_that_vanishes(self) -> None:
        await self.upgrade()
        self.peer.transport.abortConnection()
        await self.lost()
        self.assertEqual(self.channel.heard, ["lost"])

    async def test_a_peer_that_stops_reading_and_reads_again(self) -> None:
        await self.upgrade()
        await self.fill()
        self.assertLessEqual(_in_transport(self.sink.transport), self.in_transport)
        self.peer.transport.resumeProducing()
        await self.peer.until(lambda: len(self.written) >= ALL)
        self.sink.write(said(TEXT, b"the end"))
        await self.peer.until_got(said(TEXT, b"the end"))
        pong = said(PONG)
        got = self.peer.got.removeprefix(ANSWER).removesuffix(said(TEXT, b"the end"))
        self.assertEqual(got.count(pong), 2)
        self.assertEqual(got.replace(pong, b""), self.written)

    async def test_a_full_transport_delivers_everything_and_the_close(self) -> None:
        await self.upgrade()
        await self.fill()
        self.sink.close()
        self.peer.transport.resumeProducing()
        await self.peer.until_got(said(CLOSE, b"\x03\xe8"))
        self.peer.transport.write(close())
        await self.visitors.gone()
        self.assertIs(await self.peer.lost, ConnectionDone)
        self.assert_complete()

    async def test_a_peer_that_closes_while_it_does_not_read_gets_everything(self) -> None:
        await self.upgrade()
        await self.fill()
        self.peer.transport.write(close())
        await self.lost()
        self.peer.transport.resumeProducing()
        self.assertIs(await self.peer.lost, ConnectionDone)
        self.assert_complete()

    def assert_complete(self) -> None:
        *messages, last = self.peer.frames
        self.assertEqual(last, (CLOSE, b"\x03\xe8"))
        self.assertEqual(
            b"".join(said(*each) for each in messages if each[0] == BINARY), self.written
        )

    async def test_a_peer_that_never_reads_is_dropped(self) -> None:
        self.patch(closing, "CLOSE_TIMEOUT", 0.05)
        await self.upgrade()
        await self.fill()
        self.sink.close()
        await self.visitors.gone()

    async def test_a_peer_that_closes_and_stops_reading_is_dropped(self) -> None:
        # TLS would wait for the other end's goodbye for ever.
        self.patch(closing, "CLOSE_TIMEOUT", 0.05)
        await self.upgrade()
        self.peer.transport.write(close())
        self.peer.transport.pauseProducing()
        await self.visitors.gone()
        self.assertEqual(self.channel.heard, ["lost"])


def _in_transport(transport: Any) -> int:
    """Bytes that wait in a transport of Twisted's, below TLS too."""
    size = 0
    if isinstance(transport, TLSMemoryBIOProtocol):
        size += sum(map(len, transport._aggregator._buffer + transport._appSendBuffer))
    bare = _bare(transport)
    return size + len(bare.dataBuffer) - bare.offset + bare._tempDataLen


def _bare(transport: Any) -> Any:
    """The connection below TLS."""
    return getattr(transport, "transport", transport)


class Tcp(Sockets):
    def server(self) -> Any:
        return TCP4ServerEndpoint(self.reactor, 0, interface="127.0.0.1")

    def client(self, address: Any) -> Any:
        return TCP4ClientEndpoint(self.reactor, "127.0.0.1", address.port)


class TcpTests(Tcp, TestCase):
    in_transport = CHUNK

    async def test_a_peer_that_hangs_up_at_once_has_said_it_all_the_same(self) -> None:
        await self.upgrade()
        self.channel.session = SimpleNamespace(meter=Meter(0, 0, self.reactor.seconds))
        self.sink.start(self.channel)  # with a meter, so that it is heard in slices
        self.sink.transport.bufferSize = BLOCK // 4  # most of it is still to be read by then
        words = [b"%05d" % number for number in range(5000)]
        said = b"".join(map(frame, words))
        self.assertEqual(_bare(self.peer.transport).socket.send(said), len(said))
        self.peer.transport.abortConnection()
        await self.lost()
        self.assertEqual(self.channel.heard, [*[("text", word) for word in words], "lost"])


class UnixTests(Sockets, TestCase):
    in_transport = CHUNK

    def server(self) -> Any:
        folder = TemporaryDirectory()  # a socket's path must be short
        self.addCleanup(folder.cleanup)
        return UNIXServerEndpoint(self.reactor, f"{folder.name}/socket")

    def client(self, address: Any) -> Any:
        return UNIXClientEndpoint(self.reactor, address.name.decode())


class TlsTests(Sockets, TestCase):
    in_transport = 2 * 65_536 + 2 * CHUNK
    """Twisted gathers 64 kB before it encrypts them; its TCP is full at 64 KiB."""

    def server(self) -> Any:
        path = Path(self.mktemp())
        write_certificate(path, "localhost")
        options = PrivateCertificate.loadPEM(path.read_bytes()).options()
        return SSL4ServerEndpoint(self.reactor, 0, options, interface="127.0.0.1")

    def client(self, address: Any) -> Any:
        return SSL4ClientEndpoint(self.reactor, "127.0.0.1", address.port, CertificateOptions())


class ProxiedTests(Tcp, TestCase):
    """Here the transport writes, and ends when it can't."""

    greeting = b"PROXY TCP4 192.0.2.1 127.0.0.1 4711 3001\r\n"
    in_transport = 65_536 + CHUNK

    def server(self) -> Any:
        return BehindProxy(super().server())


class BehindProxy:
    """An endpoint on which a proxy announces its clients."""

    def __init__(self, below: Any) -> None:
        self._below = below

    def listen(self, site: Any) -> Any:
        return self._below.listen(ProxyProtocolFactory(site, is_loopback, lambda: False))
