import weakref

from twisted.trial.unittest import SynchronousTestCase

from gateway.socketio import encode
from gateway.socketio.errors import ConnectionRefused
from tests.socketio.fakes import Peer, RecordingNamespace, RecordingOutbox, serve


class SocketTests(SynchronousTestCase):
    def setUp(self):
        self.root, self.admin = RecordingNamespace(), RecordingNamespace()
        self.peer = Peer(serve(root=self.root, admin=self.admin))
        self.peer.say("40", "40/admin")
        self.peer.session.outbox.take()
        (self.socket,), (self.other,) = self.root.sockets, self.admin.sockets


class Accepting(SocketTests):
    def undecided(self, eio=4):
        namespace = RecordingNamespace()
        namespace.decide = lambda socket: None
        peer = Peer(serve(root=namespace), eio)
        if eio == 4:
            peer.say("40")
        return peer, namespace.sockets[0]

    def test_takes_a_sid_and_further_keys(self):
        peer, socket = self.undecided()
        self.assertFalse(socket.connected)
        socket.accept("abc", pid="def")
        self.assertEqual(peer.heard, ['40{"sid":"abc","pid":"def"}'])
        self.assertTrue(socket.connected)
        self.assertEqual(socket.sid, "abc")

    def test_may_come_after_what_was_missed(self):
        peer, socket = self.undecided()
        socket.send(encode.event("/", "missed", []))
        socket.accept("abc")
        self.assertEqual(peer.heard, ['42["missed"]', '40{"sid":"abc"}'])

    def test_happens_once_and_only_while_the_client_is_there(self):
        peer, socket = self.undecided()
        socket.accept()
        socket.accept()
        socket.refuse(ConnectionRefused("too late"))
        self.assertEqual(len(peer.heard), 1)
        peer, socket = self.undecided()
        peer.session.close("transport close")
        socket.accept()
        socket.refuse(ConnectionRefused("too late"))
        self.assertEqual(peer.heard, [])
        self.assertFalse(socket.connected)

    def test_may_be_a_refusal_later(self):
        peer, socket = self.undecided()
        socket.refuse(ConnectionRefused("no"))
        socket.accept()
        self.assertEqual(peer.heard, ['44{"message":"no"}'])
        peer.say("40")
        self.assertTrue(peer.is_open)

    def test_of_a_socket_io_2_client_has_no_payload(self):
        peer, socket = self.undecided(eio=3)
        socket.accept("abc", pid="def")
        self.assertEqual(peer.heard, ["40"])


class Emitting(SocketTests):
    def test_sends_events_of_its_namespace(self):
        self.socket.emit("a", 1, None)
        self.other.emit("a", b"x")
        self.assertEqual(
            self.peer.heard,
            ['42["a",1,null]', '451-/admin,["a",{"_placeholder":true,"num":0}]', b"x"],
        )

    def test_goes_through_the_outbox_that_the_namespace_put_there(self):
        self.socket.outbox = RecordingOutbox()
        self.socket.emit("a")
        self.assertEqual(self.socket.outbox.take(), ['42["a"]'])
        self.assertEqual(self.peer.heard, [])

    def test_calls_back_once_with_the_answer(self):
        answers = []
        self.socket.emit("a", ack=lambda *args: answers.append(args))
        self.assertEqual(self.peer.heard, ['420["a"]'])
        self.peer.say('430[1,"2"]', "430[3]", "431[4]")
        self.assertEqual(answers, [(1, "2")])
        self.assertEqual([ack.value for ack in self.root.acks], [[3], [4]])

    def test_calls_back_with_bytes(self):
        answers = []
        self.socket.emit("a", ack=answers.append)
        self.peer.say('461-0[{"x":{"_placeholder":true,"num":0}}]', b"1")
        self.assertEqual(answers, [{"x": b"1"}])

    def test_counts_ids_for_the_namespace_and_keeps_answers_apart(self):
        answers = []
        second = Peer(serve(root=self.root))
        second.say("40")
        self.socket.emit("a", ack=lambda: answers.append("first"))
        self.root.sockets[1].emit("a", ack=lambda: answers.append("second"))
        self.peer.say("431[]")
        second.say("431[]")
        self.assertEqual(answers, ["second"])

    def test_that_fails_sends_nothing(self):
        for bad in (lambda: self.socket.emit("connect"), lambda: self.socket.emit("a", object())):
            self.assertRaises((TypeError, ValueError), bad)
        self.assertEqual(self.peer.heard, [])

    def test_acknowledges(self):
        self.socket.acknowledge(7)
        self.other.acknowledge(0, b"x", 1)
        self.assertEqual(
            self.peer.heard, ["437[]", '461-/admin,0[{"_placeholder":true,"num":0},1]', b"x"]
        )

    def test_says_nothing_after_the_end(self):
        answers = []
        self.socket.emit("a", ack=answers.append)
        self.socket.disconnect()
        self.socket.emit("b", ack=answers.append)
        self.socket.acknowledge(1)
        self.socket.disconnect()
        self.assertEqual(self.peer.heard, ['420["a"]', "41"])
        self.peer.say("430[1]", "431[1]")
        self.assertEqual(answers, [])


class Disconnecting(SocketTests):
    def test_tells_the_client_over_the_session(self):
        self.other.outbox = RecordingOutbox()
        self.other.disconnect()
        self.assertEqual(self.peer.heard, ["41/admin,"])
        self.assertEqual(self.admin.gone, [(self.other, "server namespace disconnect")])
        self.assertTrue(self.socket.connected)

    def test_frees_the_callbacks_that_were_not_answered(self):
        def answered():
            pass

        callback = weakref.ref(answered)
        self.socket.emit("a", ack=answered)
        del answered
        self.assertIsNotNone(callback())
        self.socket.disconnect()
        self.assertIsNone(callback())

    def test_may_hang_up(self):
        self.socket.disconnect(close=True)
        self.assertEqual(self.peer.heard, ["41", "41/admin,"])
        self.assertEqual(self.peer.session.reason, "forced server close")
        self.assertEqual(len(self.root.gone), 1)
        self.assertEqual(len(self.admin.gone), 1)
