"""The cases of the Autobahn test suite, answered by our echo as by Autobahn's own.

Both run over Twisted's TCP connection with a kernel in memory; every answer is compared
after every segment, so that who fails must fail as fast.  The numbers are the suite's.
"""

import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import ProcessProtocol
from twisted.trial.unittest import SynchronousTestCase, TestCase
from twisted.web.server import Site

from examples.websocket_echo import EchoResource
from gateway.engineio.deadlines import Deadlines
from gateway.web.http.timer import drive
from gateway.web.websocket.allowance import Allowance
from gateway.web.websocket.upgrade import Upgrader
from tests.patience import PATIENCE
from tests.web.peer import (
    ANSWER,
    BINARY,
    CLOSE,
    CONTINUATION,
    KEY,
    PING,
    PONG,
    REQUEST,
    TEXT,
    Peer,
    close,
    frame,
    frames,
    header,
    mask,
    said,
)
from tests.web.wire import Wire

LIMIT = 1 << 20
SLICES = 100
"""Turns after which one segment is heard."""
ROOT = Path(__file__).parents[2]

Segments = list[bytes]


class Echo(WebSocketServerProtocol):
    """Autobahn's."""

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        self.sendMessage(payload, isBinary)


class EagerWire(Wire):
    """Sends at once: Autobahn aborts connections with its own last words unsent."""

    def write(self, data: bytes) -> None:
        super().write(data)
        self.take()


class End:
    """A server, and what it answered."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        wire.protocol.makeConnection(wire)
        self.receive(REQUEST)
        self.start = wire.kernel.sent.index(b"\r\n\r\n") + 4

    def receive(self, segment: bytes) -> None:
        if self.wire in self.wire.reactor.readers:
            self.wire.protocol.dataReceived(segment)
            self.wire.take()
            self.wire.turn()
            for _ in range(SLICES):  # it is heard in slices, each in a turn of its own
                if self.wire in self.wire.reactor.readers:
                    break
                self.wire.turn()
                self.wire.take()

    @property
    def answer(self) -> bytes:
        return self.wire.kernel.sent[self.start :]

    @property
    def state(self) -> tuple[bytes, bool]:
        """What it said so far, and whether it dropped the connection."""
        return self.answer, self.wire.why is not None


def ours() -> End:
    wire = Wire()
    reactor: Any = wire.reactor
    deadlines = Deadlines(reactor.seconds)
    drive(reactor, deadlines)
    upgrade = Upgrader(reactor, deadlines, Allowance(max_payload=LIMIT))
    wire.protocol = Site(EchoResource(upgrade), reactor=reactor).buildProtocol(None)
    return End(wire)


def autobahns() -> End:
    wire = EagerWire()
    factory = WebSocketServerFactory(reactor=wire.reactor)
    factory.setProtocolOptions(
        failByDrop=False,
        echoCloseCodeReason=True,
        closeHandshakeTimeout=0,
        openHandshakeTimeout=0,
        maxFramePayloadSize=LIMIT,
        maxMessagePayloadSize=LIMIT,
    )
    factory.protocol = Echo
    wire.protocol = factory.buildProtocol(None)
    return End(wire)


def fragments(payload: bytes, size: int, opcode: int = TEXT) -> Segments:
    """One message in frames of `size` bytes."""
    pieces = [payload[start : start + size] for start in range(0, len(payload), size)]
    last = len(pieces) - 1
    return [
        frame(piece, CONTINUATION if index else opcode, fin=index == last)
        for index, piece in enumerate(pieces)
    ]


def chops(data: bytes, size: int = 1) -> Segments:
    """The same bytes in segments of `size`."""
    return [data[start : start + size] for start in range(0, len(data), size)]


def three_ways(*pieces: bytes) -> Iterator[Segments]:
    """At once, frame by frame, and byte by byte."""
    yield [b"".join(pieces)]
    yield list(pieces)
    yield chops(b"".join(pieces))


class CaseTests(SynchronousTestCase):
    """Each test is one group of the suite."""

    def same(self, *cases: Segments) -> bytes:
        """Both ends answer each case alike, segment for segment; the last answer."""
        for segments in cases:
            us, them = ours(), autobahns()
            for index, segment in enumerate(segments):
                us.receive(segment)
                them.receive(segment)
                if us.state not in (them.state, _without_reason(them.state)):
                    so_far = b"".join(segments[: index + 1])
                    self.fail(f"after {so_far[-60:]!r}\n{_shown(us)} (ours)\n{_shown(them)}")
        return us.answer

    def echoed(self, segments: Segments, opcode: int, payload: bytes) -> None:
        """The same, and what is answered is one frame."""
        self.assertEqual(self.same(segments), said(opcode, payload))

    def closed(self, segments: Segments, code: int) -> None:
        """The same, and the last of what is answered is a close with `code`."""
        opcode, payload = list(frames(self.same(segments)))[-1]
        self.assertEqual((opcode, payload[:2]), (CLOSE, code.to_bytes(2, "big")), segments)

    def test_1_framing(self) -> None:
        for size in (0, 125, 126, 127, 128, 65535, 65536):
            for opcode in (TEXT, BINARY):
                self.echoed([frame(b"*" * size, opcode)], opcode, b"*" * size)
        for opcode in (TEXT, BINARY):
            self.echoed(chops(frame(b"*" * 65536, opcode), 997), opcode, b"*" * 65536)

    def test_2_pings_and_pongs(self) -> None:
        for payload in (b"", b"Hello, world!", b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff", b"\xfe" * 125):
            self.echoed([frame(payload, PING)], PONG, payload)
            self.same([frame(payload, PONG)])
        self.closed([frame(b"\xfe" * 126, PING)], 1002)
        self.echoed(chops(frame(b"\xfe" * 125, PING)), PONG, b"\xfe" * 125)
        self.same([frame(b"unsolicited", PONG), frame(b"ping", PING)])
        ten = b"".join(frame(b"payload-%d" % index, PING) for index in range(10))
        self.same([ten], chops(ten))

    def test_3_reserved_bits(self) -> None:
        hello, ping = frame(b"Hello, world!"), frame(b"", PING)
        for rsv in range(1, 8):
            self.closed([frame(b"Hello, world!", rsv=rsv)], 1002)
            self.same(*three_ways(hello, frame(b"Hello, world!", rsv=rsv), ping, close()))
        self.closed([frame(b"\x00\xff", BINARY, rsv=5)], 1002)
        self.closed([frame(b"Hello, world!", PING, rsv=6)], 1002)
        self.closed([frame(b"\x03\xe8", CLOSE, rsv=7)], 1002)

    def test_4_opcodes(self) -> None:
        hello, ping = frame(b"Hello, world!"), frame(b"", PING)
        for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
            for bad in (frame(b"", opcode), frame(b"reserved opcode payload", opcode)):
                self.closed([bad], 1002)
                self.same(*three_ways(hello, bad, ping, close()))

    def test_5_fragmentation(self) -> None:
        one, two = b"fragment1", b"fragment2"
        first, last = frame(one, fin=False), frame(two, CONTINUATION)
        ping = frame(b"ping payload", PING)
        for opcode in (PING, PONG):
            self.closed([frame(one, opcode, fin=False), frame(two, CONTINUATION)], 1002)
        for segments in three_ways(first, last):
            self.echoed(segments, TEXT, one + two)
        self.same(*three_ways(first, ping, last))
        for fin in (True, False):
            stray = frame(b"non-continuation payload", CONTINUATION, fin=fin)
            for segments in three_ways(stray, frame(b"Hello, world!")):
                self.same(segments)
            self.closed([stray], 1002)
            self.same([first, last, stray, frame(one, fin=False), last])
            self.same([stray, frame(b"Hello, world!"), stray, frame(b"Hello, world!")])
        self.closed([first, frame(two)], 1002)
        middle = frame(b"fragment", CONTINUATION, fin=False)
        self.same(*three_ways(first, middle, ping, middle, middle, ping, last, close()))

    def test_6_utf8(self) -> None:
        nothing = frame(b"", CONTINUATION, fin=False)
        self.echoed([frame(b"")], TEXT, b"")
        self.echoed([frame(b"", fin=False), nothing, frame(b"", CONTINUATION)], TEXT, b"")
        middle = frame(b"middle frame payload", CONTINUATION, fin=False)
        self.same([frame(b"", fin=False), middle, frame(b"", CONTINUATION)])
        for text in VALID:
            self.echoed([frame(text)], TEXT, text)
            self.echoed(fragments(text, 1), TEXT, text)
            self.echoed(chops(frame(text)), TEXT, text)
        for text in INVALID:
            self.closed([frame(text)], 1007)
            self.closed(fragments(text, 1), 1007)
            self.closed(chops(frame(text)), 1007)

    def test_6_4_invalid_text_fails_fast(self) -> None:
        good, bad, rest = "κόσμε".encode(), b"\xf4\x90\x80\x80", b"edited"
        for second, third in ((bad, rest), (bad[:2], bad[2:] + rest)):
            frames_ = [
                frame(good, fin=False),
                frame(second, CONTINUATION, fin=False),
                frame(third, CONTINUATION),
            ]
            self.closed(frames_, 1007)
            self.closed(frames_[:2], 1007)
            whole = frame(good + second + third)
            start = len(whole) - len(good + second + third)
            cuts = (0, start + len(good), start + len(good + second), len(whole))
            pieces = [whole[one:two] for one, two in pairwise(cuts)]
            self.closed(pieces, 1007)
            self.closed(pieces[:2], 1007)

    def test_7_closes(self) -> None:
        hello = frame(b"Hello World!")
        self.same(
            [hello, close()],
            [hello + close()],
            [close(), close()],
            [close() + close()],
            [close() + frame(b"", PING)],
            [close(), frame(b"", PING)],
            [close() + hello],
            [close(), hello],
            [frame(b"fragment1", fin=False) + close() + frame(b"fragment2", CONTINUATION)],
            [frame(b"fragment1", fin=False), close(), frame(b"fragment2", CONTINUATION)],
            [frame(b"x" * 256 * 1024), hello, close(), frame(b"", PING)],
        )
        for payload in (
            b"",
            b"\x03\xe8",
            b"\x03\xe8Hello World!",
            b"\x03\xe8" + b"*" * 123,
        ):
            self.echoed([frame(payload, CLOSE)], CLOSE, payload)
        self.closed([frame(b"a", CLOSE)], 1002)
        self.closed([frame(b"\x03\xe8" + b"*" * 124, CLOSE)], 1002)
        self.closed([close(1000, "κόσμε".encode() + b"\xed\xa0\x80edited")], 1007)

    def test_7_close_codes(self) -> None:
        for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999):
            self.echoed([close(code)], CLOSE, code.to_bytes(2, "big"))
            self.echoed([close(code, b"why")], CLOSE, code.to_bytes(2, "big") + b"why")
        for code in (0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65535):
            self.closed([close(code)], 1002)
        self.same(*([close(code)] for code in range(1012, 1016)))

    def test_9_limits(self) -> None:
        for size in (64 << 10, 256 << 10, LIMIT):
            for opcode in (TEXT, BINARY):
                data = frame(b"*" * size, opcode)
                self.echoed([data], opcode, b"*" * size)
                self.echoed(chops(data, 65536), opcode, b"*" * size)
        for over in (LIMIT + 1, 2 * LIMIT, 1 << 31, 1 << 62):
            for opcode in (TEXT, BINARY):
                self.closed([header(over, opcode) + KEY], 1009)
        self.closed(fragments(b"*" * (LIMIT + 1), 65536), 1009)

    def test_9_fragmented_messages(self) -> None:
        for size in (64, 1 << 10, 16 << 10, 64 << 10, 256 << 10, LIMIT):
            data = b"".join(fragments(b"*" * LIMIT, size, BINARY))
            self.echoed(chops(data, 16384), BINARY, b"*" * LIMIT)

    def test_9_chopped_messages(self) -> None:
        for size, opcode in ((256, TEXT), (512, BINARY), (1024, TEXT), (2048, BINARY)):
            self.echoed(chops(frame(b"*" * LIMIT, opcode), size), opcode, b"*" * LIMIT)

    def test_9_many_messages(self) -> None:
        for size, opcode in ((0, TEXT), (16, BINARY), (256, TEXT), (4096, BINARY)):
            self.same(chops(frame(b"*" * size, opcode) * 1000, 65536))

    def test_10_automatic_fragmentation(self) -> None:
        self.echoed(fragments(b"*" * 65536, 1300), TEXT, b"*" * 65536)

    def test_frames_that_are_not_masked_or_not_minimal(self) -> None:
        for bad in (
            frame(b"x", key=None),
            frame(b"", PING, key=None),
            frame(b"\x03\xe8", CLOSE, key=None),
            frame(b"x", width=2),
            frame(b"x" * 126, width=8),
            header(2**63, BINARY) + KEY,
        ):
            self.closed([bad], 1002)
            self.same(*three_ways(frame(b"before"), bad, frame(b"after"), close()))

    @settings(deadline=None, max_examples=150)
    @given(st.data())
    def test_anything_else(self, data: st.DataObject) -> None:
        pieces = data.draw(st.lists(PIECES, max_size=7))
        stream = b"".join(pieces)
        cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
        ends = zip([0, *cuts], [*cuts, len(stream)], strict=True)
        self.same([stream[start:end] for start, end in ends if start != end])


PIECES = st.one_of(
    st.builds(frame, st.text(max_size=40).map(str.encode)),
    st.builds(
        frame,
        st.one_of(st.binary(max_size=130), st.text(max_size=40).map(str.encode)),
        st.sampled_from((CONTINUATION, TEXT, TEXT, BINARY, PING, PONG, CLOSE, 3, 11)),
        fin=st.sampled_from((True, True, False)),
        rsv=st.sampled_from((0,) * 12 + (1, 4, 7)),
        width=st.sampled_from((0,) * 10 + (8,)),
    ),
    st.builds(close, st.sampled_from((None, 1000, 1001, 1005, 3000)), st.just(b"")),
    st.binary(min_size=1, max_size=8),
)

# Markus Kuhn's sequences, as the suite uses them (6.2 to 6.23).
VALID = (
    "Hello-µ@ßöäüàá-UTF-8!!".encode(),
    "κόσμε".encode(),
    *(chr(code).encode() for code in (0, 0x7F, 0x80, 0x7FF, 0x800, 0xFFFF, 0x10000, 0x10FFFF)),
    *(chr(code).encode() for code in (0xD7FF, 0xE000, 0xFFFD, 0xFFFE, 0x1FFFE, 0xFFFFF)),
)
INVALID = (
    "κόσμε".encode() + b"\xed\xa0\x80edited",
    *("κόσμε".encode()[:size] for size in (1, 3, 5, 7, 9)),
    *(b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80"),
    *(b"\xf7\xbf\xbf\xbf", b"\xfb\xbf\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf\xbf"),
    b"\xf4\x90\x80\x80",
    *(b"\x80", b"\xbf", b"\x80\xbf", b"\x80\xbf\x80\xbf\x80\xbf", bytes(range(0x80, 0xC0))),
    *(b"\xc0 \xc1 ", b"\xe0 \xe1 ", b"\xf0 \xf7 ", b"\xf8 \xfb ", b"\xfc \xfd "),
    *(b"\xc0", b"\xe0\x80", b"\xf0\x80\x80", b"\xf8\x80\x80\x80", b"\xdf", b"\xef\xbf"),
    *(b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"),
    *(b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf", b"\xc1\xbf", b"\xe0\x9f\xbf"),
    *(b"\xc0\x80", b"\xe0\x80\x80", b"\xf0\x80\x80\x80"),
    *(b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xed\xa0\x80\xed\xb0\x80"),
)


def _without_reason(state: tuple[bytes, bool]) -> tuple[bytes, bool]:
    """What it said, but for the reason of a 1009: engine.io-client wants none."""
    answer, dropped = state
    if b"\x03\xf1" not in answer:
        return state
    told = [
        (opcode, payload[:2] if (opcode, payload[:2]) == (CLOSE, b"\x03\xf1") else payload)
        for opcode, payload in frames(answer)
    ]
    return b"".join([said(*each) for each in told]), dropped


def _shown(end: End) -> str:
    return f"{end.answer[-200:]!r}{' and dropped' * end.state[1]}"


class ExampleTests(TestCase):
    """The example itself, as the suite would be pointed at it."""

    timeout = 2 * PATIENCE

    async def setUp(self) -> None:
        from twisted.internet import reactor

        self.reactor: Any = reactor
        self.process = Example()
        command = [sys.executable, "examples/websocket_echo.py", "--port", "0"]
        reactor.spawnProcess(
            self.process, sys.executable, command, env={"PYTHONPATH": "."}, path=str(ROOT)
        )
        self.addCleanup(self.process.stop)
        self.port = await self.process.listening

    async def connect(self) -> Peer:
        endpoint = TCP4ClientEndpoint(self.reactor, "127.0.0.1", self.port)
        peer = await connectProtocol(endpoint, Peer())
        peer.transport.write(REQUEST)
        await peer.until_got(ANSWER)
        return peer

    async def test_the_largest_messages_of_the_suite_come_back(self) -> None:
        peer = await self.connect()
        payload = b"*" * (16 << 20)
        peer.transport.write(header(len(payload), BINARY) + bytes(4) + payload)
        peer.transport.write(frame(b"", PING) + close(1001))
        await peer.lost
        sizes = [(opcode, len(payload)) for opcode, payload in peer.frames]
        self.assertEqual(sizes, [(BINARY, 16 << 20), (PONG, 0), (CLOSE, 2)])

    async def test_a_message_that_trickles_in_comes_back(self) -> None:
        peer = await self.connect()
        peer.transport.setTcpNoDelay(True)
        for segment in chops(frame("κόσμε".encode(), fin=False) + frame(b"!", CONTINUATION)):
            peer.transport.write(segment)
            await peer.turn()
        await peer.until_got(said(TEXT, "κόσμε!".encode()))
        peer.transport.write(header(100) + KEY + mask(b"\xff"))
        await peer.until_got(said(CLOSE, b"\x03\xef")[2:])
        peer.transport.write(close(1007))
        await peer.lost


class Example(ProcessProtocol):
    """The process that serves."""

    def __init__(self) -> None:
        self.listening: Deferred[int] = Deferred()
        self.ended: Deferred[None] = Deferred()
        self._said = b""

    def outReceived(self, data: bytes) -> None:
        self._said += data
        if not self.listening.called and self._said.endswith(b"\n"):
            self.listening.callback(int(self._said.split()[-1]))

    def errReceived(self, data: bytes) -> None:
        raise AssertionError(data.decode())

    def processEnded(self, reason: Any) -> None:
        self.ended.callback(None)

    def stop(self) -> Deferred[None]:
        self.transport.signalProcess("TERM")
        return self.ended
