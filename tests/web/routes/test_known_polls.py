"""A session's GET that comes again and again on one connection, over Twisted's own transport."""

from gzip import decompress
from typing import TYPE_CHECKING, Any

from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from gateway.web.http import strict_parsing
from gateway.web.http.site import Mount, make_site
from gateway.web.routes.engine import EngineResource
from gateway.web.security.guard import Guard
from gateway.web.security.guard_settings import GuardSettings
from tests.engineio.world import Recorder, World, text
from tests.web.wire import Wire

if TYPE_CHECKING:
    from gateway.engineio.session import Session

HEAD = "GET /socket.io/?EIO=4&transport=polling&t={}&sid={} HTTP/1.1\r\nHost: localhost\r\n{}\r\n"


class Client:
    """One client that polls over one connection."""

    def __init__(self, world: World, site: Any, headers: str) -> None:
        self.wire = Wire(site.buildProtocol(None))
        self.channel: Any = self.wire.protocol
        self.channel.makeConnection(self.wire)
        self.headers = headers
        self.say(HEAD.format("0", "", headers).replace("&sid=", ""))
        self.session: Session = world.session
        self.answer()

    def say(self, raw: str) -> None:
        self.channel.dataReceived(raw.encode())

    def get(self, stamp: str = "1", sid: str = "") -> str:
        """A GET, as it is sent."""
        return HEAD.format(stamp, sid or self.session.sid, self.headers)

    def poll(self, stamp: str = "1") -> None:
        self.say(self.get(stamp))

    def answer(self) -> bytes:
        """What was written since the last look."""
        sent, self.wire.kernel.sent = self.wire.kernel.sent, b""
        return sent


class KnownPollCase(SynchronousTestCase):
    settings = GuardSettings(allowed_origins=["https://page.example"])
    headers = "Accept-Encoding: gzip\r\n"

    def setUp(self) -> None:
        self.world = World(Recorder)
        self.clock = Clock()
        self.guard = Guard(self.settings)
        engine = EngineResource(self.world.server, self.fail)
        self.site = make_site(
            self.clock, self.guard, {}, engine=Mount(engine.render), now=lambda: 1708875000.0
        )
        self.parsed = 0
        self.patch(strict_parsing.StrictChannel, "_take_plain", self.counted())
        self.client = Client(self.world, self.site, self.headers)

    def counted(self) -> Any:
        take: Any = strict_parsing.StrictChannel._take_plain

        def take_plain(channel: Any, head: Any) -> Any:
            self.parsed += 1
            return take(channel, head)

        return take_plain

    def exchange(self, message: str, stamp: str = "1") -> bytes:
        """A poll and its answer."""
        self.client.poll(stamp)
        self.assertEqual(self.client.answer(), b"")
        self.client.session.send(text(message))
        return self.client.answer()

    def known(self) -> None:
        """Poll once, so that the next poll is known."""
        self.exchange("4first")
        self.parsed = 0


class KnownPollTests(KnownPollCase):
    def test_it_is_parsed_once_and_answered_in_the_same_way(self) -> None:
        first = self.exchange("4event")
        self.assertIn(b"HTTP/1.1 200 OK\r\nDate: ", first)
        self.parsed = 0
        for stamp in ("1", "2", "3"):
            again = self.exchange("4event", stamp)
            self.assertEqual(
                sorted(again.lower().split(b"\r\n")), sorted(first.lower().split(b"\r\n"))
            )
        self.assertEqual(self.parsed, 0)

    def test_what_waits_is_answered_at_once(self) -> None:
        self.known()
        self.client.session.send(text("4waits"))
        self.client.poll()
        self.assertTrue(self.client.answer().endswith(b"\r\n\r\n4waits"))

    def test_an_answer_has_no_deadline_and_the_next_request_has(self) -> None:
        self.known()
        self.client.poll()
        self.clock.pump([1.0] * 60)
        self.assertFalse(self.client.wire.disconnecting)
        self.client.session.send(text("4late"))
        self.assertTrue(self.client.answer().endswith(b"\r\n\r\n4late"))
        self.clock.pump([1.0] * 29)
        self.assertFalse(self.client.wire.disconnecting)
        self.clock.pump([1.0] * 2)
        self.assertTrue(self.client.wire.disconnecting)

    def test_long_answers_are_compressed(self) -> None:
        self.known()
        head, _, body = self.exchange("4" + "x" * 5000).partition(b"\r\n\r\n")
        self.assertIn(b"Content-Encoding: gzip", head)
        self.assertEqual(decompress(body), b"4" + b"x" * 5000)
        self.assertIn(b"Content-Length: %d" % len(body), head)

    def test_who_is_given_the_same_bytes_in_a_turn_shares_the_answer(self) -> None:
        clients = [self.client, Client(self.world, self.site, self.headers)]
        clients.append(
            Client(self.world, self.site, self.headers + "Origin: https://page.example\r\n")
        )
        payload = b"4event"
        for client in clients:
            client.poll()
            client.session.send(text("4first"))
            client.answer()
            client.poll()
            channel: Any = client.session.channel
            channel.write(payload)
        one, two, three = [client.answer() for client in clients]
        self.assertEqual(one, two)
        self.assertNotIn(b"Allow-Origin", one)
        self.assertIn(b"Access-Control-Allow-Origin: https://page.example\r\n", three)

    def test_a_changed_byte_means_that_it_is_parsed(self) -> None:
        for change in (
            ("polling", "pollinG", b"HTTP/1.1 400"),
            ("EIO=4", "EIO=3", b"HTTP/1.1 400"),
            ("Host: localhost", "Host: evil.test", b"HTTP/1.1 403"),
            ("Host: localhost", "Host: localhost\r\nHost: localhost", b"HTTP/1.1 400"),
            ("HTTP/1.1", "HTTP/1.0", b""),
            ("GET", "PUT", b"HTTP/1.1 405"),
            ("Host:", "Origin: https://evil.test\r\nHost:", b"HTTP/1.1 403"),
            ("Host:", "Host :", b"HTTP/1.1 400"),
            ("\r\nHost:", "\nHost:", b"HTTP/1.1 400"),
        ):
            self.setUp()
            self.known()
            before, after, answer = change
            self.client.say(self.client.get().replace(before, after))
            self.assertTrue(self.client.answer().startswith(answer), change)

    def test_of_two_in_one_segment_both_are_answered(self) -> None:
        self.known()
        self.client.say(self.client.get("2") + self.client.get("2"))
        self.client.session.send(text("4one"))
        self.clock.advance(0)
        self.client.session.send(text("4two"))
        self.clock.advance(0)
        answers = self.client.answer()
        self.assertEqual(answers.count(b"HTTP/1.1 200 OK"), 2)
        self.assertLess(answers.index(b"4one"), answers.index(b"4two"))

    def test_one_behind_the_one_that_waits_is_answered_after_it(self) -> None:
        self.known()
        self.client.poll("2")
        self.client.poll("3")
        self.client.session.send(text("4one"))
        self.assertEqual(self.client.answer().count(b"HTTP/1.1 200 OK"), 1)
        self.clock.advance(0)
        self.client.session.send(text("4two"))
        self.assertTrue(self.client.answer().endswith(b"4two"))

    def test_it_may_come_in_pieces(self) -> None:
        self.known()
        whole = self.client.get("2")
        for start in range(0, len(whole), 7):
            self.client.say(whole[start : start + 7])
        self.client.session.send(text("4event"))
        self.assertTrue(self.client.answer().endswith(b"4event"))

    def test_another_connections_get_at_the_same_time_ends_the_session(self) -> None:
        self.known()
        self.client.poll()
        other = Client(self.world, self.site, "")
        other.say(self.client.get())
        self.assertTrue(other.answer().startswith(b"HTTP/1.1 400"))
        self.client.poll()
        self.assertIn(b'"code":1', self.client.answer())

    def test_a_session_that_is_over_is_unknown(self) -> None:
        self.known()
        self.client.session.abort("a test's")
        self.client.poll()
        self.assertIn(b'"code":1', self.client.answer())

    def test_a_session_that_ends_meanwhile_is_told_so(self) -> None:
        self.known()
        self.client.poll()
        self.client.session.abort("a test's")
        answer = self.client.answer()
        self.assertTrue(answer.startswith(b"HTTP/1.1 400 Bad Request\r\n"))
        self.assertTrue(answer.endswith(b'{"code":1,"message":"Session ID unknown"}'))

    def test_a_client_that_goes_while_it_waits_ends_its_session(self) -> None:
        self.known()
        self.client.poll()
        self.client.wire.connectionLost(Failure(ConnectionDone()))
        self.assertTrue(self.client.session.is_over)
        self.assertIsNone(self.client.channel.known)

    def test_a_client_that_goes_between_two_polls_may_come_back(self) -> None:
        self.known()
        self.client.wire.connectionLost(Failure(ConnectionDone()))
        self.assertTrue(self.client.session.is_open)

    def test_the_next_is_read_when_the_client_has_taken_the_answer(self) -> None:
        self.known()
        self.client.wire.kernel.room = 10
        self.exchange("4" + "x" * 500)
        self.client.poll("2")
        self.client.session.send(text("4two"))
        self.client.wire.take()
        self.clock.advance(0)
        self.assertTrue(self.client.answer().endswith(b"4two"))

    def test_a_client_that_reads_no_answer_is_dropped(self) -> None:
        self.known()
        self.client.wire.kernel.room = 10
        self.exchange("4" + "x" * 500)
        self.clock.pump([1.0] * 20)
        self.client.wire.turn()
        self.assertIsNotNone(self.client.wire.why)

    def test_other_rules_of_the_guard_hold_from_the_next_one_on(self) -> None:
        self.known()
        self.guard.set_tokens(())
        self.exchange("4event")
        self.assertEqual(self.parsed, 1)
        self.guard.exposed = True
        self.client.say(self.client.get().replace("localhost", "192.0.2.7"))
        self.client.session.send(text("4event"))
        self.assertIsNotNone(self.client.channel.known)
        self.client.answer()
        self.guard.exposed = False
        self.client.say(self.client.get().replace("localhost", "192.0.2.7"))
        self.assertTrue(self.client.answer().startswith(b"HTTP/1.1 403"))

    def test_an_idle_connection_is_closed_in_time(self) -> None:
        self.known()
        self.exchange("4event")
        self.clock.pump([1.0] * 29)
        self.assertFalse(self.client.wire.disconnecting)
        self.clock.pump([1.0] * 3)
        self.assertTrue(self.client.wire.disconnecting)

    def test_one_that_waits_is_not_idle(self) -> None:
        self.known()
        self.client.poll()
        self.clock.pump([1.0] * 100)
        self.assertIsNone(self.client.wire.why)


class NotKnownTests(KnownPollCase):
    """What is parsed each time."""

    def test_behind_a_trusted_proxy(self) -> None:
        self.settings = GuardSettings(trusted_proxies=["192.0.2.0/24"])
        self.setUp()
        self.exchange("4event")
        self.assertIsNone(self.client.channel.known)

    def test_the_last_one_of_a_connection(self) -> None:
        self.client.say(self.client.get().replace("Host", "Connection: close\r\nHost"))
        self.assertIsNone(self.client.channel.known)

    def test_a_very_long_one(self) -> None:
        self.client.headers = f"X: {'x' * 4096}\r\n"
        self.exchange("4event")
        self.assertIsNone(self.client.channel.known)

    def test_a_handshake(self) -> None:
        self.assertIsNone(self.client.channel.known)
