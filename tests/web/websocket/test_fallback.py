"""Autobahn behind the fast path: its rules, our bounds, and one way out."""

import tracemalloc
import zlib
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import capturedLogs
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from gateway.web.websocket.fallback import CONTROLS, FRAGMENTS, Fallback, FallbackFactory
from tests.untraced import untraced
from tests.web.peer import (
    BINARY,
    CLOSE,
    CONTINUATION,
    KEY,
    PING,
    PONG,
    TEXT,
    close,
    frame,
    frames,
    header,
    mask,
    said,
)

LIMIT = 100_000


class FakeOwner:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.messages: list[tuple[bytes, bool]] = []
        self.written = b""
        self.drops = 0
        self.charged = 0.0

    def on_message(self, payload: bytes, *, binary: bool) -> None:
        self.messages.append((payload, binary))

    def write_control(self, frame: bytes) -> None:
        self.written += frame

    def drop(self) -> None:
        self.drops += 1

    def charge(self, units: float) -> None:
        self.charged += units


class FallbackTestCase(SynchronousTestCase):
    address: Any = IPv4Address("TCP", "127.0.0.1", 4711)

    def setUp(self) -> None:
        self.reactor = MemoryReactorClock()
        self.factory = FallbackFactory(self.reactor, deflate=False, max_payload=LIMIT)
        self.owner = FakeOwner()
        self.fallback = Fallback(self.owner, self.address)
        self.fallback.limit(LIMIT)
        self.fallback.start(self.factory)

    def receive(self, *data: bytes) -> None:
        for each in data:
            self.fallback.dataReceived(each)

    @property
    def answer(self) -> list[tuple[int, bytes]]:
        return list(frames(self.owner.written))

    def failed(self, code: int) -> None:
        """The connection failed with `code`, and waits for the peer's close."""
        self.assertEqual([opcode for opcode, _ in self.answer], [CLOSE])
        self.assertEqual(self.answer[0][1][:2], code.to_bytes(2, "big"), self.answer)


class OpenTests(FallbackTestCase):
    def test_nobody_sees_its_handshake(self) -> None:
        self.assertEqual((self.owner.written, self.owner.drops), (b"", 0))

    def test_any_address_will_do(self) -> None:
        for self.address in (IPv6Address("TCP", "::1", 1), UNIXAddress(None), UNIXAddress("/x")):
            self.setUp()
            self.receive(frame(b"x"))
            self.assertEqual(self.owner.messages, [(b"x", False)])

    def test_it_leaves_no_timer_behind(self) -> None:
        self.receive(frame(b"\xff"), close())
        self.fallback.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.assertEqual(self.factory.countConnections, 0)

    def test_strangers_do_not_decide_what_is_logged(self) -> None:
        with capturedLogs() as events:
            self.receive(frame(b"x", rsv=7), frame(b"x", rsv=7), close(999))
            self.fallback.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(events, [])


class MessageTests(FallbackTestCase):
    def test_messages_arrive_whole_however_they_are_cut(self) -> None:
        self.receive(
            frame(b"a", fin=False),
            frame(b"", PING),
            frame(b"b", CONTINUATION, fin=False),
            frame(b"c", CONTINUATION),
            frame(b"\xff", BINARY),
        )
        self.assertEqual(self.owner.messages, [(b"abc", False), (b"\xff", True)])

    def test_one_byte_at_a_time(self) -> None:
        data = frame(b"x" * 300, fin=False) + frame(b"y" * 10, CONTINUATION)
        self.receive(*(data[index : index + 1] for index in range(len(data))))
        self.assertEqual(self.owner.messages, [(b"x" * 300 + b"y" * 10, False)])

    def test_a_limit_can_be_raised(self) -> None:
        self.fallback.limit(2 * LIMIT)
        self.receive(frame(b"x" * 2 * LIMIT))
        self.assertEqual(len(self.owner.messages), 1)
        self.receive(frame(b"x" * (2 * LIMIT + 1)))
        self.failed(1009)

    def test_a_message_over_the_limit_fails_before_it_comes(self) -> None:
        self.receive(header(LIMIT + 1) + KEY)
        self.failed(1009)
        self.assertEqual(len(self.answer[0][1]), 2)  # the code, and no reason

    def test_the_limit_holds_for_all_fragments_together(self) -> None:
        self.receive(frame(b"x" * 60_000, fin=False), frame(b"x" * 40_001, CONTINUATION))
        self.failed(1009)

    def test_text_fails_as_soon_as_it_is_invalid(self) -> None:
        self.receive(header(10) + KEY + mask(b"abc\xff"))
        self.failed(1007)


class ControlTests(FallbackTestCase):
    def test_pings_are_answered_with_what_they_carry(self) -> None:
        self.receive(frame(b"", PING), frame(b"x" * 125, PING))
        self.assertEqual(self.owner.written, said(PONG) + said(PONG, b"x" * 125))

    def test_unsolicited_pongs_are_taken_in_silence(self) -> None:
        self.receive(frame(b"x", PONG))
        self.assertEqual(self.owner.written, b"")

    def test_closes_are_echoed_and_the_connection_dropped(self) -> None:
        for code, reason in ((None, b""), (1000, b""), (1001, b"bye"), (4999, b"x" * 123)):
            self.setUp()
            self.receive(close(code, reason))
            payload = b"" if code is None else code.to_bytes(2, "big") + reason
            self.assertEqual(self.answer, [(CLOSE, payload)])
            self.assertEqual(self.owner.drops, 1)

    def test_any_code_can_be_said(self) -> None:
        for code in (1000, 1001, 1011, 4000):
            self.setUp()
            self.fallback.sendCloseFrame(code=code)
            self.fallback.sendCloseFrame(code=1002)
            self.assertEqual(self.owner.written, said(CLOSE, code.to_bytes(2, "big")))

    def test_after_our_close_the_peers_is_waited_for(self) -> None:
        self.fallback.sendCloseFrame(code=1000)
        self.receive(frame(b"late"), frame(b"", PING))
        self.assertEqual(self.owner.drops, 0)
        self.receive(close(1000))
        self.assertEqual(self.owner.drops, 1)
        self.assertEqual(self.owner.written, said(CLOSE, b"\x03\xe8"), "and nothing besides")


class FloodTests(FallbackTestCase):
    def test_empty_fragments(self) -> None:
        self.receive(frame(b"", fin=False), frame(b"", CONTINUATION, fin=False) * (FRAGMENTS - 1))
        self.assertEqual(self.answer, [])
        self.receive(frame(b"", CONTINUATION, fin=False))
        self.failed(1008)

    def test_fragments_of_one_byte(self) -> None:
        self.receive(frame(b"x", fin=False), frame(b"x", CONTINUATION, fin=False) * 2 * FRAGMENTS)
        self.failed(1008)

    def test_fragments_that_carry_something_are_no_flood(self) -> None:
        count = LIMIT // 64 - 1
        self.assertGreater(count, FRAGMENTS)
        self.receive(frame(b"x" * 64, fin=False), frame(b"x" * 64, CONTINUATION, fin=False) * count)
        self.receive(frame(b"", CONTINUATION))
        self.assertEqual((len(self.owner.messages), self.answer), (1, []))

    def test_fragments_are_counted_for_each_message(self) -> None:
        for _ in range(3):
            self.receive(frame(b"", fin=False))
            self.receive(frame(b"", CONTINUATION, fin=False) * (FRAGMENTS - 2))
            self.receive(frame(b"", CONTINUATION))
        self.assertEqual((len(self.owner.messages), self.answer), (3, []))

    def test_pings_and_pongs(self) -> None:
        for opcode in (PING, PONG):
            self.setUp()
            self.receive(frame(b"", opcode) * CONTROLS)
            self.assertNotIn(CLOSE, [each for each, _ in self.answer])
            self.assertGreaterEqual(self.owner.charged, CONTROLS, "each is charged")
            self.owner.written = b""
            self.receive(frame(b"", opcode))
            self.failed(1008)
            self.receive(frame(b"", opcode) * 2)
            self.assertEqual(len(self.answer), 1, "no more pongs")

    def test_pings_among_messages_are_no_flood(self) -> None:
        for _ in range(3):
            self.receive(frame(b"", PING) * CONTROLS, frame(b"x"))
        self.assertNotIn(CLOSE, [opcode for opcode, _ in self.answer])


class MemoryTests(FallbackTestCase):
    def growth(self, *data: bytes) -> int:
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        self.receive(*data)
        return tracemalloc.get_traced_memory()[0]

    @untraced
    def test_a_trickle_costs_about_what_it_carries(self) -> None:
        data = frame(b"abcdefgh" * 5_000)[:-1]
        pieces = [data[index : index + 1] for index in range(len(data))]
        self.assertLess(self.growth(*pieces), 3 * len(data))

    def test_a_long_control_frame_is_not_collected(self) -> None:
        self.receive(header(2**62, PING) + KEY)
        self.failed(1002)
        self.assertLess(self.growth(*[b"x" * 65536] * 100), 100_000)

    def test_a_message_over_the_limit_is_not_collected(self) -> None:
        self.receive(header(2**62, BINARY) + KEY)
        self.assertLess(self.growth(*[b"x" * 65536] * 100), 100_000)

    def test_nothing_is_collected_once_the_connection_is_dropped(self) -> None:
        self.receive(close())
        self.assertLess(self.growth(*[b"x" * 65536] * 100), 100_000)


class DeflateTests(FallbackTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.factory = FallbackFactory(self.reactor, deflate=True, max_payload=LIMIT)
        self.fallback = Fallback(self.owner, self.address)
        self.fallback.limit(LIMIT)
        self.fallback.start(self.factory)

    def test_compressed_messages_are_inflated(self) -> None:
        self.receive(frame(bytes.fromhex("f248cdc9c90700"), rsv=4))  # RFC 7692, section 7.2.3.1
        self.assertEqual(self.owner.messages, [(b"Hello", False)])
        self.assertEqual(self.owner.written, b"")

    def test_inflation_is_bounded(self) -> None:
        squeezer = zlib.compressobj(wbits=-15)
        bomb = squeezer.compress(b"\0" * 50 * LIMIT) + squeezer.flush(2)
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        self.receive(frame(bomb.removesuffix(b"\0\0\xff\xff"), BINARY, rsv=4))
        self.assertLess(tracemalloc.get_traced_memory()[1], 10 * LIMIT)
        self.failed(1009)

    def test_what_can_not_be_inflated_fails(self) -> None:
        self.receive(frame(b"\xff" * 20, TEXT, rsv=4))
        self.failed(1007)
