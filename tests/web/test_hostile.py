"""Slow and dangling connections beside healthy ones, over real sockets."""

from typing import Any

from twisted.internet.defer import ensureDeferred, gatherResults
from twisted.internet.task import Clock

from gateway.web.http.limits import Limits
from tests.web.site import Recorder, SocketTestCase

PROBE = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
HEALTHY = 100
ROUNDS = 5
LIMITS = Limits(head_seconds=2, body_seconds=2, linger_seconds=2)

SLOW = {
    "an empty line": b"\r\n",
    "a head": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: ",
    "a request line": b"GET /",
    "a body": b"POST /socket.io/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n\r\n",
    "chunks": b"POST /socket.io/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
    "a second head": PROBE + b"GET /",
}


class Deadlines:
    """The reactor's turns, but deadlines of `clock`: they pass when the test says so."""

    def __init__(self, reactor: Any) -> None:
        self.clock = Clock()
        self._reactor = reactor

    def seconds(self) -> float:
        return self.clock.seconds()

    def callLater(self, delay: float, *call: Any) -> Any:
        return (self.clock if delay else self._reactor).callLater(delay, *call)


class SlowTests(SocketTestCase):
    async def test_slow_peers_are_closed_while_a_hundred_others_are_served(self) -> None:
        deadlines = Deadlines(self.reactor)
        port = self.listen(limits=LIMITS, timer=deadlines)
        slow = {name: await self.connect(port) for name in SLOW}
        for name, recorder in slow.items():
            recorder.transport.write(SLOW[name])
        healthy = [await self.connect(port) for _ in range(HEALTHY)]
        await gatherResults([self.ask(recorder) for recorder in healthy])
        for _ in range(5):  # half a second each
            self.trickle(list(slow.values()))
            await self.turn()
            await self.turn()
            deadlines.clock.advance(0.5)
        await gatherResults([recorder.closed for recorder in slow.values()])
        for name, recorder in slow.items():
            expected = {"a second head": 2}.get(name, 1)
            self.assertEqual(recorder.received.count(b"HTTP/1.1 "), expected, name)
        for recorder in healthy:
            self.assertFalse(recorder.closed.called)
            self.assertEqual(recorder.received.count(b"HTTP/1.1 200 "), ROUNDS)

    def trickle(self, recorders: list[Recorder]) -> None:
        for recorder in recorders:
            if recorder.received == b"" and not recorder.closed.called:
                recorder.transport.write(b"1")

    def ask(self, recorder: Recorder) -> Any:
        """Ask `ROUNDS` times, one after the other."""

        async def rounds() -> None:
            for number in range(1, ROUNDS + 1):
                recorder.transport.write(PROBE)
                await recorder.until(b"HTTP/1.1 200 ", number)

        return ensureDeferred(rounds())
