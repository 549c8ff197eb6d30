from unittest.mock import patch

from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.handshake import Peer as Address
from gateway.socketio import encode
from gateway.socketio.handlers import Handlers
from tests.socketio.fakes import Peer, serve


class RoomsTests(SynchronousTestCase):
    def setUp(self):
        self.chat = Handlers()
        self.server = serve(root=self.chat, other=self.chat)
        self.peers = [self.join() for _ in range(3)]
        self.one, self.two, self.three = self.chat.sockets.values()

    def join(self, namespace=""):
        peer = Peer(self.server)
        peer.say(f"40{namespace}")
        peer.session.outbox.take()
        return peer

    def heard(self):
        """Who heard something, by number."""
        return [number for number, peer in enumerate(self.peers, 1) if peer.heard]

    def test_everybody_hears_what_is_emitted_encoded_once(self):
        with patch.object(encode, "event", side_effect=encode.event) as encoding:
            self.chat.emit("a", 1, b"x")
        self.assertEqual(encoding.call_count, 1)
        for peer in self.peers:
            self.assertEqual(peer.heard, ['451-["a",1,{"_placeholder":true,"num":0}]', b"x"])

    def test_everybody_but_one(self):
        self.chat.emit("a", skip=self.two)
        self.assertEqual(self.heard(), [1, 3])

    def test_a_room_several_rooms_and_one_socket(self):
        for socket, room in ((self.one, "x"), (self.two, "x"), (self.two, "y"), (self.three, "z")):
            self.chat.enter_room(socket, room)
        for to, heard in (
            ("x", [1, 2]),
            (["x", "y"], [1, 2]),
            (["y", "z"], [2, 3]),
            (self.three.sid, [3]),
            ("nobody", []),
            ([], []),
        ):
            self.chat.emit("a", to=to)
            self.assertEqual(self.heard(), heard, to)
        self.chat.emit("a", to="x", skip=self.one)
        self.assertEqual(self.heard(), [2])

    def test_a_room_is_left_closed_and_gone_with_its_sockets(self):
        for room in ("x", "y"):
            for socket in (self.one, self.two):
                self.chat.enter_room(socket, room)
                self.chat.enter_room(socket, room)
        self.chat.leave_room(self.one, "x")
        self.chat.leave_room(self.one, "never entered")
        self.assertEqual(self.chat.rooms(self.one), {"y"})
        self.chat.close_room("y")
        self.assertEqual((self.chat.rooms(self.one), self.chat.rooms(self.two)), (set(), {"x"}))
        self.peers[1].session.close()
        self.assertEqual(set(self.chat.sockets), {self.one.sid, self.three.sid})
        self.assertEqual((self.chat._rooms._members, self.chat._rooms._rooms), ({}, {}))

    def test_who_is_not_in_enters_no_room(self):
        self.peers[0].session.close()
        self.chat.enter_room(self.one, "x")
        self.assertEqual(self.chat._rooms._members, {})

    def test_rooms_are_known_while_their_socket_leaves(self):
        known = []
        self.chat.on_disconnect(lambda socket, reason: known.append(self.chat.rooms(socket)))
        self.chat.enter_room(self.one, "x")
        self.peers[0].say("41")
        self.assertEqual(known, [{"x"}])

    def test_one_set_of_handlers_may_serve_several_namespaces(self):
        elsewhere = self.join("/other,")
        self.chat.emit("a")
        self.assertEqual(elsewhere.heard, ['42/other,["a"]'])
        self.assertEqual(self.peers[0].heard, ['42["a"]'])

    def test_who_comes_back_under_his_name_stays_when_the_old_one_goes(self):
        sid = self.one.sid
        self.chat.on_connect(lambda socket, auth: socket.accept(sid=sid))
        self.join()
        self.peers[0].session.close()
        self.assertIn(sid, self.chat.sockets)

    def test_a_handshake_is_known(self):
        session = self.one.session
        session.headers, session.query = {"user-agent": "me"}, {"token": "x"}
        session.peer = Address("127.0.0.1", 5, announced="192.0.2.1")
        handshake = self.one.handshake
        self.assertEqual(handshake.headers["user-agent"], "me")
        self.assertEqual((handshake.query, handshake.address), ({"token": "x"}, "192.0.2.1"))
