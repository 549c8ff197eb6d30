"""The rules between CONNECT and the end, and faults S1 to S9."""

import gc
import re
import weakref

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.packet import Packet as EnginePacket
from gateway.socketio.errors import ConnectionRefused, ParseError
from gateway.socketio.packet import BINARY_EVENT, EVENT, RESERVED
from tests.socketio.fakes import Clock, Peer, RecordingNamespace, serve
from tests.socketio.properties import examples

PLACEHOLDER = '{"_placeholder":true,"num":0}'


class Waiting(RecordingNamespace):
    """Decides later."""

    def decide(self, socket):
        pass


class Refusing(RecordingNamespace):
    def decide(self, socket):
        raise ConnectionRefused("not you", {"code": 7})


class ClientTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.root, self.admin = RecordingNamespace(), RecordingNamespace()
        self.server = serve(self.clock, root=self.root, admin=self.admin)

    def peer(self, *said, eio=4):
        peer = Peer(self.server, eio)
        peer.say(*said)
        return peer

    def joined(self, *said):
        """A peer in `/` that then said this; what it heard at first is forgotten."""
        peer = self.peer("40")
        peer.session.outbox.take()
        peer.say(*said)
        return peer

    def assertCloses(self, *said, joined=True):
        bystander = self.joined()
        peer = self.joined(*said) if joined else self.peer(*said)
        self.assertFalse(peer.is_open, said)
        self.assertEqual(peer.session.reason, "parse error")
        bystander.say('42["still here"]')
        self.assertTrue(bystander.is_open)
        self.assertEqual(self.root.events.pop().value, ["still here"])


class Connecting(ClientTests):
    def test_answers_with_a_sid_of_its_own(self):
        one, two = self.peer("40").heard, self.peer('40{"token":"123"}').heard
        self.assertRegex(one[0], r'^40\{"sid":"[\w-]{20}"\}$')
        self.assertNotEqual(one, two)
        self.assertEqual(self.root.auths, [{}, {"token": "123"}])

    def test_joins_several_namespaces(self):
        peer = self.peer("40", "40/admin", '42/admin,["a"]', '42["b"]')
        self.assertEqual(
            [re.sub(r'":".*', "", text) for text in peer.heard], ['40{"sid', '40/admin,{"sid']
        )
        self.assertEqual([packet.value for packet in self.admin.events], [["a"]])
        self.assertEqual([packet.value for packet in self.root.events], [["b"]])

    def test_refuses_unknown_namespaces_and_lives(self):
        peer = self.peer("40/random")
        self.assertEqual(peer.heard, ['44/random,{"message":"Invalid namespace"}'])
        peer.say("40/admin,", '42/admin,["a"]')
        self.assertTrue(peer.is_open)
        self.assertEqual(len(self.admin.events), 1)

    def test_hands_on_a_refusal_with_message_and_data(self):
        peer = Peer(serve(root=Refusing(), admin=self.admin))
        peer.say("40", "40/admin", "40")
        error = '44{"message":"not you","data":{"code":7}}'
        self.assertEqual([text for text in peer.heard if text[1] == "4"], [error, error])
        self.assertTrue(peer.is_open)
        peer.say('42["a"]')
        self.assertFalse(peer.is_open)

    def test_may_be_decided_later(self):
        waiting = Waiting()
        peer = Peer(serve(root=waiting))
        peer.say("40")
        self.assertEqual(peer.heard, [])
        waiting.sockets[0].accept()
        peer.say('42["a"]')
        self.assertEqual(len(peer.heard), 1)
        self.assertEqual(len(waiting.events), 1)

    def test_twice_to_one_namespace_closes(self):
        self.assertCloses("40")
        peer = Peer(serve(root=Waiting()))
        peer.say("40", "40")
        self.assertFalse(peer.is_open)

    def test_must_come_before_events_and_acks(self):
        for said in ('42["a"]', "430[]", f'451-["a",{PLACEHOLDER}]', "460-1[]", "41"):
            self.assertCloses(said, joined=False)
        for said in ('42/admin,["a"]', "43/admin,0[]", "41/admin", '42/random,["a"]'):
            self.assertCloses(said)
        peer = Peer(serve(root=Waiting()))
        peer.say("40", '42["a"]')
        self.assertFalse(peer.is_open)

    def test_must_come_within_the_timeout(self):
        silent, refused, gone = self.peer(), self.peer("40/random"), self.peer()
        gone.session.close("transport close")
        self.clock.advance(44.9)
        self.assertTrue(silent.is_open)
        self.clock.advance(0.1)
        for peer in (silent, refused):
            self.assertFalse(peer.is_open)
            self.assertEqual(peer.session.reason, "connect timeout")

    def test_in_time_is_for_good(self):
        member, leaver = self.peer("40"), self.peer("40", "41")
        self.clock.advance(1000)
        self.assertTrue(member.is_open)
        self.assertTrue(leaver.is_open)


class Disconnecting(ClientTests):
    def test_leaves_one_namespace_only(self):
        peer = self.joined("40/admin", "41/admin", '42["a"]')
        self.assertEqual([reason for _, reason in self.admin.gone], ["client namespace disconnect"])
        self.assertEqual(self.root.gone, [])
        self.assertEqual(len(self.root.events), 1)
        peer.say('42/admin,["a"]')
        self.assertFalse(peer.is_open)

    def test_may_be_followed_by_a_new_connect(self):
        peer = self.joined("41", "40", '42["a"]')
        self.assertTrue(peer.is_open)
        self.assertEqual(len(self.root.sockets), 2)
        self.assertEqual(len(self.root.events), 1)

    def test_by_the_server_forgives_what_was_under_way(self):
        peer = self.joined()
        self.root.sockets[0].disconnect()
        self.assertEqual(peer.heard, ["41"])
        peer.say('42["late"]', "430[]", f'451-["late",{PLACEHOLDER}]', b"1", "41")
        self.assertTrue(peer.is_open)
        self.assertEqual((self.root.events, self.root.acks), ([], []))
        self.assertEqual([reason for _, reason in self.root.gone], ["server namespace disconnect"])
        peer.say("40", '42["a"]')
        self.assertEqual(len(self.root.events), 1)

    def test_by_the_session_is_told_to_every_namespace_once(self):
        peer = self.joined("40/admin")
        peer.session.close("ping timeout")
        for namespace in (self.root, self.admin):
            self.assertEqual([reason for _, reason in namespace.gone], ["ping timeout"])

    def test_frees_everything(self):
        peer = self.joined(f'451-["a",{PLACEHOLDER}]')
        socket = weakref.ref(Tracer.on(self.root.sockets.pop()))
        peer.session.close("transport close")
        self.root.gone.clear()
        gc.collect()
        self.assertIsNone(socket())


class Tracer:
    """Put into a socket's `data`, it shows whether the socket is still held."""

    @classmethod
    def on(cls, socket):
        socket.data = cls()
        return socket.data


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


class SocketIo2Clients(ClientTests):
    """Engine.IO 3 sessions: Socket.IO protocol 4."""

    def test_are_let_into_the_default_namespace_unasked(self):
        peer = self.peer(eio=3)
        self.assertEqual(peer.heard, ["40"])
        self.assertEqual(self.root.auths, [{}])
        peer.say('42["a"]')
        self.assertEqual(len(self.root.events), 1)
        self.clock.advance(100)
        self.assertTrue(peer.is_open)

    def test_join_other_namespaces_with_a_query(self):
        peer = self.peer("40/admin?token=1&uid=ab,", '42/admin,["a"]', eio=3)
        self.assertEqual(peer.heard, ["40", "40/admin,"])
        self.assertEqual(self.admin.auths, [{"token": "1", "uid": "ab"}])
        self.assertEqual(len(self.admin.events), 1)

    def test_get_refusals_as_a_string(self):
        peer = Peer(serve(root=Refusing()), eio=3)
        peer.say("40/random")
        self.assertEqual(peer.heard, ['44"not you"', '44/random,"Invalid namespace"'])

    def test_are_told_when_there_is_no_default_namespace(self):
        self.assertEqual(Peer(serve(admin=self.admin), eio=3).heard, ['44"Invalid namespace"'])

    def test_are_disconnected_like_others(self):
        peer = self.peer("40/admin", eio=3)
        self.admin.sockets[0].disconnect()
        self.assertEqual(peer.heard, ["40", "40/admin,", "41/admin,"])


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
