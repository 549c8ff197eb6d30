"""What is sent straight to sockets, for all members of a view in a row."""

import errno
import tracemalloc
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.outbox import AT_ONCE_BYTES
from gateway.web.http.writer import CHUNK
from tests.fuzz.whole import Whole
from tests.web.http.test_tls_connection import RecordLayer
from tests.web.peer import ANSWER, CLOSE, PING, PONG, REQUEST, TEXT, close, frame, frames
from tests.web.tls_wire import TlsWire


class AnySocket:
    """What holds with TLS, too."""

    world: Whole

    def setUp(self) -> None:
        self.world = Whole()
        self.sender, self.slow, self.other = (self.join() for _ in range(3))
        self.said: list[tuple[int, bytes]] = []

    def connect(self) -> Any:
        return self.world.connect()

    def tell(self, wire: Any, data: bytes) -> None:
        wire.protocol.dataReceived(data)

    def join(self) -> Any:
        wire = self.connect()
        for part in (REQUEST, frame(b"40")):
            self.tell(wire, part)
        self.world.turn()
        return wire

    def say(self, size: int = 0) -> None:
        text = b'42["e",%d,"%b"]' % (len(self.said) + 1, b"x" * size)
        self.said.append((TEXT, text))
        self.tell(self.sender, frame(text))
        self.world.turn()

    def heard(self, wire: Any) -> list[tuple[int, bytes]]:
        """The frames after the opening packet and the answer to CONNECT."""
        return list(frames(wire.received.removeprefix(ANSWER)))[2:]

    def test_the_rest_of_a_write_comes_before_what_is_said_later(self: Any) -> None:
        self.slow.kernel.room = 5
        self.say()
        self.slow.kernel.room = None  # it has room now, and nothing may overtake the rest
        self.say()
        self.slow.take()
        self.world.turn()
        self.say()
        for wire in (self.slow, self.other):
            self.assertEqual(self.heard(wire), self.said)

    def test_a_full_socket_is_asked_once_and_gets_all_later(self: Any) -> None:
        self.slow.kernel.room = 0
        self.say()
        self.say()
        calls = self.slow.kernel.calls
        self.say()
        self.assertEqual(self.slow.kernel.calls, calls)
        self.assertEqual(self.heard(self.slow), [])
        self.slow.take()
        self.world.turn()
        self.assertEqual(self.heard(self.slow), self.said)

    def test_what_is_too_long_to_be_sent_at_once_keeps_its_place(self: Any) -> None:
        for room in (None, 5, 0):
            self.slow.kernel.room = room
            for size in (0, AT_ONCE_BYTES, 3 * AT_ONCE_BYTES, 0):
                self.say(size)
            self.slow.take()
            self.world.turn()
            self.say()
            for wire in (self.slow, self.other):
                self.assertEqual(self.heard(wire), self.said)

    def test_an_answer_of_the_transport_is_not_overtaken(self: Any) -> None:
        self.slow.kernel.room = 3
        self.tell(self.slow, frame(b"are you there?", PING))
        self.slow.kernel.room = None
        self.say()
        self.say()
        self.slow.take()
        self.world.turn()
        self.say()
        self.assertEqual(self.heard(self.slow), [(PONG, b"are you there?"), *self.said])
        self.assertEqual(self.heard(self.other), self.said)

    def test_a_frame_that_has_begun_is_whole_before_the_last_one(self: Any) -> None:
        self.slow.kernel.room = 5
        self.say()
        self.tell(self.slow, close(1000))
        self.say()
        self.slow.take()
        last = CLOSE, (1000).to_bytes(2)
        self.assertEqual(self.heard(self.slow), [self.said[0], last])
        self.assertEqual(self.heard(self.other), self.said)

    def test_one_of_two_that_speak_in_a_turn_hears_the_other(self: Any) -> None:
        texts = [b'42["e",1]', b'42["e",2]']
        for wire, text in zip((self.sender, self.slow), texts, strict=True):
            self.tell(wire, frame(text))
        self.world.turn()
        for wire, heard in ((self.sender, texts[1:]), (self.slow, texts[:1]), (self.other, texts)):
            self.assertEqual([text for _, text in self.heard(wire)], heard)

    def test_all_that_were_sent_to_are_counted(self: Any) -> None:
        self.tell(self.slow, frame(b"", PING))
        (hub,) = self.world.relay.hubs.values()
        before = hub.log.traffic.bytes
        self.say()
        self.assertEqual(hub.log.traffic.deliveries, 3)
        self.assertEqual(hub.log.traffic.bytes - before, 3 * (2 + len(self.said[0][1])))

    def test_what_waits_of_a_long_event_is_shared(self: Any) -> None:
        self.say(60_000)  # the first long frame imports what reads it
        wires = [self.join() for _ in range(40)]
        for wire in wires:
            wire.kernel.room = 5
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        self.say(60_000)
        others = 10 * 60_000  # what the sender, the log and those have who took all
        self.assertLess(tracemalloc.get_traced_memory()[0], 40 * (AT_ONCE_BYTES + 5000) + others)


class DirectWriteTests(AnySocket, SynchronousTestCase):
    def test_a_socket_that_fails_costs_its_client_alone(self) -> None:
        self.slow.kernel.error = errno.EBADF
        self.say()
        self.say()
        self.slow.turn()
        self.assertIsNotNone(self.slow.why)
        self.say()
        self.assertEqual(self.heard(self.other), self.said)

    def test_the_last_words_of_a_peer_that_hung_up_are_heard(self) -> None:
        for number in (errno.ECONNRESET, errno.EPIPE):
            for room in (None, 5):
                self.setUp()
                self.slow.kernel.room = room
                self.say()
                self.slow.kernel.error = number
                self.say()
                self.say()
                self.tell(self.slow, frame(b'42["farewell"]'))
                self.world.turn()
                self.assertIsNone(self.slow.why)
                self.assertEqual(self.heard(self.other), [*self.said, (TEXT, b'42["farewell"]')])


class TlsDirectWriteTests(AnySocket, SynchronousTestCase):
    def connect(self) -> Any:
        return TlsWire(self.world.site)

    def tell(self, wire: Any, data: bytes) -> None:
        wire.say(*[data[start : start + CHUNK] for start in range(0, len(data), CHUNK)])

    def heard(self, wire: Any) -> list[tuple[int, bytes]]:
        wire.read()
        return super().heard(wire)

    def test_what_tls_has_to_say_is_not_overtaken(self) -> None:
        layer = RecordLayer(self.slow.secrets[b"CLIENT_TRAFFIC_SECRET_0"])
        layer.skip(2)  # it sent a request and a CONNECT
        for wishes in (1, 2):  # OpenSSL answers the last one when it writes next
            self.slow.kernel.room = 0
            self.slow.tls.dataReceived(b"".join([layer.new_keys() for _ in range(wishes)]))
            self.assertEqual(self.slow.buffered > 0, wishes > 1)
            self.slow.kernel.room = None
            self.say()
            self.say()
            self.slow.take()
            self.world.turn()
            self.say()
            self.assertEqual(self.heard(self.slow), self.said)
