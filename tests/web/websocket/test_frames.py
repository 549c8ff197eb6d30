"""Messages straight from the receive buffer."""

from typing import NamedTuple

from autobahn.websocket.utf8validator import Utf8Validator
from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.web.websocket import frames
from gateway.web.websocket.frames import LONG, TextCheck, is_utf8, unmask
from tests.untraced import untraced
from tests.web.peer import BINARY, CLOSE, CONTINUATION, KEY, PING, PONG, TEXT, frame, header, mask

LIMIT = 100_000
SIZES = (0, 1, 125, 126, 127, 128, 65535, 65536)
FAST = {TEXT: frames.TEXT, BINARY: frames.BINARY}

quickly = settings(deadline=None, max_examples=100)


class Cut(NamedTuple):
    """What all calls together found: messages with the first bytes of their frames."""

    messages: list[tuple[int, bytes]]
    consumed: int
    needed: int
    odd: bool


def cut(buffer: bytes, limit: int) -> Cut:
    """Call `split` until it says that it needs more, or that something is odd."""
    messages, consumed = [], 0
    while True:
        found = frames.split(buffer[consumed:], limit)
        messages += [(found.first, each) for each in found.messages]
        consumed += found.consumed
        if found.odd or found.needed:
            return Cut(messages, consumed, found.needed, found.odd)


class CompleteMessageTests(SynchronousTestCase):
    def test_every_length_encoding_is_read(self) -> None:
        for size in SIZES:
            for opcode, first in FAST.items():
                payload = b"x" * size
                found = cut(frame(payload, opcode), LIMIT)
                self.assertEqual(found.messages, [(first, payload)], size)
                self.assertEqual(found.consumed, len(frame(payload, opcode)))
                self.assertFalse(found.odd)

    def test_several_messages_come_out_of_one_segment(self) -> None:
        found = cut(frame(b"a") + frame(b"\xff", BINARY) + frame(b"b") + b"\x81", LIMIT)
        self.assertEqual(
            found.messages, [(frames.TEXT, b"a"), (frames.BINARY, b"\xff"), (frames.TEXT, b"b")]
        )
        self.assertEqual((found.needed, found.odd), (2, False))

    def test_closes_as_browsers_send_them_are_read(self) -> None:
        for payload in (b"", b"\x03\xe8", b"\x03\xe9"):
            found = cut(frame(payload, CLOSE), LIMIT)
            self.assertEqual((found.messages, found.odd), ([(frames.CLOSE, payload)], False))

    def test_a_message_as_long_as_the_limit_is_taken(self) -> None:
        self.assertEqual(len(cut(frame(b"x" * 200), 200).messages), 1)


class OddTests(SynchronousTestCase):
    def odd(self, data: bytes, limit: int = LIMIT) -> None:
        before = frame(b"before")
        found = cut(before + data, limit)
        self.assertTrue(found.odd, data)
        self.assertEqual(found.messages, [(frames.TEXT, b"before")])
        self.assertEqual(found.consumed, len(before), "what is odd is left whole")

    def test_what_autobahn_decides(self) -> None:
        for data in (
            frame(b"x", key=None),
            frame(b"x", rsv=4),
            frame(b"x", rsv=1),
            frame(b"x", fin=False),
            frame(b"x", CONTINUATION),
            frame(b"", PING),
            frame(b"", PONG),
            *(frame(b"", opcode) for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)),
            frame(b"x", width=2),
            frame(b"x" * 125, width=2),
            frame(b"x", width=8),
            frame(b"x" * 65535, width=8),
            frame(b"\xff"),
            frame(b"\xed\xa0\x80"),  # a surrogate
            frame(b"\xc3"),
            frame(b"\x03", CLOSE),
            frame(b"\x03\xe8bye", CLOSE),
            frame(b"\x03\xec", CLOSE),
            frame(b"\x03\xe8" + b"x" * 124, CLOSE),
        ):
            self.odd(data)

    def test_binary_is_not_checked_for_utf8(self) -> None:
        self.assertFalse(cut(frame(b"\xff", BINARY), LIMIT).odd)

    def test_a_declared_length_over_the_limit_is_odd_before_the_payload_comes(self) -> None:
        self.odd(header(201), limit=200)
        self.odd(header(65536, BINARY), limit=65535)
        self.odd(header(2**62))
        self.odd(header(2**64 - 1))

    def test_what_is_odd_by_its_first_two_bytes_waits_for_no_more(self) -> None:
        self.odd(b"\x81\x00")
        self.odd(b"\x89\x80")
        self.odd(b"\x88\xfe")


class IncompleteTests(SynchronousTestCase):
    def test_says_how_much_is_needed(self) -> None:
        for size in SIZES:
            whole = frame(b"x" * size)
            start = len(whole) - size - 4
            for end in {0, 1, 2, start - 1, start, start + 3, len(whole) - 1}:
                found = cut(whole[:end], LIMIT)
                self.assertEqual((found.messages, found.consumed, found.odd), ([], 0, False))
                self.assertGreater(found.needed, end)
                self.assertLessEqual(found.needed, len(whole))
            self.assertEqual(cut(whole[:start], LIMIT).needed, len(whole))

    @quickly
    @given(
        st.lists(st.tuples(st.sampled_from(list(FAST)), st.text(max_size=300)), max_size=6),
        st.data(),
    )
    def test_any_cuts_give_the_same_messages(
        self, messages: list[tuple[int, str]], data: st.DataObject
    ) -> None:
        stream = b"".join(frame(text.encode(), opcode) for opcode, text in messages)
        cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=20)))
        got, buffer, needed = [], b"", 0
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
            buffer += stream[start:end]
            if len(buffer) < needed:
                continue
            found = cut(buffer, LIMIT)
            self.assertFalse(found.odd)
            got += found.messages
            buffer, needed = buffer[found.consumed :], found.needed
        self.assertEqual(buffer, b"")
        self.assertEqual(got, [(FAST[opcode], text.encode()) for opcode, text in messages])


class AnyBytesTests(SynchronousTestCase):
    @untraced
    @settings(deadline=None, max_examples=500)
    @given(
        st.lists(
            st.one_of(
                st.binary(max_size=40),
                st.builds(
                    frame,
                    st.binary(max_size=200),
                    st.integers(0, 15),
                    fin=st.booleans(),
                    rsv=st.sampled_from((0, 0, 0, 1, 4)),
                    key=st.one_of(st.none(), st.binary(min_size=4, max_size=4)),
                ),
            ),
            max_size=5,
        )
    )
    def test_nothing_is_invented_or_lost(self, pieces: list[bytes]) -> None:
        data = b"".join(pieces)
        found = cut(data, 150)
        again = b""
        for first, payload in found.messages:
            self.assertLessEqual(len(payload), 150)
            again += frame(payload, first & 0x0F)
        self.assertEqual(len(again), found.consumed)
        if not found.odd:
            self.assertGreater(found.needed, len(data) - found.consumed)


class MaskTests(SynchronousTestCase):
    @quickly
    @given(
        st.one_of(st.binary(max_size=300), st.just(b"ab" * LONG)),
        st.binary(min_size=4, max_size=4),
    )
    @example(b"", KEY)
    @example(b"\x00" * LONG, b"\x00\x00\x00\x00")
    @example(b"\xff" * LONG, b"\xff\xff\xff\xff")
    @example(b"\x01" * (LONG + 1), b"\x00\x00\x00\x01")
    def test_unmasks_as_the_rfc_has_it(self, data: bytes, key: bytes) -> None:
        self.assertEqual(unmask(key, mask(data, key)), data)


class Utf8Tests(SynchronousTestCase):
    @quickly
    @given(st.one_of(st.text().map(str.encode), st.binary()))
    @example("κόσμε".encode())
    @example(b"\xed\xa0\x80")
    @example(b"\xf4\x90\x80\x80")
    @example(b"\xc0\x80")
    def test_agrees_with_autobahn(self, data: bytes) -> None:
        valid, ends, *_ = Utf8Validator().validate(data)
        self.assertEqual(is_utf8(data), valid and ends)


class TextCheckTests(SynchronousTestCase):
    def test_fails_at_the_first_byte_that_can_not_be_mended(self) -> None:
        whole = frame("κόσμε".encode() + b"\xf4\x90\x80\x80edited")
        bad = 6 + len("κόσμε".encode()) + 2  # F4 90 is more than U+10FFFF already
        check = TextCheck()
        self.assertTrue(check.holds(whole[: bad - 1]))
        self.assertFalse(check.holds(whole[:bad]))

    def test_a_surrogate_fails_at_its_second_byte(self) -> None:
        check = TextCheck()
        whole = frame(b"\xed\xa0\x80")
        self.assertTrue(check.holds(whole[:-2]))
        self.assertFalse(check.holds(whole[:-1]))

    def test_waits_for_the_header(self) -> None:
        whole = header(70000) + KEY + mask(b"\xff")
        check = TextCheck()
        for end in range(1, len(whole)):
            self.assertTrue(check.holds(whole[:end]))
        self.assertFalse(check.holds(whole))

    @quickly
    @given(
        st.one_of(st.text(max_size=100).map(str.encode), st.binary(max_size=100)),
        st.sampled_from((100, 1000, 70000)),
        st.lists(st.integers(0, 114), max_size=10),
        st.binary(min_size=4, max_size=4),
    )
    def test_agrees_with_autobahn_at_any_cuts(
        self, data: bytes, size: int, cuts: list[int], key: bytes
    ) -> None:
        start = header(size) + key
        buffer = start + mask(data, key)
        check = TextCheck()
        for end in [*sorted(cuts), len(buffer)]:
            so_far = buffer[:end]
            valid = Utf8Validator().validate(data[: max(0, end - len(start))])[0]
            self.assertEqual(check.holds(so_far), valid)
            if not valid:
                return
