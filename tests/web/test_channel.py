"""Connections: deadlines, the order of answers, and how they are written."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.web.limits import SWEEP_SECONDS, Limits
from tests.web.site import Echo, Memory, SocketTestCase, build_site

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
