"""Connections: deadlines, the order of answers, and how they are written."""

import gc
import sys
import weakref
from types import FrameType

from twisted.internet.error import ConnectionAborted, ConnectionLost
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from gateway.web.http.channel import HttpChannel
from gateway.web.http.limits import SWEEP_SECONDS, Limits
from gateway.web.http.request import Request
from tests.web.site import Echo, Memory, SocketTestCase, build_site
from tests.web.wire import Wire

GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST /socket.io/ HTTP/1.1\r\nHost: localhost\r\n"
LIMITS = Limits()


class DeadlineTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.engine = Echo()
        self.site = build_site(self.clock, engine=self.engine)
        self.connection = Memory(self.site, self.clock)

    def pass_time(self, seconds: float) -> None:
        self.clock.pump([SWEEP_SECONDS] * round(seconds / SWEEP_SECONDS))

    def trickle(self, data: bytes) -> None:
        """Send one byte of `data` each half second."""
        for byte in data:
            self.connection.channel.dataReceived(bytes((byte,)))
            self.pass_time(0.5)

    def test_who_says_nothing_is_gone_in_time(self) -> None:
        self.pass_time(LIMITS.head_seconds - 1)
        self.assertFalse(self.connection.is_closing)
        self.pass_time(2)
        self.assertTrue(self.connection.is_closing)
        self.assertEqual(self.connection.transport.value(), b"")

    def test_a_head_that_trickles_in_is_not_waited_for(self) -> None:
        self.trickle(GET[:18])
        self.assertFalse(self.connection.is_closing)
        self.trickle(GET[18:22])
        self.assertTrue(self.connection.transport.value().startswith(b"HTTP/1.1 408 "))
        self.assertTrue(self.connection.is_closing)

    def test_a_body_that_trickles_in_is_not_waited_for(self) -> None:
        self.connection.send(POST + b"Content-Length: 1000\r\n\r\n")
        self.trickle(b"x" * 28)
        self.assertFalse(self.connection.is_closing)
        self.trickle(b"x" * 4)
        self.assertTrue(self.connection.transport.value().startswith(b"HTTP/1.1 408 "))

    def test_chunks_that_trickle_in_are_not_waited_for(self) -> None:
        self.connection.send(POST + b"Transfer-Encoding: chunked\r\n\r\n")
        self.trickle(b"1\r\na\r\n" * 6)
        self.assertTrue(self.connection.transport.value().startswith(b"HTTP/1.1 408 "))

    def test_between_requests_there_is_more_time(self) -> None:
        self.connection.send(GET + b"\r\n")
        self.pass_time(LIMITS.idle_seconds - 1)
        self.assertFalse(self.connection.is_closing)
        self.pass_time(2)
        self.assertTrue(self.connection.is_closing)

    def test_a_second_head_has_no_more_time_than_the_first(self) -> None:
        for second in (GET, GET[:10], GET[:-2]):
            connection = Memory(self.site, self.clock)
            connection.send(GET + b"\r\n" + second)  # in one segment
            self.pass_time(LIMITS.head_seconds + 1)
            self.assertTrue(connection.is_closing, second)

    def test_an_answer_may_take_any_time(self) -> None:
        answer = self.connection.send(b"GET /socket.io/?slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertEqual(answer, b"")
        self.pass_time(3600)
        self.assertFalse(self.connection.is_closing)

    def test_who_does_not_take_the_last_answer_is_dropped(self) -> None:
        self.connection.send(GET + b"Connection: close\r\n\r\n")
        self.assertFalse(self.connection.transport.aborting)
        self.pass_time(LIMITS.flush_seconds + 1)
        self.assertTrue(self.connection.transport.aborting)

    def test_who_keeps_sending_after_a_refusal_is_dropped(self) -> None:
        self.connection.send(b"nonsense\r\n\r\n")
        for _ in range(4):
            self.assertEqual(self.connection.send(GET + b"\r\n"), b"")
            self.pass_time(LIMITS.linger_seconds / 4)
        self.pass_time(1)
        self.assertTrue(self.connection.transport.aborting)

    def test_a_connection_that_is_gone_owes_nothing(self) -> None:
        from twisted.internet.error import ConnectionDone
        from twisted.python.failure import Failure

        self.connection.channel.connectionLost(Failure(ConnectionDone()))
        self.pass_time(LIMITS.head_seconds + 1)
        self.assertFalse(self.connection.is_closing)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class UnreadTests(SynchronousTestCase):
    """A client that asks and does not read; over a kernel in memory."""

    BIG = 300_000
    ASK = b"GET /socket.io/ HTTP/1.1\r\nHost: localhost\r\n\r\n"

    def setUp(self) -> None:
        self.asked = 0
        self.engine = Echo()
        self.engine.render = self.answer  # type: ignore[method-assign]
        self.wire = Wire()
        self.site = build_site(self.wire.reactor, engine=self.engine)
        self.channel = self.site.buildProtocol(None)
        self.wire.protocol = self.channel
        self.channel.makeConnection(self.wire)

    def answer(self, request: Request) -> bytes:
        self.asked += 1
        return b"%d" % self.asked + b"x" * self.BIG

    def pass_time(self, seconds: float) -> None:
        self.wire.reactor.pump([SWEEP_SECONDS] * round(seconds / SWEEP_SECONDS))

    def test_no_further_request_is_answered(self) -> None:
        self.wire.kernel.room = 1000
        self.channel.dataReceived(self.ASK * 40)
        self.assertEqual(self.asked, 1)
        self.channel.dataReceived(self.ASK)
        self.wire.take(self.BIG // 2)
        self.assertEqual(self.asked, 1)
        self.wire.take(self.BIG)
        self.assertEqual(self.asked, 2)
        self.wire.take()
        self.assertEqual(self.asked, 41)
        self.assertEqual(self.wire.kernel.sent.count(b"HTTP/1.1 200 "), 41)

    def test_the_deadline_counts_from_the_first_byte_that_waits(self) -> None:
        self.wire.kernel.room = 1000
        self.channel.dataReceived(self.ASK)
        for _ in range(int(LIMITS.flush_seconds) - 1):
            self.pass_time(1)
            self.channel.dataReceived(self.ASK)
            self.wire.take(1)
        self.assertIsNone(self.wire.why)
        self.pass_time(2)
        self.assertIs(self.wire.why, ConnectionAborted)

    def test_neither_closing_nor_an_error_prolongs_it(self) -> None:
        for last in (
            b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            b"nonsense\r\n\r\n",
        ):
            self.setUp()
            self.wire.kernel.room = 1000
            self.channel.dataReceived(self.ASK + last)
            self.pass_time(LIMITS.flush_seconds - 1)
            self.wire.take(1)
            self.assertIsNone(self.wire.why)
            self.pass_time(2)
            self.assertIs(self.wire.why, ConnectionAborted)

    def test_who_reads_slowly_but_steadily_gets_it_all(self) -> None:
        self.BIG = 1_000_000
        self.wire.kernel.room = 0
        self.channel.dataReceived(self.ASK)
        for _ in range(50):
            self.pass_time(LIMITS.flush_seconds / 10)
            self.wire.take(30_000)
        self.assertIsNone(self.wire.why)
        self.assertEqual(len(self.wire.kernel.sent.partition(b"\r\n\r\n")[2]), self.BIG + 1)
        self.pass_time(LIMITS.idle_seconds - LIMITS.flush_seconds)
        self.assertIsNone(self.wire.why)

    def test_what_was_answered_before_an_error_arrives(self) -> None:
        self.wire.kernel.room = 1000
        self.channel.dataReceived(self.ASK + b"nonsense\r\n\r\n")
        self.wire.take()
        answers = self.wire.kernel.sent.split(b"HTTP/1.1 ")[1:]
        self.assertEqual([answer[:3] for answer in answers], [b"200", b"400"])
        self.assertEqual(len(answers[0].partition(b"\r\n\r\n")[2]), self.BIG + 1)

    def test_nothing_is_kept_of_a_connection_that_is_gone(self) -> None:
        body = b"POST /socket.io/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        for requests in (self.ASK * 40, self.ASK, body + b"5\r\nhel", self.ASK[:9], b"\n"):
            self.setUp()
            self.wire.kernel.room = 1000
            self.channel.dataReceived(requests)
            gone = [weakref.ref(self.channel), weakref.ref(self.wire)]
            self.wire.connectionLost(Failure(ConnectionLost()))
            self.channel = self.wire = None  # type: ignore[assignment]
            self.assertEqual([each() for each in gone], [None, None], requests[:20])


class LogTests(SocketTestCase):
    async def test_the_answers_of_klein_keep_no_connection(self) -> None:
        """Each request of Klein's is in a cycle, which the collector may find much later."""
        self.control.lines = ["x" * 100] * 1000
        port = self.listen()
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        transports = []
        for ask in (b"lines=1000", b"lines=1", b"lines=nonsense"):
            recorder = await self.connect(port)
            recorder.transport.write(b"GET /logs?%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % ask * 3)
            await recorder.until(b"HTTP/1.1 ", 3)
            channels = [each for each in self.site.expiry._due if isinstance(each, HttpChannel)]
            transports += [weakref.ref(each.transport) for each in channels]
            del channels
            recorder.transport.abortConnection()
            await recorder.closed
        await self.visitors.gone()
        await self.turn()
        self.assertGreaterEqual(len(transports), 3)
        self.assertEqual([each() for each in transports if each() is not None], [])


class OrderTests(SocketTestCase):
    async def test_pipelined_slow_and_fast_requests_are_answered_in_order(self) -> None:
        recorder = await self.connect(self.listen())
        slow = b"GET /socket.io/?slow HTTP/1.1\r\nHost: localhost\r\n\r\n"
        health = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
        recorder.transport.write(
            health + slow + health + slow + POST + b"Content-Length: 3\r\n\r\nend"
        )
        await recorder.until(b"HTTP/1.1 200 ")
        for text in (b"first", b"second"):
            while not self.engine.waiting:
                await self.turn()
            self.assertNotIn(text, recorder.received)
            request = self.engine.waiting.pop()
            request.write(text)
            request.finish()
        await recorder.until(b"end")
        places = [
            recorder.received.index(text) for text in (b'"status"', b"first", b"second", b"end")
        ]
        self.assertEqual(places, sorted(places))
        self.assertEqual(recorder.received.count(b"HTTP/1.1 200 "), 5)

    async def test_the_answer_comes_after_the_leave_to_send_its_body(self) -> None:
        port = self.listen()
        recorder = await self.connect(port)
        recorder.transport.write(POST + b"Expect: 100-continue\r\nContent-Length: 4\r\n\r\nbody")
        await recorder.until(b"body")
        await recorder.until(b"100 Continue")
        self.assertLess(
            recorder.received.index(b"100 Continue"), recorder.received.index(b"200 OK")
        )

    async def test_five_hundred_requests_in_one_segment(self) -> None:
        recorder = await self.connect(self.listen())
        recorder.transport.write((GET + b"\r\n") * 500)
        await recorder.until(b"HTTP/1.1 200 ", 500)

    async def test_the_head_and_the_body_of_an_answer_come_together(self) -> None:
        recorder = await self.connect(self.listen())
        segments = []
        recorder.dataReceived = segments.append  # type: ignore[method-assign]
        recorder.transport.write(GET + b"Connection: close\r\n\r\n")
        await recorder.closed
        self.assertEqual(len(segments), 1)

    async def test_an_answer_larger_than_the_socket_takes(self) -> None:
        body = bytes(range(256)) * 300
        self.engine.render = lambda request: body * 100  # type: ignore[method-assign]
        request = b"GET /socket.io/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        answer = await self.send(self.listen(), request)
        self.assertEqual(answer.partition(b"\r\n\r\n")[2], body * 100)

    async def test_a_client_that_goes_away_while_it_is_answered(self) -> None:
        port = self.listen()
        recorder = await self.connect(port)
        recorder.transport.write(b"GET /socket.io/?slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while not self.engine.waiting:
            await self.turn()
        gone = self.engine.waiting[0].notifyFinish()
        recorder.transport.abortConnection()
        await self.assertFailure(gone, Exception)
        answer = await self.send(port, GET + b"Connection: close\r\n\r\n")
        self.assertTrue(answer.startswith(b"HTTP/1.1 200 "))


class ProbeTests(SocketTestCase):
    """Health probes, which come in the same bytes again and again."""

    PROBE = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"

    async def ask(self, port: int, *requests: bytes) -> list[bytes]:
        recorder = await self.connect(port)
        for number, request in enumerate(requests, 1):
            recorder.transport.write(request)
            await recorder.until(b"HTTP/1.1 ", number)
        return recorder.received.split(b"HTTP/1.1 ")[1:]

    async def test_each_of_pipelined_probes_is_answered_each_time(self) -> None:
        recorder = await self.connect(self.listen())
        for pipelined in (2, 2, 5, 2, 1, 3):
            before = recorder.received.count(b"HTTP/1.1 200 ")
            recorder.transport.write(self.PROBE * pipelined)
            await recorder.until(b"HTTP/1.1 200 ", before + pipelined)
            await self.turn()
            self.assertEqual(recorder.received.count(b"HTTP/1.1 200 "), before + pipelined)

    def test_a_probe_takes_few_calls(self) -> None:
        """It is asked for all the time; through all that Twisted does for a request it takes 81."""
        wire = Wire()
        channel = build_site(wire.reactor).buildProtocol(None)
        wire.protocol = channel
        channel.makeConnection(wire)
        calls: list[str] = []

        def note(frame: FrameType, event: str, _: object) -> None:
            if event == "call":
                calls.append(frame.f_code.co_qualname)

        channel.dataReceived(self.PROBE)
        before = sys.getprofile()
        sys.setprofile(note)
        try:
            channel.dataReceived(self.PROBE)
        finally:
            sys.setprofile(before)
        self.assertEqual(wire.kernel.sent.count(b"HTTP/1.1 200 "), 2)
        self.assertLess(len(calls), 65, calls)

    async def test_each_answer_tells_of_now(self) -> None:
        port = self.listen()
        first, second = await self.ask(port, self.PROBE, self.PROBE)
        self.assertEqual(first, second)
        self.assertIn(b'"pythonRunning":true', second)
        self.control.running = False
        (third,) = await self.ask(port, self.PROBE)
        self.assertIn(b'"pythonRunning":false', third)

    async def test_every_other_byte_is_judged(self) -> None:
        evil = self.PROBE.replace(b"\r\n\r\n", b"\r\nOrigin: http://evil.net\r\n\r\n")
        answers = await self.ask(self.listen(), self.PROBE, self.PROBE, evil, evil)
        self.assertEqual([answer[:3] for answer in answers], [b"200", b"200", b"403", b"403"])

    async def test_a_probe_waits_for_the_request_before_it(self) -> None:
        recorder = await self.connect(self.listen())
        recorder.transport.write(b"GET /socket.io/?slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while not self.engine.waiting:
            await self.turn()
        recorder.transport.write(self.PROBE)
        for _ in range(3):
            await self.turn()
        self.assertEqual(recorder.received, b"")
        self.engine.waiting.pop().finish()
        await recorder.until(b"HTTP/1.1 200 ", 2)
