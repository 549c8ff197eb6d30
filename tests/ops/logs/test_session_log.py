from types import SimpleNamespace

from twisted.internet.task import Clock
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.handshake import Peer
from gateway.engineio.interfaces import Connection
from gateway.ops.logs.activity import MAX_LINES, PERIOD, SessionLog


class Heard(Connection):
    def __init__(self) -> None:
        self.heard: list[object] = []

    def message(self, packet) -> None:
        self.heard.append(packet)

    def closed(self, reason: str) -> None:
        self.heard.append(reason)


class VisitorsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.events: list[dict] = []
        globalLogPublisher.addObserver(self.events.append)
        self.addCleanup(globalLogPublisher.removeObserver, self.events.append)
        self.clock = Clock()
        self.connection = Heard()
        self.visitors = SessionLog(lambda session: self.connection, self.clock.callLater)

    def visit(self, transport: str = "polling", port: int = 5000):
        peer = Peer("192.0.2.1" if port else "", port)
        session = SimpleNamespace(peer=peer, transport=transport)
        return session, self.visitors(session)

    def lines(self) -> list[str]:
        return [formatEvent(event) for event in self.events if event.get("tag") == "Socket"]

    def test_who_comes_and_goes_is_logged_with_the_transport_of_the_moment(self) -> None:
        session, visit = self.visit()
        session.transport = "websocket"
        visit.closed("transport close")
        self.assertEqual(
            self.lines(),
            [
                "192.0.2.1:5000 connected by polling (1 now)",
                "192.0.2.1:5000 by websocket is gone: transport close (0 now)",
            ],
        )

    def test_a_client_of_a_unix_socket_has_no_address(self) -> None:
        self.visit(port=0)
        self.assertEqual(self.lines(), ["a local client connected by polling (1 now)"])

    def test_the_application_hears_everything(self) -> None:
        _, visit = self.visit()
        visit.message("a packet")
        visit.closed("forced close")
        self.assertEqual(self.connection.heard, ["a packet", "forced close"])

    def test_of_many_only_the_number_is_told(self) -> None:
        for port in range(1, 1001):
            self.visit(port=port)
        self.assertEqual(len(self.lines()), MAX_LINES)
        self.clock.advance(PERIOD)
        self.assertEqual(self.lines()[MAX_LINES:], ["980 more came or went in 10 s (1000 now)"])
        self.visit()
        self.assertEqual(self.lines()[-1], "192.0.2.1:5000 connected by polling (1001 now)")

    def test_few_leave_no_summary(self) -> None:
        self.visit()
        self.clock.advance(PERIOD)
        self.assertEqual(len(self.lines()), 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])
