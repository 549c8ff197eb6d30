"""Writing to a TLS connection: at once, in order, and never more than it can take."""

from collections.abc import Callable

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test
from twisted.internet.error import ConnectionAborted, ConnectionLost
from twisted.internet.protocol import Factory
from twisted.trial.unittest import SynchronousTestCase

from gateway.web.http.openssl import lib
from gateway.web.http.proxy_protocol import ProxyProtocolConnection
from gateway.web.http.tls_writer import TlsWriter, writer_for
from gateway.web.http.writer import CHUNK
from tests.web.http.test_writer import BIG, AnyOrder, AnyWriter, WriterTestCase
from tests.web.tls_wire import TlsWire


def tls_writer(wire: TlsWire, on_room: Callable[[], None]) -> TlsWriter:
    return TlsWriter(wire.tls, wire.below, on_room)


class TlsWriterTests(AnyWriter, WriterTestCase):
    kind = tls_writer
    wires = TlsWire
    in_transport = CHUNK + 100

    def test_it_is_the_writer_of_tls(self) -> None:
        self.assertIsInstance(writer_for(self.wire.tls, self.on_room), TlsWriter)

    def test_what_the_socket_takes_costs_one_call_and_no_registration(self) -> None:
        for data in (b"tick" * 60, b"x" * CHUNK, b"tock"):
            before = self.wire.kernel.calls
            self.assertTrue(self.writer.write(data))
            self.assertEqual(self.wire.kernel.calls, before + 1)
        self.assertNotIn(self.wire.below, self.wire.below.reactor.writers)
        self.assertIsNone(self.wire.below.producer)
        self.assertEqual(self.wire.tls.factory._clock.getDelayedCalls(), [])
        self.wire.read()
        self.assertEqual(self.sent, b"tick" * 60 + b"x" * CHUNK + b"tock")

    def test_what_was_written_last_is_not_held_on_to(self) -> None:
        self.writer.write(BIG[:1000])
        self.writer.write(BIG)
        self.assertEqual(len(self.writer._rest.obj), 0)

    def test_each_record_that_a_slow_peer_took_is_progress(self) -> None:
        self.fill()
        before = self.writer.taken
        self.wire.take(10 * (CHUNK + 100))
        self.assertGreaterEqual(self.writer.taken - before, 9)

    def test_behind_a_proxys_line_it_is_the_same(self) -> None:
        announced = ProxyProtocolConnection(Factory(), self.wire.tls)
        self.wire.tls.transport = announced
        announced.transport = self.wire.below
        writer = writer_for(self.wire.tls, self.on_room)
        self.assertIsInstance(writer, TlsWriter)
        before = self.wire.kernel.calls
        self.assertTrue(writer.write(b"tick"))
        self.assertEqual(self.wire.kernel.calls, before + 1)
        self.wire.read()
        self.assertEqual(self.sent, b"tick")

    def test_a_partial_write_goes_on_where_it_stopped(self) -> None:
        self.wire.kernel.room = 5
        self.assertFalse(self.writer.write(b"tick"))
        self.assertEqual(self.rooms, 0)
        self.wire.take()
        self.assertEqual((self.sent, self.rooms), (b"tick", 1))
        self.assertIsNone(self.wire.below.producer)
        self.assertTrue(self.writer.write(b"tock"))

    def test_what_is_sent_at_once_overtakes_nothing(self) -> None:
        send = self.writer.at_once
        assert send is not None
        self.assertEqual(send(b"one"), 3)
        self.assertEqual(send(b"x" * (CHUNK + 1)), 0, "more than a record")
        self.wire.kernel.room = 5
        self.assertEqual(send(b"two"), 3, "its rest lies below")
        self.wire.kernel.room = None
        self.assertEqual(send(b"three"), 0)
        self.assertFalse(self.writer.write(b"three"))
        self.assertIsNone(self.writer.at_once)
        self.wire.take()
        self.assertEqual((self.sent, self.rooms), (b"onetwothree", 1))
        self.assertIsNotNone(self.writer.at_once)

    def test_an_error_of_the_socket_ends_the_connection(self) -> None:
        self.wire.kernel.error = 32
        self.writer.write(b"tick")
        self.assertIsNone(self.wire.why, "not from within write")
        self.assertIn(self.wire.below, self.wire.below.reactor.writers)
        self.assertIsInstance(self.wire.below.doWrite(), ConnectionLost)

    def test_what_tls_has_to_say_is_not_overtaken(self) -> None:
        self.wire.kernel.room = 0
        self.wire.tls.loseConnection()  # an alert
        self.assertGreater(self.wire.buffered, 0)
        self.wire.kernel.room = None
        self.assertFalse(self.writer.write(b"tick"))
        self.wire.kernel.calls = 0
        self.assertFalse(self.writer.write(b"tock"))
        self.assertEqual(self.wire.kernel.calls, 0)

    def test_what_was_written_before_by_others_is_not_overtaken(self) -> None:
        record = self.sealed(b"first")
        self.wire.below.write(record)
        self.assertFalse(self.writer.write(b"second"))
        self.wire.take()
        self.assertEqual((self.sent, self.rooms), (b"firstsecond", 1))

    def sealed(self, data: bytes) -> bytes:
        connection = self.wire.tls.getHandle()
        connection.send(data)
        record: bytes = connection.bio_read(CHUNK)
        return record

    def test_what_openssl_has_still_is_sent_before(self) -> None:
        self.wire.tls.getHandle().send(b"first")
        self.assertTrue(self.writer.write(b"second"))
        self.wire.take()
        self.assertEqual(self.sent, b"firstsecond")

    def test_more_than_a_record_that_openssl_has_is_sent_too(self) -> None:
        for _ in range(3):
            self.wire.tls.getHandle().send(b"x" * CHUNK)
        self.assertFalse(self.writer.write(b"last"))
        self.wire.take()
        self.assertEqual(self.sent, b"x" * 3 * CHUNK + b"last")
        self.assertEqual(self.rooms, 1)

    def test_the_clients_words_are_heard_while_it_reads_nothing(self) -> None:
        heard: list[bytes] = []
        self.wire.tls.wrappedProtocol.dataReceived = heard.append
        self.fill()
        self.wire.say(b"still here")
        self.assertEqual(heard, [b"still here"])
        self.wire.take()
        self.assertEqual(self.sent, BIG)

    def test_a_client_that_closes_its_half_of_tls_ends_the_connection(self) -> None:
        self.writer.write(b"tick")
        self.wire.client.shutdown()
        self.wire._hear()
        self.wire.take()
        self.assertEqual(self.sent, b"tick")
        self.assertIsNotNone(self.wire.why)

    def test_what_failed_is_no_error_of_the_next_connection(self) -> None:
        self.wire.client.shutdown()
        self.wire._hear()
        self.wire.below.take()
        self.writer.write(b"late")
        self.assertEqual(lib.ERR_peek_error(), 0)

    def test_a_client_that_resets_while_it_reads_nothing_leaves_nothing(self) -> None:
        self.fill()
        self.wire.tls.abortConnection()
        self.wire.turn()
        self.assertIs(self.wire.why, ConnectionAborted)
        self.assertEqual((len(self.writer._rest), self.rooms), (0, 0))
        self.assertFalse(self.writer.write(b"late"))


class HandshakeTests(SynchronousTestCase):
    """Before the handshake TLS must read before it can write."""

    def setUp(self) -> None:
        self.wire = TlsWire(shaken=False)
        self.rooms = 0
        self.writer = TlsWriter(self.wire.tls, self.wire.below, self.on_room)

    def on_room(self) -> None:
        self.rooms += 1

    def test_what_is_written_before_waits_for_it(self) -> None:
        for data in (b"first", BIG):
            self.setUp()
            self.assertFalse(self.writer.write(data))
            self.writer.control(b"<pong>")
            self.assertEqual(self.rooms, 0)
            self.wire.shake()
            self.wire.take()
            self.wire.take()
            self.assertEqual(self.wire.received, data + b"<pong>")
            self.assertEqual(self.rooms, 1)
            self.assertTrue(self.writer.write(b"more"))
            self.wire.read()
            self.assertEqual(self.wire.received, data + b"<pong>more")

    def test_what_was_written_before_the_end_arrives(self) -> None:
        self.writer.finish(b"bye")
        self.writer.lose()
        self.wire.shake()
        self.wire.take()
        self.assertEqual(self.wire.received, b"bye")
        self.assertIsNotNone(self.wire.why)

    def test_a_connection_that_is_lost_before_leaves_nothing(self) -> None:
        self.writer.write(BIG)
        self.wire.below.abortConnection()
        self.wire.turn()
        self.assertIs(self.wire.why, ConnectionAborted)
        self.assertEqual((len(self.writer._rest), self.writer._waiting), (0, b""))


class TlsOrder(AnyOrder):
    kind = tls_writer
    wires = TlsWire


class OrderTests(SynchronousTestCase):
    def test_everything_comes_out_once_and_in_order(self) -> None:
        run_state_machine_as_test(
            TlsOrder, settings=settings(deadline=None, max_examples=30, stateful_step_count=30)
        )
