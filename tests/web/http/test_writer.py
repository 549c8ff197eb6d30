"""Writing to a transport: at once, in order, and never more than it can take."""

import errno
import tracemalloc
from collections.abc import Callable
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.protocol import Protocol
from twisted.protocols.policies import ProtocolWrapper
from twisted.trial.unittest import SynchronousTestCase

from gateway.web.http.tls_writer import writer_for
from gateway.web.http.writer import (
    CHUNK,
    ROOM_FOR_CONTROL,
    BufferedWriter,
    DirectWriter,
    Writer,
)
from tests.web.wire import Wire

BIG = b"0123456789abcdef" * 20_000
"""More than a transport and a chunk together."""


class WriterTestCase(SynchronousTestCase):
    """What holds for every writer; `kind` makes one."""

    kind: Callable[[Any, Callable[[], None]], Writer]
    wires: Callable[[], Any] = Wire
    in_transport: int
    """The most that may lie in the transport."""

    def setUp(self) -> None:
        self.wire = type(self).wires()
        self.rooms = 0
        self.writer = type(self).kind(self.wire, self.on_room)

    def on_room(self) -> None:
        self.rooms += 1

    def fill(self) -> None:
        """Make the transport full, with BIG."""
        self.wire.kernel.room = 0
        self.assertFalse(self.writer.write(BIG))

    @property
    def sent(self) -> bytes:
        return self.wire.received


class AnyWriter:
    """Tests for both kinds."""

    def test_while_the_peer_reads_there_is_always_room(self) -> None:
        for data in (b"one", b"", b"two"):
            self.assertTrue(self.writer.write(data))
        self.wire.take()
        self.assertEqual(self.sent, b"onetwo")
        self.assertEqual(self.rooms, 0)

    def test_a_full_transport_says_so_and_says_when_there_is_room(self) -> None:
        self.fill()
        self.assertFalse(self.writer.write(b""))
        self.wire.take(len(BIG) - 1)
        self.assertEqual(self.rooms, 0)
        self.wire.take()
        self.assertEqual(self.sent, BIG)
        self.assertEqual(self.rooms, 1)
        self.assertTrue(self.writer.write(b""))

    def test_the_transport_holds_a_bounded_part_of_what_it_did_not_take(self) -> None:
        self.fill()
        while self.sent != BIG:
            self.assertLessEqual(self.wire.buffered, self.in_transport)
            self.wire.take(1000)

    def test_the_rest_stays_the_bytes_that_were_given(self) -> None:
        wires = [type(self).wires() for _ in range(20)]
        writers = [type(self).kind(wire, self.on_room) for wire in wires]
        for wire in wires:
            wire.kernel.room = 0
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        for writer in writers:
            writer.write(BIG)
        self.assertLess(tracemalloc.get_traced_memory()[0], 20 * (self.in_transport + 4000))

    def test_progress_of_a_slow_peer_is_seen(self) -> None:
        self.fill()
        before = self.writer.taken
        self.wire.take(1)
        self.assertEqual(self.writer.taken, before)
        self.wire.take(self.in_transport + CHUNK)
        self.assertGreater(self.writer.taken, before)

    def test_writing_from_within_on_room_keeps_the_order(self) -> None:
        more = [b"a" * 200_000, b"b" * 200_000]

        def write() -> None:
            if more:
                self.writer.write(more.pop(0))
                self.writer.control(b"<pong>")

        self.on_room = write
        self.setUp()
        self.fill()
        while self.sent.count(b"<pong>") < 2:
            self.wire.take(10_000)
        self.assertEqual(self.sent, BIG + b"a" * 200_000 + b"<pong>" + b"b" * 200_000 + b"<pong>")

    def test_a_full_transport_keeps_what_is_written_all_the_same(self) -> None:
        # A pong can fill the transport while the outbox believes that there is room.
        self.fill()
        more = b"m" * (ROOM_FOR_CONTROL + 1)
        self.assertFalse(self.writer.write(more))
        self.wire.take()
        self.assertEqual(self.sent, BIG + more)
        self.assertIsNone(self.wire.why)

    # -- control frames -----------------------------------------------------------------

    def test_control_frames_wait_behind_a_full_transport_in_order(self) -> None:
        self.fill()
        self.writer.control(b"<pong 1>")
        self.wire.take(70_000)
        self.writer.control(b"<pong 2>")
        self.wire.take()
        self.assertEqual(self.sent, BIG + b"<pong 1><pong 2>")
        self.assertEqual(self.rooms, 1)

    def test_a_peer_that_collects_control_frames_is_dropped(self) -> None:
        self.fill()
        for _ in range(ROOM_FOR_CONTROL // 100):
            self.writer.control(b"x" * 100)
        self.wire.turn()
        self.assertIsNone(self.wire.why)
        self.writer.control(b"x" * 100)
        self.wire.turn()
        self.assertIs(self.wire.why, ConnectionAborted)

    def test_control_frames_count_from_when_the_peer_read_last(self) -> None:
        for _ in range(3):
            self.fill()
            self.writer.control(b"x" * (ROOM_FOR_CONTROL - 1))
            self.wire.take()
        self.wire.turn()
        self.assertIsNone(self.wire.why)

    # -- the end ------------------------------------------------------------------------

    def test_nothing_is_written_after_the_last_frame(self) -> None:
        self.writer.write(b"a")
        self.writer.finish(b"<close>")
        self.assertFalse(self.writer.write(b"b"))
        self.writer.control(b"c")
        self.wire.take()
        self.assertEqual(self.sent, b"a<close>")
        self.assertIsNone(self.wire.why)

    def test_a_full_transport_finishes_after_what_waits(self) -> None:
        self.fill()
        self.writer.finish(b"<close>")
        self.writer.write(b"b")
        self.wire.take()
        self.assertEqual(self.sent, BIG + b"<close>")
        self.assertEqual(self.rooms, 0, "nobody may write any more")
        self.assertFalse(self.writer.write(b"c"))
        self.wire.take()
        self.assertEqual(self.sent, BIG + b"<close>")

    def test_the_connection_goes_once_everything_is_written(self) -> None:
        self.writer.finish(b"<close>")
        self.writer.lose()
        self.wire.take()
        self.assertEqual(self.sent, b"<close>")
        self.assertIs(self.wire.why, ConnectionDone)

    def test_a_full_transport_goes_once_everything_is_written(self) -> None:
        self.fill()
        self.writer.finish(b"<close>")
        self.writer.lose()
        self.wire.take(len(BIG))
        self.assertIsNone(self.wire.why)
        self.writer.lose()
        self.wire.take()
        self.assertEqual(self.sent, BIG + b"<close>")
        self.assertIs(self.wire.why, ConnectionDone)

    def test_a_connection_that_is_gone_holds_nothing_and_hears_nothing(self) -> None:
        self.fill()
        self.writer.control(b"pong")
        self.wire.abortConnection()
        self.wire.turn()
        self.assertIs(self.wire.why, ConnectionAborted)
        self.assertFalse(self.writer.write(b"late"))
        self.writer.control(b"late")
        self.writer.finish(b"late")
        self.writer.lose()
        self.wire.turn()
        self.assertEqual(self.rooms, 0)
        self.assertEqual((len(self.writer._rest), self.writer._waiting), (0, b""))


class DirectWriterTests(AnyWriter, WriterTestCase):
    kind = DirectWriter
    in_transport = CHUNK

    def test_what_the_socket_takes_costs_one_call_and_no_registration(self) -> None:
        for _ in range(3):
            self.writer.write(b"tick")
        self.assertEqual((self.sent, self.wire.kernel.calls), (b"tick" * 3, 3))
        self.assertNotIn(self.wire, self.wire.reactor.writers)
        self.assertIsNone(self.wire.producer)

    def test_what_is_held_back_goes_out_in_one_call(self) -> None:
        let_go = self.writer.hold()
        self.assertTrue(self.writer.write(b"one"))
        self.assertTrue(self.writer.write(b"two"))
        self.assertEqual(self.wire.kernel.calls, 0)
        let_go()
        self.assertEqual((self.sent, self.wire.kernel.calls), (b"onetwo", 1))
        self.assertTrue(self.writer.write(b"three"))
        self.assertEqual(self.sent, b"onetwothree")

    def test_what_is_held_back_comes_before_the_end(self) -> None:
        let_go = self.writer.hold()
        self.writer.write(b"one")
        self.writer.finish(b"<close>")
        let_go()
        self.assertFalse(self.writer.write(b"two"))
        self.wire.take()
        self.assertEqual(self.sent, b"one<close>")

    def test_what_is_held_back_may_be_more_than_the_socket_takes(self) -> None:
        self.wire.kernel.room = 5
        let_go = self.writer.hold()
        self.assertTrue(self.writer.write(BIG))
        let_go()
        self.assertFalse(self.writer.write(b"more"))
        self.wire.take()
        self.assertEqual((self.sent, self.rooms), (BIG + b"more", 1))

    def test_nothing_is_sent_at_once_while_something_waits(self) -> None:
        let_go = self.writer.hold()
        self.assertIsNone(self.writer.at_once)
        let_go()
        self.assertEqual(self.writer.at_once, self.wire.kernel.send)
        self.wire.kernel.room = 1
        self.writer.control(b"pong")
        self.assertIsNone(self.writer.at_once)
        self.wire.take()
        self.assertEqual(self.writer.at_once, self.wire.kernel.send)

    def test_an_error_while_it_is_let_go_ends_the_connection(self) -> None:
        let_go = self.writer.hold()
        self.writer.write(b"one")
        self.wire.kernel.error = errno.EBADF
        let_go()
        self.assertFalse(self.writer.write(b"two"))
        self.wire.turn()
        self.assertIs(self.wire.why, ConnectionAborted)

    def test_a_partial_write_goes_on_where_it_stopped(self) -> None:
        self.wire.kernel.room = 5
        self.assertFalse(self.writer.write(BIG))
        self.assertEqual(self.sent, BIG[:5])
        self.wire.take()
        self.assertEqual(self.sent, BIG)

    def test_an_error_of_the_socket_aborts_the_connection(self) -> None:
        for number in (errno.EBADF, errno.ETIMEDOUT, errno.ENOBUFS):
            self.setUp()
            self.wire.kernel.error = number
            self.assertFalse(self.writer.write(b"x"))
            self.assertFalse(self.writer.write(b"y" * ROOM_FOR_CONTROL))
            self.writer.control(b"z")
            self.assertEqual(self.wire.kernel.calls, 1)
            self.assertIsNone(self.wire.why, "not from within write")
            self.wire.turn()
            self.assertIs(self.wire.why, ConnectionAborted)

    def test_a_peer_that_hung_up_is_heard_to_its_end(self) -> None:
        for number in (errno.ECONNRESET, errno.EPIPE):
            self.setUp()
            self.wire.kernel.error = number
            self.assertTrue(self.writer.write(b"x"))
            self.assertTrue(self.writer.write(b"y" * CHUNK), "nothing waits for it")
            self.wire.turn()
            self.assertEqual((self.wire.why, self.wire.kernel.calls), (None, 1))
            self.assertIn(self.wire, self.wire.reactor.readers)

    def test_a_producer_is_registered_only_while_something_waits(self) -> None:
        self.fill()
        self.assertIs(self.wire.producer, self.writer)
        self.wire.take()
        self.assertIsNone(self.wire.producer)


class BufferedWriterTests(AnyWriter, WriterTestCase):
    kind = BufferedWriter
    in_transport = Wire.bufferSize + CHUNK

    def test_nothing_is_sent_past_the_transport(self) -> None:
        self.wire.write(b"an answer")
        self.writer.write(b"tick")
        self.assertEqual(self.wire.kernel.calls, 0)
        self.wire.take()
        self.assertEqual(self.sent, b"an answertick")

    def test_what_was_written_last_is_not_held_on_to(self) -> None:
        self.writer.write(BIG[:1000])
        self.assertEqual(len(self.writer._rest.obj), 0)


class ChoiceTests(SynchronousTestCase):
    def choose(self, transport: object) -> Writer:
        return writer_for(transport, lambda: None)

    def test_a_bare_connection_is_written_to_directly(self) -> None:
        self.assertIsInstance(self.choose(Wire()), DirectWriter)

    def test_wrappers_and_tls_are_written_through(self) -> None:
        wire = Wire()
        wrapper = ProtocolWrapper(None, Protocol())
        wrapper.transport = wire
        self.assertIsInstance(self.choose(wrapper), BufferedWriter)
        wire = Wire()
        wire.TLS = True
        wire.registerProducer = lambda producer, streaming: None
        self.assertIsInstance(self.choose(wire), BufferedWriter)

    def test_what_lies_in_the_transport_already_is_not_overtaken(self) -> None:
        for sent in (0, 3):
            wire = Wire()
            wire.write(b"an answer")
            wire.kernel.room = sent
            if sent:
                wire.doWrite()
            wire.kernel.room = None
            self.choose(wire).write(b"frame")
            wire.take()
            self.assertEqual(wire.kernel.sent, b"an answerframe")


class AnyOrder(RuleBasedStateMachine):
    """Whatever is written comes out once and in order, and `on_room` is not forgotten."""

    kind: Callable[[Any, Callable[[], None]], Writer]
    wires: Callable[[], Any] = Wire

    def __init__(self) -> None:
        super().__init__()
        self.wire = type(self).wires()
        self.writer = type(self).kind(self.wire, self.on_room)
        self.given = b""
        self.has_room = True
        self.count = 0

    def on_room(self) -> None:
        assert not self.has_room
        self.has_room = True

    def data(self, size: int) -> bytes:
        self.count += 1
        return (b"%06d" % self.count) * size

    @rule(size=st.sampled_from((0, 1, 100, 3000, 20_000)))
    def write(self, size: int) -> None:
        if self.has_room:
            self.given += (data := self.data(size))
            self.has_room = False
            self.has_room = self.writer.write(data) or self.has_room

    @rule(size=st.sampled_from((1, 100, 2700, 20_000)))
    def send_at_once(self, size: int) -> None:
        send = self.writer.at_once
        assert send is None or self.has_room
        if send is not None:
            self.given += (data := self.data(size))
            try:
                sent = send(data)
            except BlockingIOError:
                sent = 0
            if sent < len(data):
                self.has_room = False
                self.has_room = self.writer.write(data[sent:]) or self.has_room

    @rule()
    def control(self) -> None:
        self.given += (data := self.data(10))
        # A control frame may fill the transport, too; then there is room again later.
        had_room, self.has_room = self.has_room, False
        self.writer.control(data)
        self.has_room = self.has_room or (had_room and self.writer._waiting is None)

    @rule(size=st.sampled_from((1, 1000, 16_384, 70_000, None)))
    def take(self, size: int | None) -> None:
        self.wire.take(size)

    @rule()
    def stall(self) -> None:
        self.wire.kernel.room = 0

    @invariant()
    def in_order(self) -> None:
        assert self.given.startswith(self.wire.received)
        assert self.wire.why is None

    def teardown(self) -> None:
        self.wire.take()
        assert self.wire.received == self.given
        assert self.has_room
        self.writer.finish(b"<close>")
        self.writer.lose()
        self.wire.take()
        assert self.wire.received == self.given + b"<close>"
        assert self.wire.why is ConnectionDone


class DirectOrder(AnyOrder):
    kind = DirectWriter


class BufferedOrder(AnyOrder):
    kind = BufferedWriter


class OrderTests(SynchronousTestCase):
    def test_everything_comes_out_once_and_in_order(self) -> None:
        for machine in (DirectOrder, BufferedOrder):
            run_state_machine_as_test(
                machine,
                settings=settings(deadline=None, max_examples=40, stateful_step_count=30),
            )
