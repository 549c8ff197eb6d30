"""One WebSocket connection: what its channel hears, and how it ends."""

import errno
import gc
import tracemalloc
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.deadlines import Deadlines
from gateway.engineio.meter import Meter
from gateway.web.http.writer import CHUNK
from gateway.web.websocket.allowance import Allowance
from gateway.web.websocket.closing import CLOSE_TIMEOUT
from gateway.web.websocket.connection import WebSocketConnection
from gateway.web.websocket.odd_frames import OddFrames
from tests.untraced import untraced
from tests.web.peer import (
    BINARY,
    CLOSE,
    CONTINUATION,
    KEY,
    PING,
    PONG,
    TEXT,
    Recorder,
    close,
    frame,
    frames,
    header,
    mask,
    said,
)
from tests.web.wire import Wire

LIMIT = 1000
BIG = b"x" * 200_000
NORMAL = said(CLOSE, b"\x03\xe8")


class World:
    """A connection over a wire, its channel, and the time."""

    def __init__(self, *, rate: float = 0, burst: float = 0, **allowed: Any) -> None:
        self.wire = Wire()
        self.deadlines = Deadlines(self.wire.reactor.seconds)
        self.odd_frames = OddFrames(self.wire.reactor, deflate=False, max_payload=LIMIT)
        self.connection = WebSocketConnection(
            self.deadlines, self.odd_frames, Allowance(max_payload=LIMIT, **allowed)
        )
        self.wire.protocol = self.connection
        self.connection.makeConnection(self.wire)
        self.channel = Recorder(self.connection)
        meter = Meter(rate, burst, self.deadlines.clock)
        self.channel.session = SimpleNamespace(meter=meter)
        self.connection.start(self.channel)

    def receive(self, *data: bytes) -> None:
        """What the peer sends; a transport that reads no more does not deliver it."""
        for each in data:
            if self.wire in self.wire.reactor.readers:
                self.connection.dataReceived(each)

    def fill(self) -> None:
        """Make the transport full, with BIG."""
        self.wire.kernel.room = 0
        self.connection.write(BIG)

    def advance(self, seconds: float) -> None:
        self.wire.reactor.advance(seconds)
        self.deadlines.advance()
        self.wire.turn()

    @property
    def heard(self) -> list[object]:
        return self.channel.heard

    @property
    def sent(self) -> bytes:
        return self.wire.kernel.sent


class WebSocketTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.connection = self.world.connection
        self.wire = self.world.wire
        self.channel = self.world.channel

    def receive(self, *data: bytes) -> None:
        self.world.receive(*data)

    @property
    def heard(self) -> list[object]:
        return self.world.heard

    @property
    def sent(self) -> bytes:
        return self.world.sent

    def go_slow(self) -> None:
        """Let Autobahn read from now on."""
        self.receive(frame(b"", PONG))

    def each_way(self, check: Callable[[], None]) -> None:
        """`check` on the fast path, and with Autobahn."""
        check()
        self.setUp()
        self.go_slow()
        check()


class MessageTests(WebSocketTestCase):
    def test_the_channel_hears_text_and_binary(self) -> None:
        def check() -> None:
            self.receive(frame("κόσμε".encode()) + frame(b"\xff", BINARY), frame(b""))
            expected = [("text", "κόσμε".encode()), ("binary", b"\xff"), ("text", b"")]
            self.assertEqual(self.heard, expected)

        self.each_way(check)

    def test_what_came_before_an_odd_frame_in_its_segment_is_heard_before(self) -> None:
        self.receive(
            frame(b"1")
            + frame(b"2", fin=False)
            + frame(b"p", PING)
            + frame(b"3", CONTINUATION)
            + frame(b"4")
        )
        self.assertEqual(self.heard, [("text", b"1"), ("text", b"23"), ("text", b"4")])
        self.assertEqual(self.sent, said(PONG, b"p"))

    def test_the_channel_may_answer_from_within(self) -> None:
        self.channel.on_text = lambda data: self.connection.write(said(TEXT, data))
        self.receive(frame(b"1") + frame(b"2"), frame(b"", PING) + frame(b"3"))
        self.assertEqual(
            self.sent, said(TEXT, b"1") + said(TEXT, b"2") + said(PONG) + said(TEXT, b"3")
        )

    def test_a_long_message_may_trickle_in(self) -> None:
        data = frame(b"x" * LIMIT)
        self.receive(*(data[index : index + 1] for index in range(len(data))))
        self.assertEqual(self.heard, [("text", b"x" * LIMIT)])

    @settings(deadline=None, max_examples=60)
    @given(
        st.lists(
            st.one_of(
                st.builds(frame, st.text(max_size=80).map(str.encode)),
                st.builds(frame, st.binary(max_size=200), st.just(BINARY)),
                st.builds(frame, st.binary(max_size=20), st.sampled_from((PING, PONG))),
                st.builds(
                    lambda one, two, between: (
                        frame(one, BINARY, fin=False) + between + frame(two, CONTINUATION)
                    ),
                    st.binary(max_size=50),
                    st.binary(max_size=50),
                    st.sampled_from((b"", frame(b"between", PING))),
                ),
            ),
            max_size=8,
        ),
        st.data(),
    )
    def test_any_cuts_give_the_same_messages(
        self, pieces: list[bytes], data: st.DataObject
    ) -> None:
        stream = b"".join(pieces)
        whole, cut = World(), World()
        whole.receive(stream)
        cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=20)))
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
            cut.receive(stream[start:end])
        self.assertEqual(cut.heard, whole.heard)
        self.assertEqual(cut.sent, whole.sent)
        self.assertNotIn("lost", whole.heard)


class BadInputTests(WebSocketTestCase):
    def failed(self, code: int) -> None:
        self.assertEqual(self.heard, ["lost"])
        self.assertEqual(self.sent[:1] + self.sent[2:4], b"\x88" + code.to_bytes(2, "big"))

    def test_what_breaks_the_framing_is_1002(self) -> None:
        for data in (
            frame(b"x", key=None),
            frame(b"x", rsv=1),
            frame(b"x", 3),
            frame(b"x", 11),
            frame(b"x", CONTINUATION),
            frame(b"x" * 126, PING),
            frame(b"x", PING, fin=False),
            frame(b"x", width=2),
            frame(b"x", fin=False) + frame(b"y"),
            frame(b"\x03", CLOSE),
            close(999),
            close(1005),
        ):
            self.setUp()
            self.receive(data)
            self.failed(1002)

    def test_invalid_utf8_is_1007_also_across_fragments_and_in_reasons(self) -> None:
        for data in (
            frame(b"\xff"),
            frame(b"\xce", fin=False) + frame(b"x", CONTINUATION),
            frame(b"\xce", fin=False) + frame(b"", CONTINUATION),
            close(1000, b"\xff"),
        ):
            self.setUp()
            self.receive(data)
            self.failed(1007)

    def test_utf8_may_be_cut_anywhere(self) -> None:
        text = "κ€😀".encode()
        for cut in range(len(text) + 1):
            self.setUp()
            self.receive(frame(text[:cut], fin=False) + frame(text[cut:], CONTINUATION))
            self.assertEqual(self.heard, [("text", text)])

    def test_text_fails_before_its_frame_is_complete(self) -> None:
        start = header(100) + KEY + mask(b"good \xf4")
        self.receive(start)
        self.assertEqual(self.heard, [])
        self.receive(mask(b"\x90", KEY[2:] + KEY[:2]))
        self.failed(1007)
        self.setUp()
        self.receive(frame(b"before") + header(100) + KEY + mask(b"bad \xff"))
        self.assertEqual(self.heard, [("text", b"before"), "lost"])

    def test_binary_after_text_may_trickle_in(self) -> None:
        text, binary = frame(b"text"), frame(b"\xff" * 100, BINARY)
        self.receive(text[:8], text[8:] + binary[:50], binary[50:60], binary[60:])
        self.assertEqual(self.heard, [("text", b"text"), ("binary", b"\xff" * 100)])
        self.assertIsNone(self.connection._fallback)

    def test_a_declared_length_over_the_limit_is_1009_before_anything_is_kept(self) -> None:
        for size in (LIMIT + 1, 2**20, 2**31, 2**62):
            for opcode in (TEXT, BINARY):
                self.setUp()
                self.receive(header(size, opcode) + KEY)
                self.failed(1009)
                tracemalloc.start()
                self.addCleanup(tracemalloc.stop)
                self.receive(*[b"x" * 60_000] * 20)
                kept, _ = tracemalloc.get_traced_memory()
                tracemalloc.stop()
                self.assertLess(kept, 100_000)

    def test_after_a_failure_the_channel_hears_nothing_more(self) -> None:
        self.receive(frame(b"\xff") + frame(b"good"), frame(b"good"))
        self.failed(1007)

    def test_a_failure_in_the_middle_of_a_batch(self) -> None:
        self.receive(frame(b"1") + frame(b"x", rsv=2) + frame(b"2"))
        self.assertEqual(self.heard, [("text", b"1"), "lost"])

    @untraced
    @settings(deadline=None, max_examples=150)
    @given(
        st.lists(
            st.one_of(
                st.binary(max_size=60),
                st.builds(
                    frame,
                    st.binary(max_size=LIMIT + 100),
                    st.integers(0, 15),
                    fin=st.booleans(),
                    rsv=st.sampled_from((0, 0, 0, 0, 3)),
                ),
                st.builds(
                    lambda size, opcode: header(size, opcode) + KEY,
                    st.integers(0, 2**64 - 1),
                    st.integers(0, 15),
                ),
            ),
            max_size=12,
        ),
        st.booleans(),
    )
    def test_whatever_comes_nothing_raises_and_nothing_grows(
        self, pieces: list[bytes], closing: bool
    ) -> None:
        world = World()
        if closing:
            world.connection.close()
        world.receive(*pieces)
        self.assertLessEqual(len(world.connection._buffer), LIMIT + 14)
        self.assertNotIn(CLOSE, [opcode for opcode, _ in frames(world.sent)][:-1])
        fallback = world.connection._fallback
        if fallback is not None:
            self.assertLessEqual(len(fallback.data), LIMIT + 114, "at most what came last")
            pieces = [getattr(fallback, name, None) for name in ("message_data", "frame_data")]
            held = [piece for each in pieces for piece in each or ()]
            self.assertLessEqual(sum(map(len, held)), LIMIT)
        world.advance(CLOSE_TIMEOUT)
        world.wire.abortConnection()
        world.wire.turn()
        self.assertEqual(world.heard.count("lost"), 0 if closing else 1)
        self.assertIsNone(world.deadlines.next)
        self.assertEqual(world.wire.reactor.getDelayedCalls(), [])


class ClosedByThePeerTests(WebSocketTestCase):
    def test_its_close_is_echoed_and_the_connection_dropped(self) -> None:
        for payload in (b"", b"\x03\xe8", b"\x03\xe9", b"\x03\xe8bye", b"\x0b\xb8"):
            self.setUp()
            self.receive(frame(payload, CLOSE))
            self.assertEqual(self.sent, said(CLOSE, payload))
            self.assertEqual(self.heard, ["lost"])
            self.wire.take()
            self.assertIs(self.wire.why, ConnectionDone)
            self.assertEqual(self.heard, ["lost"])

    def test_a_channel_that_closes_when_it_is_told_says_no_second_close(self) -> None:
        self.channel.on_lost = self.connection.close

        def check() -> None:
            self.receive(close(1001))
            self.assertEqual(self.sent, said(CLOSE, b"\x03\xe9"))

        self.each_way(check)

    def test_a_channel_that_writes_when_it_is_told_is_ignored(self) -> None:
        self.channel.on_lost = lambda: self.connection.write(said(TEXT, b"late"))
        self.receive(close())
        self.connection.write(said(TEXT, b"later"))
        self.assertEqual(self.sent, NORMAL)

    def test_nothing_after_its_close_is_heard(self) -> None:
        self.receive(frame(b"1") + close() + frame(b"2") + frame(b"", PING) + b"\xff\xff")
        self.assertEqual(self.heard, [("text", b"1"), "lost"])
        self.assertEqual(self.sent, NORMAL)
        self.assertIsNone(self.connection._fallback)

    def test_a_full_transport_delivers_what_waits_and_then_the_close(self) -> None:
        def check() -> None:
            self.world.fill()
            self.receive(close())
            self.assertEqual(self.heard, ["lost"])
            self.wire.take()
            self.assertEqual(self.sent, BIG + NORMAL)
            self.assertIs(self.wire.why, ConnectionDone)
            self.assertEqual(self.heard, ["lost"], "a channel that is lost hears of no room")

        self.each_way(check)

    def test_a_peer_that_closes_and_does_not_read_is_dropped(self) -> None:
        self.world.fill()
        self.receive(close())
        self.world.advance(CLOSE_TIMEOUT)
        self.assertIs(self.wire.why, ConnectionAborted)


class ClosedByUsTests(WebSocketTestCase):
    def test_what_is_aborted_delivers_what_waits_and_says_no_close(self) -> None:
        def check() -> None:
            self.world.fill()
            self.connection.abort()
            self.receive(frame(b"late"))
            self.wire.take()
            self.assertEqual((self.sent, self.heard), (BIG, []))
            self.assertIs(self.wire.why, ConnectionDone)

        self.each_way(check)

    def test_what_is_aborted_and_does_not_read_is_dropped(self) -> None:
        self.world.fill()
        self.connection.abort()
        self.world.advance(CLOSE_TIMEOUT)
        self.assertIs(self.wire.why, ConnectionAborted)

    def test_the_peer_is_told_and_its_answer_drops_the_connection(self) -> None:
        def check() -> None:
            self.connection.close(1001)
            self.assertEqual(self.sent, said(CLOSE, b"\x03\xe9"))
            self.receive(close(1001))
            self.wire.take()
            self.assertIs(self.wire.why, ConnectionDone)
            self.assertEqual(self.sent, said(CLOSE, b"\x03\xe9"))
            self.assertEqual(self.heard, [], "it closed itself")

        self.each_way(check)

    def test_closing_twice_says_it_once(self) -> None:
        def check() -> None:
            self.connection.close()
            self.world.advance(CLOSE_TIMEOUT / 2)
            self.connection.close(1011)
            self.assertEqual(self.sent, NORMAL)
            self.world.advance(CLOSE_TIMEOUT / 2)
            self.assertIs(self.wire.why, ConnectionAborted, "counted from the first time")

        self.each_way(check)

    def test_both_may_close_at_once(self) -> None:
        self.connection.close(1000)
        self.receive(close(1001, b"bye"))
        self.wire.take()
        self.assertEqual((self.sent, self.wire.why), (NORMAL, ConnectionDone))

    def test_what_the_peer_still_sends_is_not_heard_nor_answered(self) -> None:
        for more in (
            (frame(b"late"),),
            (frame(b"late")[:5], frame(b"late")[5:]),
            (frame(b"", PING),),
            (frame(b"la", fin=False), frame(b"", PING), frame(b"te", CONTINUATION)),
            (frame(b"late") + frame(b"", PING) + frame(b"late"),),
        ):
            self.setUp()
            self.connection.close()
            self.receive(*more)
            self.assertIn(self.wire, self.wire.reactor.readers, "its answer is waited for")
            self.receive(close())
            self.wire.take()
            self.assertEqual((self.heard, self.sent), ([], NORMAL))
            self.assertIs(self.wire.why, ConnectionDone)

    def test_a_peer_that_never_answers_is_dropped(self) -> None:
        def check() -> None:
            self.connection.close()
            self.world.advance(CLOSE_TIMEOUT - 0.1)
            self.receive(frame(b"still here"))
            self.assertIsNone(self.wire.why)
            self.world.advance(0.1)
            self.assertIs(self.wire.why, ConnectionAborted)
            self.assertEqual(self.heard, [])

        self.each_way(check)

    def test_nothing_is_written_after_the_close(self) -> None:
        self.connection.close()
        self.assertFalse(self.connection.write(said(TEXT, b"late")))
        self.assertEqual(self.sent, NORMAL)

    def test_what_was_written_before_is_delivered_to_a_peer_that_reads_on(self) -> None:
        def check() -> None:
            self.world.fill()
            self.connection.close()
            for _ in range(5):
                self.world.advance(CLOSE_TIMEOUT / 2)
                self.wire.take(2 * CHUNK)
            self.wire.take()
            self.assertEqual(self.sent, BIG + NORMAL)
            self.receive(close())
            self.wire.take()
            self.assertIs(self.wire.why, ConnectionDone)

        self.each_way(check)

    def test_a_peer_that_takes_nothing_is_dropped(self) -> None:
        self.world.fill()
        self.connection.close()
        self.world.advance(CLOSE_TIMEOUT)
        self.assertIs(self.wire.why, ConnectionAborted)

    def test_from_within_a_message(self) -> None:
        self.channel.on_text = lambda data: self.connection.close()
        self.receive(frame(b"1") + frame(b"2") + close())
        self.wire.take()
        self.assertEqual((self.heard, self.sent), ([("text", b"1")], NORMAL))
        self.assertIs(self.wire.why, ConnectionDone)

    def test_from_within_a_message_that_autobahn_read(self) -> None:
        self.go_slow()
        self.test_from_within_a_message()

    def test_before_the_channel_is_there(self) -> None:
        world = World()
        world.connection.close()
        world.connection.start(world.channel)
        world.receive(frame(b"late") + close())
        world.wire.take()
        self.assertEqual((world.heard, world.sent), ([], NORMAL))
        self.assertIs(world.wire.why, ConnectionDone)


class LostTests(WebSocketTestCase):
    def lose(self) -> None:
        self.wire.connectionLost()

    def test_the_channel_is_told_once(self) -> None:
        def check() -> None:
            self.channel.on_lost = self.connection.close
            self.lose()
            self.assertEqual(self.heard, ["lost"])
            self.assertIsNone(self.world.deadlines.next)
            self.world.advance(10)
            self.assertEqual((self.heard, self.sent), (["lost"], b""))

        self.each_way(check)

    def test_autobahn_is_told_too(self) -> None:
        self.go_slow()
        factory = self.connection._fallback.factory
        self.assertEqual(factory.countConnections, 1)
        self.lose()
        self.assertEqual(factory.countConnections, 0)

    def test_nobody_waits_any_more(self) -> None:
        for end in (self.lose, lambda: self.receive(close()), self.connection.close):
            end()
            if self.wire.why is None:
                self.lose()
            self.assertIsNone(self.world.deadlines.next)
            self.setUp()

    def test_an_error_in_the_middle_of_a_write_drops_the_connection(self) -> None:
        self.wire.kernel.error = errno.ENOBUFS
        self.assertFalse(self.connection.write(b"x"))
        self.assertEqual(self.heard, [], "not from within write")
        self.wire.turn()
        self.assertEqual(self.heard, ["lost"])

    def test_with_a_full_transport(self) -> None:
        self.world.fill()
        self.lose()
        self.assertEqual(self.heard, ["lost"])


class RoomTests(WebSocketTestCase):
    def test_the_channel_is_told_when_a_full_transport_has_room(self) -> None:
        self.world.fill()
        before = self.connection.taken
        self.wire.take()
        self.assertEqual(self.heard, ["room"])
        self.assertNotEqual(self.connection.taken, before)

    def test_pongs_keep_their_place_behind_a_full_transport(self) -> None:
        self.world.fill()
        self.receive(frame(b"p", PING))
        self.wire.take()
        self.assertEqual(self.sent, BIG + said(PONG, b"p"))

    def test_a_peer_that_pings_and_does_not_read_is_dropped(self) -> None:
        self.world.fill()
        for _ in range(10):
            self.receive(frame(b"x" * 125, PING) * 100 + frame(b"not a flood by number"))
        self.wire.turn()
        self.assertIs(self.wire.why, ConnectionAborted)
        self.assertEqual(self.heard.count("lost"), 1)


class MemoryTests(WebSocketTestCase):
    def test_an_idle_connection_costs_little(self) -> None:
        wires = [Wire() for _ in range(200)]
        deadlines = Deadlines(self.wire.reactor.seconds)
        odd_frames = OddFrames(self.wire.reactor, deflate=False, max_payload=LIMIT)
        channel = Recorder()
        gc.collect()
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        for wire in wires:
            connection = WebSocketConnection(deadlines, odd_frames, Allowance(max_payload=LIMIT))
            wire.protocol = connection
            connection.makeConnection(wire)
            connection.start(channel)
            connection.dataReceived(frame(b"2probe"))
        self.assertLess(tracemalloc.get_traced_memory()[0] / len(wires), 800)

    @untraced
    def test_a_connection_that_is_gone_leaves_nothing_for_the_collector(self) -> None:
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        for end in (
            lambda world: None,
            lambda world: world.fill(),
            lambda world: world.connection.close(),
            lambda world: world.receive(close()),
        ):
            world = World()
            before = _connections()
            end(world)
            if world.wire.why is None:
                world.wire.connectionLost()
            world.channel.sink = None
            del world.connection
            self.assertEqual(_connections(), before - 1)


def _connections() -> int:
    return sum(isinstance(each, WebSocketConnection) for each in gc.get_objects())
