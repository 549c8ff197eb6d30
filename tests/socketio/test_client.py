"""The rules between CONNECT and the end, faults S4 and S5, and Socket.IO 2 clients."""

import gc
import re
import weakref

from gateway.socketio.client import JOIN
from gateway.socketio.errors import ConnectionRefused
from tests.socketio.client_case import ClientTests
from tests.socketio.fakes import Peer, RecordingNamespace, serve

PLACEHOLDER = '{"_placeholder":true,"num":0}'


class Waiting(RecordingNamespace):
    """Decides later."""

    def decide(self, socket):
        pass


class Refusing(RecordingNamespace):
    def decide(self, socket):
        raise ConnectionRefused("not you", {"code": 7})


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

    def test_refused_ten_times_without_a_yes_between_hangs_up(self):
        peer = self.peer()
        peer.say(*["40/random"] * 9, "40", *["40/random"] * 9)
        self.assertTrue(peer.is_open)
        peer.say("40/other")
        self.assertEqual(peer.session.reason, "refused too often")
        self.assertEqual(len(peer.heard), 20, "the last refusal is said, too")

    def test_costs_more_than_a_message_whatever_the_answer(self):
        for name in ("40", "40/random"):
            peer = self.peer(name)
            self.assertEqual(peer.session.meter.spent, JOIN)

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
