"""Wrong tokens are answered slowly, and told without a flood."""

from twisted.internet.task import Clock
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from gateway.web.http.limits import Limits
from gateway.web.security.guard_settings import GuardSettings
from gateway.web.security.tokens import (
    BURST,
    LINES_A_MINUTE,
    LONGEST_WAIT,
    MAX_ADDRESSES,
    RATE,
    WrongTokens,
)
from tests.web.site import Memory, build_site


class WrongTokensTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.events: list[dict] = []
        globalLogPublisher.addObserver(self.events.append)
        self.addCleanup(globalLogPublisher.removeObserver, self.events.append)
        self.clock = Clock()

    def lines(self) -> list[str]:
        return [formatEvent(event) for event in self.events if event.get("tag") == "Audit"]


class WrongTokensTests(WrongTokensTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.wrong_tokens = WrongTokens(self.clock.seconds)

    def wrong(self, address: str = "192.0.2.1") -> float:
        return self.wrong_tokens.add(address, "/status")

    def test_some_are_answered_at_once_then_ever_more_slowly(self) -> None:
        self.assertEqual([self.wrong() for _ in range(BURST)], [0.0] * BURST)
        self.assertEqual([self.wrong() for _ in range(3)], [1 / RATE, 2 / RATE, 3 / RATE])

    def test_it_gets_no_slower_than_that_and_is_forgotten(self) -> None:
        for _ in range(1000):
            self.assertLessEqual(self.wrong(), LONGEST_WAIT)
        self.clock.advance(LONGEST_WAIT + BURST / RATE)
        self.assertEqual(self.wrong(), 0.0)

    def test_others_are_not_slowed_down(self) -> None:
        for _ in range(100):
            self.wrong("2001:db8::1")
        self.assertGreater(self.wrong("2001:db8::2"), 0)  # the same subscriber
        self.assertEqual(self.wrong("2001:db8:0:1::1"), 0.0)

    def test_memory_is_bounded(self) -> None:
        for number in range(MAX_ADDRESSES + 100):
            self.wrong(f"10.0.{number >> 8}.{number & 255}")
        self.assertEqual(len(self.wrong_tokens._addresses), MAX_ADDRESSES)

    def test_an_address_is_told_once_a_minute_with_the_number(self) -> None:
        for _ in range(30):
            self.wrong()
        self.clock.advance(61)
        self.wrong()
        first, second = self.lines()
        self.assertEqual(first, "A wrong token for /status from 192.0.2.1")
        self.assertIn(", 30 since", second)

    def test_many_addresses_make_no_flood(self) -> None:
        for number in range(1000):
            self.wrong(f"10.0.{number >> 8}.{number & 255}")
        self.assertEqual(len(self.lines()), LINES_A_MINUTE)


class RequestTests(WrongTokensTestCase):
    """In front of the routes."""

    def setUp(self) -> None:
        super().setUp()
        settings = GuardSettings(control_token="sesame-open", view_token="glance-only")
        self.site = build_site(self.clock, settings=settings, limits=Limits())

    def ask(self, token: str, path: str = "/status") -> tuple[Memory, bytes]:
        connection = Memory(self.site, self.clock)
        head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
        return connection, connection.send(head.encode())

    def test_a_wrong_one_waits_and_a_right_one_never_does(self) -> None:
        for _ in range(BURST):
            self.assertIn(b" 401 ", self.ask("guess-again")[1])
        connection, answer = self.ask("guess-again")
        self.assertEqual(answer, b"")
        self.assertIn(b" 200 ", self.ask("glance-only")[1])
        self.assertIn(b" 401 ", self.ask("")[1])  # none is not a wrong one
        self.clock.advance(1 / RATE)
        self.assertIn(b" 401 ", connection.transport.value())
        self.assertIn(b"WWW-Authenticate: Bearer", connection.transport.value())
        self.assertNotIn("guess", "".join(self.lines()))

    def test_a_right_one_that_allows_too_little_is_no_wrong_one(self) -> None:
        for _ in range(3 * BURST):
            self.assertNotEqual(self.ask("glance-only", "/restart-python")[1], b"")
        refused = "GET /restart-python by token view from 127.0.0.1: refused"
        self.assertEqual(self.lines(), [refused] * (3 * BURST))

    def test_who_does_not_wait_leaves_nothing_behind(self) -> None:
        for _ in range(BURST + 1):
            connection, _ = self.ask("guess-again")
        before = len(self.clock.getDelayedCalls())
        connection.channel.connectionLost()
        self.assertEqual(len(self.clock.getDelayedCalls()), before - 1)
        self.clock.advance(LONGEST_WAIT)
        self.assertEqual(connection.transport.value(), b"")
