"""Caps, and whose connections count: also over real sockets, behind proxies."""

from typing import Any

from twisted.internet.defer import ensureDeferred
from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.deadlines import Deadlines
from gateway.engineio.server import Server
from gateway.engineio.session import Session
from gateway.engineio.settings import Settings as EngineSettings
from gateway.web.http.counting import Caps
from gateway.web.http.listen import Listeners
from gateway.web.http.listen_plan import ListenAddress
from gateway.web.http.timer import drive
from gateway.web.routes.engine import EngineResource
from gateway.web.security.guard import Guard
from gateway.web.security.guard_settings import GuardSettings
from gateway.web.websocket.allowance import Allowance
from gateway.web.websocket.upgrade import Upgrader
from tests.engineio.world import Recorder as Application
from tests.web.peer import REQUEST
from tests.web.site import Recorder, SocketTestCase, Visitors, build_site

CAP = 5
SETTINGS = GuardSettings(trusted_proxies=["10.0.0.0/8", "127.0.0.1"])
PROXY = b"PROXY TCP4 10.0.0.1 127.0.0.1 50000 3001\r\n"
SLOW = b"GET /socket.io/slow HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: %s\r\n\r\n"


class CapsTests(SynchronousTestCase):
    def test_one_address_can_not_take_all(self) -> None:
        caps = Caps(total=10, per_address=2)
        self.assertEqual([caps.opened("192.0.2.1") for _ in range(3)], [True, True, False])
        self.assertTrue(caps.opened("192.0.2.2"))
        self.assertEqual((caps.count, caps.refused), (4, 1))

    def test_this_machine_counts_in_the_total_only(self) -> None:
        caps = Caps(total=5, per_address=1)
        local = ["127.0.0.1", "::1", "::ffff:127.0.0.1", "", "127.0.0.1"]
        self.assertEqual([caps.opened(host) for host in local], [True] * 5)
        self.assertFalse(caps.opened("127.0.0.1"))

    def test_who_is_exempt_counts_in_the_total_only(self) -> None:
        caps = Caps(total=3, per_address=1, exempt="10.0.0.1".__eq__)
        self.assertEqual([caps.opened("10.0.0.1") for _ in range(4)], [True] * 3 + [False])

    def test_a_connection_counts_as_that_of_who_is_told(self) -> None:
        caps = Caps(total=100, per_address=2, exempt="10.0.0.1".__eq__)
        for _ in range(4):
            self.assertTrue(caps.opened("10.0.0.1"))
        clients = ["192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.1"]
        for _ in clients:
            caps.left("10.0.0.1")
        self.assertEqual([caps.entered(each) for each in clients], [True, True, True, False])
        caps.left("192.0.2.1")
        self.assertEqual((caps.count, caps.refused), (4, 1))

    def test_an_ipv6_client_counts_by_its_64(self) -> None:
        caps = Caps(total=100, per_address=2)
        mine = ["2001:db8:1:2::1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2:ffff::%eth0"]
        self.assertEqual([caps.opened(each) for each in mine], [True, True, False])
        self.assertTrue(caps.opened("2001:db8:1:3::1"))
        self.assertTrue(caps.opened("::ffff:192.0.2.1"))
        self.assertTrue(caps.opened("192.0.2.1"))
        self.assertFalse(caps.opened("::ffff:192.0.2.1"))
        for each in mine:
            caps.closed(each)
        self.assertTrue(caps.opened("2001:db8:1:2::1"))

    def test_who_goes_makes_room(self) -> None:
        caps = Caps(total=1, per_address=1)
        for _ in range(3):
            self.assertTrue(caps.opened("192.0.2.1"))
            self.assertFalse(caps.opened("192.0.2.1"))
            caps.closed("192.0.2.1")
            caps.closed("192.0.2.1")
        self.assertEqual(caps.count, 0)


class ProxyTestCase(SocketTestCase):
    """A proxy on another machine, as one on this machine announces it."""

    def setUp(self) -> None:
        super().setUp()
        self.caps = Visitors(CAP, Guard(SETTINGS).proxies.believes)
        self.addCleanup(self.caps.gone)

    async def serve(self, site: Any) -> None:
        listeners = Listeners(self.reactor, site, self.caps, Guard(SETTINGS).proxies.believes)
        self.addCleanup(lambda: ensureDeferred(listeners.close()))
        await listeners.open([ListenAddress(endpoint="haproxy:tcp:0:interface=127.0.0.1")], 0)
        self.port = listeners.port


class RequestTests(ProxyTestCase):
    async def setUp(self) -> None:
        super().setUp()
        await self.serve(build_site(self.reactor, settings=SETTINGS, engine=self.engine))

    async def ask(self, client: bytes, connection: Recorder | None = None) -> Recorder:
        """Ask for what is answered when the test wants it."""
        if connection is None:
            connection = await self.connect(self.port)
            connection.transport.write(PROXY)
        connection.transport.write(SLOW % client)
        return connection

    async def waiting(self, number: int) -> None:
        while len(self.engine.waiting) < number:
            await self.turn()

    def answer_all(self) -> None:
        for request in self.engine.waiting:
            request.write(b"")
            request.finish()
        self.engine.waiting.clear()

    async def test_each_client_has_a_cap_of_its_own(self) -> None:
        for number in range(8):
            for _ in range(2):
                await self.ask(b"192.0.2.%d" % number)
        await self.waiting(16)
        self.assertEqual((self.caps.count, self.caps.refused), (16, 0))

    async def test_one_too_many_is_told_and_the_proxys_connection_stays(self) -> None:
        for _ in range(CAP):
            await self.ask(b"192.0.2.1")
        await self.waiting(CAP)
        connection = await self.ask(b"192.0.2.1")
        await connection.until(b"HTTP/1.1 429 ")
        await connection.until(b"--max-connections-per-address")
        await self.ask(b"192.0.2.2", connection)
        await self.waiting(CAP + 1)
        self.assertEqual(self.caps.refused, 1)

    async def test_what_is_answered_counts_no_longer(self) -> None:
        for _ in range(2):
            connections = [await self.ask(b"192.0.2.1") for _ in range(CAP)]
            await self.waiting(CAP)
            self.answer_all()
            for connection in connections:
                await connection.until(b"HTTP/1.1 200 ")
        self.assertEqual((self.caps.count, self.caps.refused), (2 * CAP, 0))

    async def test_one_connection_serves_one_client_after_the_other(self) -> None:
        connection = await self.ask(b"192.0.2.1")
        for number in range(1, 4 * CAP):
            await self.waiting(1)
            self.answer_all()
            await connection.until(b"HTTP/1.1 200 ", number)
            await self.ask(b"192.0.2.1", connection)
        self.assertEqual((self.caps.count, self.caps.refused), (1, 0))

    async def test_who_is_announced_has_a_cap_on_connections(self) -> None:
        head = b"PROXY TCP4 192.0.2.1 127.0.0.1 50000 3001\r\n"
        held = [await self.connect(self.port) for _ in range(CAP + 1)]
        for connection in held:
            connection.transport.write(head)
            await self.turn()
        await held[-1].closed
        self.assertEqual((self.caps.count, self.caps.refused), (CAP, 1))


class WebSocketTests(ProxyTestCase):
    """Real sessions behind the proxy: WebSockets count until they are closed."""

    async def setUp(self) -> None:
        super().setUp()
        self.sessions: list[Session] = []
        deadlines = Deadlines(self.reactor.seconds)
        self.addCleanup(drive(self.reactor, deadlines).stop)
        server = Server(EngineSettings(), self.come, deadlines)
        self.addCleanup(server.close)
        allowance = Allowance(max_payload=1000)
        upgrader = Upgrader(self.reactor, deadlines, allowance)
        engine = EngineResource(server, upgrader, allowance=allowance)
        await self.serve(build_site(self.reactor, settings=SETTINGS, engine=engine))

    def come(self, session: Session) -> Application:
        self.sessions.append(session)
        return Application(session)

    async def upgrade(self, client: bytes, answer: bytes) -> Recorder:
        connection = await self.connect(self.port)
        first, rest = REQUEST.split(b"\r\n", 1)
        first = b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1"
        connection.transport.write(
            PROXY + first + b"\r\nX-Forwarded-For: 127.0.0.1, %s\r\n" % client + rest
        )
        await connection.until(b"HTTP/1.1 " + answer)
        return connection

    async def test_each_client_has_a_cap_of_its_own(self) -> None:
        for number in range(8):
            await self.upgrade(b"192.0.2.%d" % number, b"101")
        self.assertEqual(
            [str(each.peer) for each in self.sessions], [f"192.0.2.{n}" for n in range(8)]
        )
        self.assertEqual({each.peer.host for each in self.sessions}, {"127.0.0.1"})

    async def test_they_count_until_they_are_closed(self) -> None:
        held = [await self.upgrade(b"2001:db8::%d" % number, b"101") for number in range(CAP)]
        await self.upgrade(b"2001:db8::9", b"429")
        held[0].transport.abortConnection()
        await held[0].closed
        while self.caps.count > CAP:
            await self.turn()
        await self.upgrade(b"2001:db8::9", b"101")
