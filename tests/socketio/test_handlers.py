from twisted.trial.unittest import SynchronousTestCase

from gateway.socketio.errors import ConnectionRefused
from gateway.socketio.handlers import Handlers
from tests.socketio.fakes import Peer, serve


class HandlersTests(SynchronousTestCase):
    def setUp(self):
        self.handlers = Handlers()
        self.server = serve(root=self.handlers)

    def joined(self):
        peer = Peer(self.server)
        peer.say("40")
        peer.session.outbox.take()
        return peer


class Connecting(HandlersTests):
    def test_is_granted_without_a_handler(self):
        peer = Peer(self.server)
        peer.say("40")
        self.assertRegex(peer.heard[0], '^40{"sid"')

    def test_is_decided_by_the_handler(self):
        @self.handlers.on_connect
        def connect(socket, auth):
            if auth.get("token") != "123":
                raise ConnectionRefused("wrong token", {"retry": False})
            socket.accept()
            socket.emit("welcome", auth)

        peer = Peer(self.server)
        peer.say('40{"token":"12"}', '40{"token":"123"}')
        refusal, accepted, welcome = peer.heard
        self.assertEqual(refusal, '44{"message":"wrong token","data":{"retry":false}}')
        self.assertRegex(accepted, '^40{"sid"')
        self.assertEqual(welcome, '42["welcome",{"token":"123"}]')

    def test_ends_with_a_reason(self):
        reasons = []
        self.handlers.on_disconnect(lambda socket, reason: reasons.append(reason))
        self.joined().session.close("transport close")
        self.joined().say("41")
        self.assertEqual(reasons, ["transport close", "client namespace disconnect"])
        self.handlers.on_disconnect(lambda socket, reason: None)

    def test_may_end_unheard(self):
        self.joined().session.close("transport close")


class Events(HandlersTests):
    def setUp(self):
        super().setUp()
        self.heard = []

    def test_go_to_their_handler_with_arguments(self):
        self.handlers.on("a")(lambda socket, *args: self.heard.append(args))
        self.handlers.on(5)(lambda socket: self.heard.append(5))
        self.joined().say(
            '42["a",1,"2",{"3":[true]}]',
            '42["b",1]',
            "42[5]",
            '451-["a",[{"_placeholder":true,"num":0}]]',
            b"x",
        )
        self.assertEqual(self.heard, [(1, "2", {"3": [True]}), 5, ([b"x"],)])

    def test_without_one_go_to_the_catch_all(self):
        self.handlers.on("a")(lambda socket: self.heard.append("a"))
        self.handlers.on_any(lambda socket, name, *args: self.heard.append((name, args)))
        self.joined().say('42["a"]', '42["b",1,2]', "42[7]")
        self.assertEqual(self.heard, ["a", ("b", (1, 2)), (7, ())])

    def test_are_answered_by_what_the_handler_returns(self):
        for answer, text in (
            (None, "439[]"),
            ("x", '439["x"]'),
            ([1, 2], "439[[1,2]]"),
            ((1, [2]), "439[1,[2]]"),
            ((), "439[]"),
        ):
            self.handlers.on("a")(lambda socket, answer=answer: answer)
            peer = self.joined()
            peer.say('429["a"]', '42["a"]')
            self.assertEqual(peer.heard, [text])

    def test_are_answered_by_the_catch_all_and_by_nobody_else(self):
        peer = self.joined()
        peer.say('429["a"]')
        self.assertEqual(peer.heard, [])
        self.handlers.on_any(lambda socket, name, *args: (name, b"x"))
        peer.say('429["a"]')
        self.assertEqual(peer.heard, ['461-9["a",{"_placeholder":true,"num":0}]', b"x"])

    def test_can_be_sent_back_nested_as_deeply_as_they_may_come(self):
        self.handlers.on("a")(lambda socket, *args: args)
        peer = self.joined()
        nested = "[" * 198 + "]" * 198
        peer.say(f'429["a",{nested}]', '429["a","\\ud800",123456789012345678901]')
        self.assertEqual(peer.heard, [f"439[{nested}]", '439["\ufffd",1.2345678901234568e+20]'])

    def test_ignore_answers_that_nobody_waits_for(self):
        peer = self.joined()
        peer.say("437[]")
        self.assertTrue(peer.is_open)


class Registering(HandlersTests):
    def test_leaves_the_function_as_it_was(self):
        def function(*args):
            pass

        for register in (
            self.handlers.on("a"),
            self.handlers.on_any,
            self.handlers.on_connect,
            self.handlers.on_disconnect,
        ):
            self.assertIs(register(function), function)
