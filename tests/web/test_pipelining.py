"""Requests that come behind others: one of all connections in each turn of the reactor."""

import errno
from functools import partial
from typing import TYPE_CHECKING, Any

from twisted.internet.error import ConnectionAborted, ConnectionLost
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from gateway.common.rate import Throttle
from gateway.web.http.limits import Limits, Turns
from gateway.web.http.proxy_protocol import ProxyProtocolFactory, ProxyProtocolReactor
from gateway.web.http.request import Request
from tests.web.site import Echo, Memory, SocketTestCase, build_site
from tests.web.tls_wire import Creator, TlsWire
from tests.web.wire import Wire

if TYPE_CHECKING:
    from gateway.web.http.channel import HttpChannel

ASK = b"GET /socket.io/ HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Greedy:
    """Somebody who always has a request more."""

    taken = 0
    has_more = True

    def take_turn(self) -> None:
        self.taken += 1


class Turning(Clock):
    """A clock that does one turn of a reactor at a time."""

    def turn(self, seconds: float = 0) -> None:
        """What is due now, and nothing that is asked for meanwhile."""
        self.rightNow += seconds
        for call in [each for each in self.calls if each.getTime() <= self.rightNow]:
            self.calls.remove(call)
            call.called = 1
            call.func(*call.args, **call.kw)


class Client:
    """A plain TCP connection."""

    def __init__(self, site: Any) -> None:
        self.wire = Wire()
        self.channel: HttpChannel = site.buildProtocol(None)
        self.wire.protocol = self.channel
        self.channel.makeConnection(self.wire)

    def ask(self, times: int = 1) -> None:
        self.channel.dataReceived(ASK * times)

    @property
    def answers(self) -> int:
        return self.wire.kernel.sent.count(b"HTTP/1.1 200 ")


class PipeliningTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Turning()
        self.answered = 0
        engine = Echo()
        engine.render = self.answer  # type: ignore[method-assign]
        self.site = build_site(self.clock, engine=engine)

    def answer(self, request: Request) -> bytes:
        self.answered += 1
        return b"one"

    def test_others_wait_for_one_answer_of_all_that_are_pipelined(self) -> None:
        clients = [Client(self.site) for _ in range(16)]
        for each in clients:
            each.ask(40)
        self.assertEqual(self.answered, 16)
        for _ in range(100):
            before, other = self.answered, Client(self.site)
            self.clock.turn()
            other.ask()
            self.assertEqual((self.answered - before, other.answers), (2, 1))
        for _ in range(16 * 40):
            self.clock.turn()
        self.assertEqual([each.answers for each in clients], [40] * 16)

    def test_connections_take_turns(self) -> None:
        greedy, modest = Client(self.site), Client(self.site)
        greedy.ask(1000)
        modest.ask(10)
        for _ in range(18):
            self.clock.turn()
        self.assertEqual((greedy.answers, modest.answers), (10, 10))

    def test_a_request_alone_is_answered_at_once(self) -> None:
        client = Client(self.site)
        for number in range(1, 5):
            client.ask()
            self.assertEqual(client.answers, number)
        self.assertEqual([each.getTime() > 0 for each in self.clock.calls], [True])

    def test_records_of_tls_that_come_in_one_read_are_pipelined_too(self) -> None:
        wire = TlsWire(self.site)
        wire.say(*[ASK] * 10)
        self.assertEqual(self.answered, 1)
        self.clock.turn()
        self.assertEqual(self.answered, 2)
        for _ in range(20):
            self.clock.turn()
        self.assertEqual(self.answered, 10)

    def test_who_asks_for_one_thing_at_a_time_waits_for_nobody(self) -> None:
        for _ in range(16):
            Client(self.site).ask(40)
        modest = Memory(self.site, self.clock)
        for number in range(1, 10):
            modest.channel.dataReceived(ASK)
            self.assertEqual(modest.transport.value().count(b"HTTP/1.1 200 "), number)
            self.clock.turn()

    def test_a_request_that_comes_in_parts_behind_another_one(self) -> None:
        client = Client(self.site)
        client.channel.dataReceived(ASK + ASK[:20])
        self.clock.turn()
        client.channel.dataReceived(ASK[20:])
        self.clock.turn()
        self.assertEqual(client.answers, 2)

    def test_nothing_is_done_for_who_has_gone(self) -> None:
        client = Client(self.site)
        client.ask(40)
        self.clock.turn()
        client.wire.connectionLost(Failure(ConnectionLost()))
        for _ in range(40):
            self.clock.turn()
        self.assertEqual(self.answered, 2)

    def test_nothing_is_done_for_who_takes_nothing_any_more(self) -> None:
        """It is not read while so much of it waits, so that its end is not seen."""
        for error in (errno.EPIPE, errno.ECONNRESET):
            self.answered = 0
            client = Client(self.site)
            client.ask(1000)
            client.wire.kernel.error = error
            for _ in range(40):
                self.clock.turn()
                client.wire.turn()
            self.assertEqual(self.answered, 2)
            self.assertIs(client.wire.why, ConnectionAborted)

    def test_who_waits_for_his_turn_owes_nothing(self) -> None:
        first, second = Client(self.site), Client(self.site)
        first.ask(10)
        second.ask(2)
        self.clock.turn(Limits().idle_seconds * 2)  # the first one has its turn
        for _ in range(20):
            self.clock.turn()
            second.wire.turn()
        self.assertEqual(second.answers, 2)
        self.assertIsNone(second.wire.why)


class HalfClosedTests(SocketTestCase):
    """A client that has asked for everything closes its own half of the connection."""

    async def ask(self, data: bytes) -> bytes:
        client = await self.connect(self.listen())
        client.transport.write(data)
        client.transport.loseWriteConnection()
        await client.closed
        return client.received

    async def test_it_gets_all_answers(self) -> None:
        self.assertEqual((await self.ask(10 * ASK)).count(b"HTTP/1.1 200 "), 10)

    async def test_it_gets_all_of_answers_that_wait_for_it(self) -> None:
        body = bytes(3_000_000)
        self.engine.render = lambda request: body  # type: ignore[method-assign]
        self.assertEqual((await self.ask(3 * ASK)).count(body), 3)

    async def test_it_gets_all_answers_through_a_proxy_that_says_whose_it_is(self) -> None:
        site = build_site(self.reactor)
        behind = ProxyProtocolFactory(site, lambda host: True, Throttle(self.reactor.seconds))
        port = self.reactor.listenTCP(0, behind, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        client = await self.connect(port.getHost().port)
        client.transport.write(b"PROXY TCP4 192.0.2.7 127.0.0.1 1234 80\r\n" + 10 * ASK)
        client.transport.loseWriteConnection()
        await client.closed
        self.assertEqual(client.received.count(b"HTTP/1.1 200 "), 10)

    async def test_through_such_a_proxy_tls_has_no_halves(self) -> None:
        site = build_site(self.reactor)
        believe = partial(
            ProxyProtocolFactory, believes=lambda host: True, seldom=Throttle(self.reactor.seconds)
        )
        port = ProxyProtocolReactor(self.reactor, believe).listenSSL(
            0, site, Creator(), interface="127.0.0.1"
        )
        self.addCleanup(port.stopListening)
        client = await self.connect(port.getHost().port)
        client.transport.write(b"PROXY TCP4 192.0.2.7 127.0.0.1 1234 80\r\n")
        client.transport.loseWriteConnection()
        await client.closed
        self.assertEqual(self.flushLoggedErrors(), [])

    async def test_who_polls_has_gone(self) -> None:
        """A connection that is closed as a whole looks the same."""
        poll = ASK.replace(b"/ ", b"/?slow ")
        self.assertEqual((await self.ask(ASK + poll)).count(b"HTTP/1.1 200 "), 1)
        self.assertEqual(len(self.engine.waiting), 1)


class TurnsTests(SynchronousTestCase):
    def test_an_error_costs_nobody_else_his_turn(self) -> None:
        clock = Turning()
        turns = Turns(clock)

        class Wrong(Greedy):
            def take_turn(self) -> None:
                raise ZeroDivisionError

        right = Greedy()
        turns.wait(Wrong())
        turns.wait(right)
        clock.turn()
        clock.turn()
        self.assertEqual(right.taken, 1)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_who_is_forgotten_is_let_go_of(self) -> None:
        clock = Turning()
        turns = Turns(clock)
        first, second = Greedy(), Greedy()
        for each in (first, second):
            turns.wait(each)
        turns.forget(second)
        clock.turn()
        clock.turn()
        self.assertEqual((first.taken, second.taken), (1, 0))

    def test_no_turn_comes_after_the_end(self) -> None:
        clock = Turning()
        site = build_site(clock)
        client = Client(site)
        client.ask(5)
        site.stopFactory()
        self.assertEqual(clock.calls, [])
