"""Events, acknowledgments and attachments: faults S1 to S3 and S6 to S10."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.engineio.meter import Meter
from gateway.engineio.packet import Packet as EnginePacket
from gateway.socketio.errors import ParseError
from gateway.socketio.packet import BINARY_EVENT, EVENT, RESERVED
from tests.socketio.client_case import ClientTests
from tests.socketio.fakes import MAX_PAYLOAD, serve
from tests.socketio.properties import examples

PLACEHOLDER = '{"_placeholder":true,"num":0}'


class Events(ClientTests):
    def test_arrive_as_they_were_sent(self):
        self.joined('42["a",1.0,12345678901234567890123]', '427["b"]')
        one, two = self.root.events
        self.assertEqual(one.payload, b'["a",1.0,12345678901234567890123]')
        self.assertEqual((one.type, one.id, two.id), (EVENT, None, 7))

    def test_with_any_name_but_the_reserved(self):
        for name in ("error", "message", "", "*", "__proto__", "constructor"):
            self.joined(f'42["{name}",1]')
            self.assertEqual(self.root.events.pop().value, [name, 1])
        self.joined("42[5,1]")
        self.assertEqual(self.root.events.pop().value, [5, 1])
        for name in RESERVED:
            self.assertCloses(f'42["{name}"]')

    def test_that_are_none_close(self):
        for text in (
            '42["a"',
            "42{}",
            "42[]",
            "42",
            "42[null]",
            '42abc["a"]',
            "4abc",
            "47",
            "44{}",
        ):
            self.assertCloses(text)

    def test_nested_128_levels_pass_and_deeper_than_the_limit_close(self):
        self.joined('42["a",' + "[" * 127 + "]" * 127 + "]")
        self.assertEqual(len(self.root.events), 1)
        for levels in (1000, 100_000):
            self.assertCloses('42["a",' + "[" * levels + "]" * levels + "]")

    def test_with_nan_go_on_with_null(self):
        peer = self.joined('42["a",NaN,1e400]')
        (event,) = self.root.events
        self.assertTrue(peer.is_open)
        self.assertEqual((event.repaired, event.wire[0].data), (2, b'42["a",null,null]'))

    def test_that_are_not_utf_8_close(self):
        for data in (b'42["\xff"]', b'42["a","\xed\xa0\x80"]', b'42/\xff,["a"]'):
            peer = self.joined()
            with self.assertRaises(ParseError):
                peer.client.message(EnginePacket(data))


class Acknowledgments(ClientTests):
    def test_nobody_asked_for_go_to_the_namespace(self):
        peer = self.joined('4312["a"]')
        self.assertTrue(peer.is_open)
        self.assertEqual([(ack.id, ack.value) for ack in self.root.acks], [(12, ["a"])])

    def test_with_absurd_ids_are_ignored(self):
        peer = self.joined("430[]", "43" + "9" * 30 + "[]", "4300000[]", '42["a"]')
        self.assertTrue(peer.is_open)
        self.assertEqual(len(self.root.events), 1)

    def test_without_an_id_or_an_array_close(self):
        for text in ("43[]", "431{}", "431", "43-1[]"):
            self.assertCloses(text)


class Attachments(ClientTests):
    def test_are_put_together(self):
        text = f'452-/admin,3["a",{PLACEHOLDER},{{"_placeholder":true,"num":1}}]'
        self.joined("40/admin", text, b"\x01", b"")
        (event,) = self.admin.events
        self.assertEqual((event.type, event.id), (BINARY_EVENT, 3))
        self.assertEqual(
            event.wire,
            (EnginePacket(text.encode()), EnginePacket(b"\x01", True), EnginePacket(b"", True)),
        )

    def test_of_acknowledgments_too(self):
        self.joined(f"461-3[{PLACEHOLDER}]", b"\x01")
        (ack,) = self.root.acks
        self.assertEqual(ack.attachments, (EnginePacket(b"\x01", True),))

    def test_announced_wrongly_close(self):
        for count in ("", "0-", "11-", "-", "-1-", "1", "999999999999-", "1.0-", "01-"):
            self.assertCloses(f'45{count}["a",{PLACEHOLDER}]')

    def test_that_are_text_close_and_free_what_was_there(self):
        start = ('452-["a"]', b"1")
        for intruder in ('42["b"]', "40/admin", "41", ""):
            self.assertCloses(*start, intruder)
        peer = self.joined(*start)
        self.assertIsNotNone(peer.client._assembly)
        peer.say('42["b"]')
        self.assertIsNone(peer.client._assembly)

    def test_that_never_come_close(self):
        start = '453-["a"]'
        waiting, slow, done = self.joined(start, b"1"), self.joined(start), self.joined(start)
        done.say(b"1", b"2", b"3")
        self.clock.advance(29.9)
        self.assertTrue(waiting.is_open)
        slow.say(b"1", b"2", b"3", start, b"1")
        self.clock.advance(0.2)
        self.assertEqual(waiting.session.reason, "attachments never came")
        self.assertIsNone(waiting.client._assembly)
        self.assertTrue(slow.is_open, "those are another event's")
        self.clock.advance(30)
        self.assertEqual(slow.session.reason, "attachments never came")
        self.clock.advance(1000)
        self.assertTrue(done.is_open)

    def test_of_who_is_not_read_have_more_time(self):
        peer = self.joined()
        peer.session.meter = meter = Meter(1, 1, lambda: self.clock.now)
        peer.say('452-["a"]', b"1")
        meter.charge(51)
        self.clock.advance(30)
        self.assertTrue(peer.is_open)
        self.clock.advance(79)
        self.assertTrue(peer.is_open)
        self.clock.advance(2)
        self.assertFalse(peer.is_open)

    def test_have_one_deadline_however_many_events_there_are(self):
        peer = self.joined()
        before = len(self.clock.deadlines._heap)
        for _ in range(100):
            peer.say('451-["a"]', b"1")
        self.assertEqual(len(self.clock.deadlines._heap), before + 1)

    def test_of_more_bytes_than_two_messages_close(self):
        half = MAX_PAYLOAD // 2
        peer = self.joined('455-["a"]', *[b"x" * half] * 3, b"x" * (half - 50))
        self.assertTrue(peer.is_open)
        peer.say(b"x" * 100)
        self.assertEqual(peer.session.reason, "parse error")
        self.assertIsNone(peer.client._assembly)

    def test_may_be_larger_for_who_may_send_larger_messages(self):
        asked = []

        def limit(session):
            asked.append(session)
            return 3 * MAX_PAYLOAD

        self.server = serve(self.clock, limit=limit, root=self.root)
        peer = self.joined('455-["a"]', b"x" * MAX_PAYLOAD)
        self.assertEqual(asked, [], "nobody is asked about who stays below")
        peer.say(*[b"x" * MAX_PAYLOAD] * 3, b"x")
        self.assertTrue(peer.is_open)
        self.assertEqual(len(self.root.events), 1)

    def test_nobody_announced_close(self):
        self.assertCloses(b"1")
        self.assertCloses(b"1", joined=False)
        self.assertCloses('451-["a"]', b"1", b"2")

    def test_with_a_bad_placeholder_close_before_anything_is_kept(self):
        for num in ("1", "-1", '"0"', "null", "0.5", "[]", "true", "1e400", "NaN"):
            self.assertCloses(f'451-["a",{{"_placeholder":true,"num":{num}}}]')

    def test_of_a_placeholder_look_alike_in_a_text_event_are_none(self):
        self.joined('42["a",{"_placeholder":true,"num":5}]')
        self.assertEqual(len(self.root.events), 1)

    def test_to_a_namespace_not_joined_close_at_once(self):
        self.assertCloses(f'451-/admin,["a",{PLACEHOLDER}]')

    def test_go_with_the_session(self):
        peer = self.joined('452-["a"]', b"1")
        self.assertIsNotNone(peer.client._assembly)
        peer.session.close("transport close")
        self.assertIsNone(peer.client._assembly)


MESSAGES = [
    "40", "40/admin", "41", "41/admin", '42["a"]', '42/admin,1["a"]', "430[]", "4x",
    '451-["a"]', f"462-1[{PLACEHOLDER}]", b"", b"\x00",
]  # fmt: skip


class AnyInput(ClientTests):
    @examples(200)
    @given(
        st.lists(
            st.sampled_from(MESSAGES)
            | st.binary(max_size=8)
            | st.text(max_size=8).map("4".__add__),
            max_size=12,
        )
    )
    def test_is_answered_or_closes_that_peer(self, messages):
        peer = self.peer()
        for message in messages:
            if not peer.is_open:
                break
            peer.say(message)
        if not peer.is_open:
            self.assertIsNone(peer.client._assembly)
            self.assertEqual(peer.client._sockets, {})
        joined = self.root.sockets + self.admin.sockets
        gone = self.root.gone + self.admin.gone
        left = [socket for socket in joined if not socket.connected]
        self.assertEqual({id(socket) for socket, _ in gone}, {id(socket) for socket in left})
        self.assertEqual(len(gone), len(left))
        for namespace in (self.root, self.admin):
            namespace.sockets.clear()
            namespace.gone.clear()
