from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.packet import Packet as EnginePacket
from gateway.socketio import encode
from gateway.socketio.attachments import Assembly, check_placeholders, reconstruct
from gateway.socketio.errors import ParseError
from gateway.socketio.packet import decode
from tests.socketio.properties import examples
from tests.untraced import untraced

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def placeholder(num):
    return {"_placeholder": True, "num": num}


class Assembling(SynchronousTestCase):
    @untraced
    @examples(200)
    @given(st.lists(VALUES, max_size=1))  # of 8 leaves: no more attachments than an event may have
    def test_gives_back_what_was_sent(self, args):
        text, *binaries = encode.event("/", "a", args).packets
        packet = decode(text)
        self.assertEqual(packet.expected, len(binaries))
        assembly = Assembly(packet)
        whole = [assembly.add(binary) for binary in binaries]
        self.assertEqual(whole, [index == len(binaries) - 1 for index in range(len(binaries))])
        self.assertEqual(packet.wire, (text, *binaries))
        self.assertEqual(packet.attachments, tuple(binaries))
        self.assertEqual(reconstruct(packet.value, packet.attachments), ["a", *args])


class Placeholders(SynchronousTestCase):
    def test_may_stand_anywhere_in_any_order_and_more_than_once(self):
        value = ["a", placeholder(1), {"x": [placeholder(0)]}, [[placeholder(1)]]]
        check_placeholders(value, 2)
        one, two = EnginePacket(b"1", True), EnginePacket(b"2", True)
        self.assertEqual(reconstruct(value, (one, two)), ["a", b"2", {"x": [b"1"]}, [[b"2"]]])

    def test_must_name_an_attachment(self):
        for bad in (
            placeholder(1), placeholder(-1), placeholder("0"), placeholder(0.0), placeholder(True),
            placeholder(None), placeholder([]), {"_placeholder": True},
            {"_placeholder": 1, "num": 0}, {"_placeholder": "yes", "num": 0},
        ):  # fmt: skip
            for value in (["a", bad], ["a", {"x": [bad]}]):
                with self.assertRaises(ParseError, msg=repr(bad)):
                    check_placeholders(value, 1)

    def test_that_nobody_takes_for_one_is_data(self):
        value = ["a", {"_placeholder": False, "num": 9}, {"_placeholder": None}, {"num": 9}]
        check_placeholders(value, 1)
        self.assertEqual(reconstruct(value, (EnginePacket(b"1", True),)), value)

    def test_in_a_packet_without_attachments_is_data(self):
        value = ["a", placeholder(7)]
        self.assertEqual(reconstruct(value, ()), value)
