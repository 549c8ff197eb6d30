import json

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.packet import Packet as EnginePacket
from gateway.socketio import encode
from gateway.socketio.errors import ParseError
from gateway.socketio.packet import (
    ACK,
    BINARY_ACK,
    BINARY_EVENT,
    CONNECT,
    DISCONNECT,
    EVENT,
    MAX_ID_DIGITS,
    MAX_NAMESPACE_BYTES,
    RESERVED,
    decode,
    header,
)
from tests.socketio.properties import examples
from tests.untraced import untraced

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
NAMES = st.one_of(st.text().filter(lambda name: name not in RESERVED), st.integers(0, 99))
NAMESPACES = st.text(
    st.characters(exclude_characters=",?", exclude_categories=["Cs"]), max_size=20
).map("/{}".format)
IDS = st.none() | st.integers(min_value=0)


def read(text, eio=4):
    return decode(EnginePacket(text if isinstance(text, bytes) else text.encode()), eio)


class Decoding(SynchronousTestCase):
    def test_finds_every_part(self):
        for text, parts in {
            "40": (CONNECT, "/", None, 0, {}),
            '40{"token":"1"}': (CONNECT, "/", None, 0, {"token": "1"}),
            "40/admin": (CONNECT, "/admin", None, 0, {}),
            '40/admin,{"a":[]}': (CONNECT, "/admin", None, 0, {"a": []}),
            "40/admin?a=1,": (CONNECT, "/admin?a=1", None, 0, {}),
            "41": (DISCONNECT, "/", None, 0, None),
            "41/admin,": (DISCONNECT, "/admin", None, 0, None),
            '42["a",1,{}]': (EVENT, "/", None, 0, ["a", 1, {}]),
            '4212["a"]': (EVENT, "/", 12, 0, ["a"]),
            '42/admin,["a,b"]': (EVENT, "/admin", None, 0, ["a,b"]),
            '42/é/x,0["a"]': (EVENT, "/é/x", 0, 0, ["a"]),
            "4312[]": (ACK, "/", 12, 0, []),
            "43/admin,13[null]": (ACK, "/admin", 13, 0, [None]),
            '4510-["a"]': (BINARY_EVENT, "/", None, 10, ["a"]),
            '452-/admin,7["a"]': (BINARY_EVENT, "/admin", 7, 2, ["a"]),
            "461-15[1]": (BINARY_ACK, "/", 15, 1, [1]),
        }.items():
            packet = read(text)
            found = (packet.type, packet.namespace, packet.id, packet.expected, packet.value)
            self.assertEqual(found, parts, text)

    def test_hands_on_the_very_packet_that_arrived(self):
        for text in (
            '42["a",1.0]',
            '427["a"]',
            '42/x,["a"]',
            '42/x,7["a" ] ',
            '451-["a"]',
            "430[]",
        ):
            arrived = EnginePacket(text.encode())
            self.assertIs(decode(arrived).wire[0], arrived)

    def test_gives_an_unusual_header_the_form_that_every_receiver_reads(self):
        for eio, text, wire in (
            (4, '42/,["a"]', '42["a"]'),
            (4, '42007["a"]', '427["a"]'),
            (3, '42/x?token=1,["a"]', '42/x,["a"]'),
            (3, '42/?token=1,7["a"]', '427["a"]'),
        ):
            self.assertEqual(read(text, eio).wire, (EnginePacket(wire.encode()),))

    def test_repairs_the_payload_and_hands_on_the_repaired_one(self):
        for before, after in {
            '42["a",NaN,1.0]': '42["a",null,1.0]',
            '42/x,12["a",-Infinity,NaN]': '42/x,12["a",null,null]',
            "4312[1e400]": "4312[null]",
        }.items():
            packet = read(before)
            self.assertEqual(packet.wire, (EnginePacket(after.encode()),))
            self.assertEqual(packet.payload.decode(), after[after.index("[") :])
            self.assertEqual(packet.repaired, after.count("null"))

    def test_accepts_any_name_but_the_reserved(self):
        for name in ("error", "message", "", "*", 1, 1.5, "__proto__", "constructor", "Connect"):
            self.assertEqual(read(f"42[{json.dumps(name)}]").value, [name])
        for name in RESERVED:
            for text in (f'42["{name}",1]', f'42/x,1["{name}"]', f'451-["{name}"]'):
                with self.assertRaises(ParseError, msg=text):
                    read(text)

    def test_finds_a_reserved_name_behind_escapes(self):
        with self.assertRaises(ParseError):
            read(r'42["\u0063onnect"]')

    def test_refuses_what_is_no_packet(self):
        for text in (
            "4", "4abc", "44", '44{"message":"x"}', "47", "49", "4\u0662[1]",  # types
            "42", "42{}", '42"a"', "42null", "42[]", "42[null]", "42[true]", "42[[]]", "42[{}]",
            '42["a"', '42["a",]', '42["a"]x', '42 ["a"]', '42\n["a"]', "42[NaN]", "42[1e400]",
            '42abc["a"]', '42-1["a"]', '421.5["a"]', '42\u0661["a"]',  # ids
            '42/x["a"]', '42/x,', '42x,["a"]', '42["a"]/x,',  # namespaces
            "43", "43[]", "431", "431{}", '431"a"', "43/x,[]",  # acknowledgments
            "40[]", '40"token"', "40null", "401", '401{"a":1}', "40 {}", "40{", "40/x,1",  # CONNECT
            "41[]", "411", "41{}", "41/x,[]",  # DISCONNECT
            '45["a"]', '450-["a"]', '4511-["a"]', '4501-["a"]', '45-["a"]', '451["a"]',
            '45-1-["a"]', '451.0-["a"]', '45\u0661-["a"]', "46[]", "461-[]", '452-', "460-1[]",
            '421-["a"]',
        ):  # fmt: skip
            with self.assertRaises(ParseError, msg=text):
                read(text)

    def test_bounds_namespaces_and_ids(self):
        self.assertEqual(read("42" + "9" * MAX_ID_DIGITS + '["a"]').id, 10**MAX_ID_DIGITS - 1)
        longest = "/" + "n" * (MAX_NAMESPACE_BYTES - 2)
        self.assertEqual(read(f"40{longest},").namespace, longest)
        for text in ("42" + "9" * (MAX_ID_DIGITS + 1) + '["a"]', f"40{longest}n,"):
            with self.assertRaises(ParseError):
                read(text)

    def test_refuses_a_namespace_that_is_not_utf_8(self):
        with self.assertRaises(ParseError):
            read(b'42/\xff,["a"]')

    def test_reads_a_query_as_the_auth_of_a_socket_io_2_client(self):
        packet = read("40/admin?token=a%20b&uid=&token=c", eio=3)
        self.assertEqual((packet.namespace, packet.value), ("/admin", {"token": "c", "uid": ""}))
        self.assertEqual(read("40/admin,", eio=3).value, {})

    @examples(300)
    @given(
        st.binary().map(b"4".__add__)
        | st.text(alphabet='0123456/,-["a]{}:?').map(lambda text: b"4" + text.encode()),
        st.sampled_from([3, 4]),
    )
    def test_raises_only_parse_errors(self, data, eio):
        try:
            packet = read(data, eio)
        except ParseError:
            return
        again = decode(packet.wire[0], eio)
        self.assertEqual(again.wire, packet.wire)
        self.assertEqual((again.type, again.namespace), (packet.type, packet.namespace))


class RoundTrips(SynchronousTestCase):
    @untraced
    @examples(150)
    @given(NAMESPACES, NAMES, st.lists(VALUES, max_size=4), IDS)
    def test_of_events(self, namespace, name, args, id):
        (sent,) = encode.event(namespace, name, args, id).packets
        packet = decode(sent)
        self.assertEqual((packet.type, packet.namespace, packet.id), (EVENT, namespace, id))
        self.assertEqual(packet.value, [name, *args])
        self.assertEqual(packet.wire, (sent,))

    @examples(100)
    @given(NAMESPACES, st.lists(VALUES, max_size=4), st.integers(min_value=0))
    def test_of_acknowledgments(self, namespace, args, id):
        (sent,) = encode.ack(namespace, id, args).packets
        packet = decode(sent)
        found = (packet.type, packet.namespace, packet.id, packet.value)
        self.assertEqual(found, (ACK, namespace, id, args))

    @examples(50)
    @given(NAMESPACES, IDS, st.integers(1, 10))
    def test_of_headers(self, namespace, id, attachments):
        text = header(BINARY_EVENT, namespace, id, attachments) + b'["a"]'
        packet = read(text)
        found = (packet.namespace, packet.id, packet.expected, packet.payload)
        self.assertEqual(found, (namespace, id, attachments, b'["a"]'))
        self.assertEqual(packet.wire[0].data, text)
