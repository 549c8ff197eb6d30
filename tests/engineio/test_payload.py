import contextlib
from collections.abc import Callable, Iterator

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.errors import ProtocolError
from gateway.engineio.packet import Packet
from gateway.engineio.payload import (
    decode3,
    decode3_binary,
    decode4,
    decode_binary3,
    decode_text,
    decode_text3,
    encode3,
    encode3_binary,
    encode4,
)
from tests.engineio.world import binary, text

SAFE_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x1e"))
TEXTS = st.builds(lambda digit, data: text(digit + data), st.sampled_from("0123456"), SAFE_TEXT)
PACKETS = st.one_of(TEXTS, st.builds(binary, st.binary()))
PAYLOADS = st.lists(PACKETS, min_size=1).map(tuple)

Decode = Callable[[bytes], Iterator[Packet]]
CODECS: dict[str, tuple[Callable[[tuple[Packet, ...]], bytes], Decode]] = {
    "4": (encode4, decode4),
    "3": (encode3, decode3),
    "3 binary": (encode3_binary, decode3_binary),
}


def until_fault(decode: Decode, body: bytes) -> tuple[list[Packet], bool]:
    """The packets before the first fault, and whether there was one."""
    packets = []
    try:
        for packet in decode(body):
            packets.append(packet)
    except ProtocolError:
        return packets, True
    return packets, False


class RoundTripTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=100)
    @given(PAYLOADS)
    def test_what_is_encoded_is_decoded(self, packets: tuple[Packet, ...]) -> None:
        for name, (encode, decode) in CODECS.items():
            self.assertEqual(list(decode(encode(packets))), list(packets), name)

    @settings(deadline=None, max_examples=40)
    @given(PAYLOADS)
    def test_a_payload_cut_anywhere_yields_whole_packets_or_a_fault(
        self, packets: tuple[Packet, ...]
    ) -> None:
        for name, (encode, decode) in CODECS.items():
            body = encode(packets)
            for end in range(len(body)):
                found, fault = until_fault(decode, body[:end])
                whole = found if fault or name != "4" else found[:-1]  # 4 has no lengths
                self.assertEqual(whole, list(packets[: len(whole)]), (name, end))
                if name != "4" and not fault:
                    self.assertEqual(encode(tuple(found)), body[:end])

    @settings(deadline=None, max_examples=200)
    @given(st.one_of(st.binary(), st.text("0123456:b\x1e\x00A=é🀄").map(str.encode)))
    def test_any_bytes_raise_nothing_but_a_protocol_error(self, body: bytes) -> None:
        for _, decode in CODECS.values():
            until_fault(decode, body)
        for one in (decode_text, decode_text3, decode_binary3):
            with contextlib.suppress(ProtocolError):
                one(body)


class Version4Tests(SynchronousTestCase):
    def test_packets_are_parted_by_a_record_separator(self) -> None:
        packets = (text("4hello"), text("2"), text("4world"))
        self.assertEqual(encode4(packets), b"4hello\x1e2\x1e4world")

    def test_binary_is_base64_behind_a_b(self) -> None:
        packets = (text("4hello"), binary(bytes((1, 2, 3, 4))))
        self.assertEqual(encode4(packets), b"4hello\x1ebAQIDBA==")
        self.assertEqual(list(decode4(b"4hello\x1ebAQIDBA==")), list(packets))

    def test_empty_messages_are_messages(self) -> None:
        self.assertEqual(list(decode4(b"4\x1eb")), [text("4"), binary(b"")])

    def test_packets_before_a_fault_are_decoded(self) -> None:
        for fault in (b"", b"7", b"x", b"4\xff", b"4\xed\xa0\x80", b"b===", b"bAQI", b"bAQ\nI="):
            self.assertEqual(
                until_fault(decode4, b"4one\x1e4two\x1e" + fault + b"\x1e4three"),
                ([text("4one"), text("4two")], True),
                fault,
            )


class Version3TextTests(SynchronousTestCase):
    def test_lengths_count_utf16_units(self) -> None:
        packets = (text("4€"), text("4🀄!"), text("4hello"))
        body = "2:4€4:4🀄!6:4hello".encode()
        self.assertEqual(encode3(packets), body)
        self.assertEqual(list(decode3(body)), list(packets))

    def test_binary_is_base64_with_a_type(self) -> None:
        packets = (text("4€"), binary(bytes((1, 2, 3, 4))))
        body = "2:4€10:b4AQIDBA==".encode()
        self.assertEqual(encode3(packets), body)
        self.assertEqual(list(decode3(body)), list(packets))

    def test_malformed_lengths_are_faults(self) -> None:
        for body in (
            "",
            "abc",
            ":4x",
            "0:",
            "+2:4x",
            "３:4xy",  # digits, but not ASCII ones
            "9:4x",
            "2",
            "2:4xx",
            "1" * 5000 + ":4",
            "2:4🀄",  # cuts a character in two
            "3:b5A",
        ):
            self.assertTrue(until_fault(decode3, body.encode())[1], body[:20])
        self.assertTrue(until_fault(decode3, b"2:4\xff")[1])


class Version3BinaryTests(SynchronousTestCase):
    def test_lengths_are_bytes_and_end_with_255(self) -> None:
        packets = (text("4€"), binary(bytes((1, 2, 3, 4))))
        body = bytes.fromhex("00 04 ff 34 e2 82 ac 01 05 ff 04 01 02 03 04")
        self.assertEqual(encode3_binary(packets), body)
        self.assertEqual(list(decode3_binary(body)), list(packets))

    def test_lengths_have_one_byte_a_digit(self) -> None:
        body = encode3_binary((binary(b"x" * 1233),))
        self.assertEqual(body[:7], bytes((1, 1, 2, 3, 4, 255, 4)))

    def test_malformed_heads_are_faults(self) -> None:
        for body in (
            "",
            "02 01 ff 34",  # neither text nor binary
            "00 0a ff 34",  # ten is no digit
            "00 ff 34",  # no length
            "00 02 ff 34",  # too short
            "01 01 ff 03",  # binary, but no message
            "01 00 ff",
            "00" + "01" * 20 + "ff 34",
            "00 01",
        ):
            self.assertTrue(until_fault(decode3_binary, bytes.fromhex(body))[1], body)
