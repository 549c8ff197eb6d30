import asyncio
from logging import Logger
from threading import Thread
from unittest.mock import patch

from twisted.internet.defer import Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from gateway.socketio.errors import ConnectionRefused
from gateway.socketio.handlers import NO_ANSWER, Handlers
from gateway.socketio.outcome import MOST
from tests.socketio.fakes import Clock, Peer, serve


class OutcomeTests(SynchronousTestCase):
    """What handlers come to, and what that costs."""

    def setUp(self):
        self.handlers = Handlers()
        self.clock = Clock()
        self.server = serve(self.clock, root=self.handlers)
        self.logged = []

        def error(_, text, *args, exc_info=None):
            self.logged.append((text % args, exc_info))

        patcher = patch.object(Logger, "error", error)
        patcher.start()
        self.addCleanup(patcher.stop)

    def joined(self):
        peer = Peer(self.server)
        peer.say("40")
        [self.socket] = self.handlers.sockets.values()
        self.assertRegex(peer.heard[0], '^40{"sid"')
        return peer

    def assert_costs_the_event_only(self, handler, *events, error=Exception):
        self.handlers.on("a")(handler)
        self.handlers.on("b")(lambda socket: "fine")
        peer = self.joined()
        peer.say(*(events or ('421["a"]',)), '422["b"]')
        self.assertEqual(peer.heard, ['432["fine"]'])
        self.assertTrue(peer.is_open)
        [(text, logged)] = self.logged
        self.assertEqual(text, "The handler of 'a' failed")
        self.assertIsInstance(logged, error)
        peer.session.close()


class LaterTests(OutcomeTests):
    def test_a_coroutine_answers_when_it_returns(self):
        first, second = Deferred(), Deferred()

        @self.handlers.on("a")
        async def a(socket, number):
            return number, await first, await second, await succeed("at once")

        peer = self.joined()
        peer.say('421["a",5]', '422["a",6]')
        self.assertEqual(peer.heard, [])
        first.callback(1)
        self.assertEqual(peer.heard, [])
        second.callback(2)
        self.assertEqual(peer.heard[0], '431[5,1,2,"at once"]')
        self.assertEqual(self.logged, [])

    def test_events_are_handled_while_another_ones_handler_waits(self):
        waits = [Deferred(), Deferred()]

        @self.handlers.on("a")
        async def a(socket, number):
            return await waits[number]

        peer = self.joined()
        peer.say('420["a",0]', '421["a",1]')
        waits[1].callback("second")
        waits[0].callback("first")
        self.assertEqual(peer.heard, ['431["second"]', '430["first"]'])

    def test_a_deferred_answers_when_it_fires(self):
        answer = Deferred()
        self.handlers.on("a")(lambda socket: answer)
        peer = self.joined()
        peer.say('421["a"]')
        answer.callback(("x", b"y"))
        self.assertEqual(peer.heard, ['461-1["x",{"_placeholder":true,"num":0}]', b"y"])

    def test_a_future_is_waited_for_too(self):
        loop = asyncio.new_event_loop()
        self.addCleanup(loop.close)
        future = loop.create_future()

        @self.handlers.on("a")
        async def a(socket):
            return await future

        peer = self.joined()
        peer.say('421["a"]')
        future.set_result("done")
        # In a thread of its own: a browser's tests may have left a loop that runs in this one.
        turn = Thread(target=lambda: loop.run_until_complete(asyncio.sleep(0)))
        turn.start()
        turn.join()
        self.assertEqual(peer.heard, ['431["done"]'])

    def test_who_is_gone_meanwhile_hears_nothing(self):
        answer = Deferred()
        self.handlers.on("a")(lambda socket: answer)
        peer = self.joined()
        peer.say('421["a"]')
        peer.session.close()
        answer.callback(1)
        self.assertEqual((peer.heard, self.logged), ([], []))

    def test_it_may_never_answer(self):
        self.handlers.on("a")(lambda socket: NO_ANSWER)
        peer = self.joined()
        peer.say('421["a"]')
        self.assertEqual((peer.heard, self.logged), ([], []))

    def test_joining_waits_for_what_is_before_it(self):
        allowed = Deferred()
        order = []

        @self.handlers.use
        async def first(socket, auth):
            order.append(("first", auth["name"]))
            await allowed

        @self.handlers.use
        def second(socket, auth):
            order.append("second")

        @self.handlers.on_connect
        async def connect(socket, auth):
            order.append("connect")
            socket.accept()

        peer = Peer(self.server)
        peer.say('40{"name":"me"}')
        self.assertEqual((order, peer.heard), ([("first", "me")], []))
        allowed.callback(None)
        self.assertEqual(order[1:], ["second", "connect"])
        self.assertEqual(len(peer.heard), 1)
        self.assertEqual(len(self.handlers.sockets), 1)

    def test_who_left_before_it_was_let_in_is_not_asked_about_further(self):
        allowed = Deferred()
        self.handlers.use(lambda socket, auth: allowed)
        self.handlers.use(lambda socket, auth: self.fail("for whom?"))
        peer = Peer(self.server)
        peer.say("40")
        peer.session.close()
        allowed.callback(None)
        self.assertEqual((dict(self.handlers.sockets), self.logged), ({}, []))


class ErrorTests(OutcomeTests):
    def test_of_a_function(self):
        self.assert_costs_the_event_only(lambda socket: 1 / 0, error=ZeroDivisionError)

    def test_of_a_coroutine(self):
        async def a(socket):
            await fail(KeyError("x"))

        self.assert_costs_the_event_only(a, error=KeyError)

    def test_of_a_deferred(self):
        self.assert_costs_the_event_only(lambda socket: fail(KeyError("x")), error=KeyError)
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_wrong_numbers_of_arguments(self):
        for text in ('421["a"]', '421["a",1,2]'):
            self.setUp()
            self.assert_costs_the_event_only(lambda socket, one: one, text, error=TypeError)

    def test_answers_that_json_has_not(self):
        for answer in (object(), {1, 2}, 1 << 70, [b"x"] * 11, {"a": object()}):
            self.setUp()
            self.assert_costs_the_event_only(lambda socket, answer=answer: answer)

    def test_waiting_for_what_nobody_can_tell_of(self):
        class Odd:
            def __await__(self):
                yield 5

        async def a(socket):
            await Odd()

        self.assert_costs_the_event_only(a, error=TypeError)

    def test_in_what_decides_who_joins(self):
        def refuse(socket, auth):
            raise ConnectionRefused("no", {"why": 1})

        async def fails(socket, auth):
            await succeed(None)
            raise KeyError("secret")

        def refuse_oddly(socket, auth):
            raise ConnectionRefused("no", object())

        def accept_oddly(socket, auth):
            socket.accept(pid=object())

        for step, text in (
            (refuse, '44{"message":"no","data":{"why":1}}'),
            (fails, '44{"message":"Internal error"}'),
            (refuse_oddly, '44{"message":"Internal error"}'),
            (accept_oddly, '44{"message":"Internal error"}'),
        ):
            self.setUp()
            self.handlers.use(step)
            peer = Peer(self.server)
            peer.say("40")
            self.assertEqual((peer.heard, peer.is_open), ([text], True))
            self.assertEqual(len(self.logged), int(step is not refuse))
            self.assertEqual(dict(self.handlers.sockets), {})

    def test_at_the_end(self):
        self.handlers.on_disconnect(lambda socket: None)  # takes no reason
        peer = self.joined()
        peer.session.close()
        self.assertEqual(len(self.logged), 1)
        self.assertEqual(dict(self.handlers.sockets), {})

    def test_in_what_is_called_back(self):
        peer = self.joined()
        id = next(self.handlers.ack_ids) + 1
        self.socket.emit("q", ack=lambda one: one)
        peer.say(f"43{id}[]")
        self.assertTrue(peer.is_open)
        self.assertEqual(len(self.logged), 1)


class TimeoutTests(OutcomeTests):
    def ask(self, **more):
        self.answers = []
        self.peer = self.joined()
        self.ack_id = next(self.handlers.ack_ids) + 1
        late = self.answers.append
        self.socket.emit("q", ack=late, timed_out=lambda: late("late"), **more)

    def test_who_does_not_answer_in_time_is_not_waited_for(self):
        self.ask(timeout=5)
        self.clock.advance(4.9)
        self.assertEqual(self.answers, [])
        self.clock.advance(0.1)
        self.peer.say(f"43{self.ack_id}[1]")
        self.assertEqual(self.answers, ["late"])

    def test_nobody_is_waited_for_without_end(self):
        self.ask()
        self.clock.advance(60)
        self.assertEqual((self.answers, self.socket._acks), (["late"], {}))

    def test_an_answer_in_time_is_the_only_one(self):
        self.ask(timeout=5)
        self.peer.say(f"43{self.ack_id}[1]")
        self.clock.advance(5)
        self.assertEqual(self.answers, [1])

    def test_who_is_gone_is_not_late(self):
        self.ask(timeout=5)
        self.peer.session.close()
        self.clock.advance(5)
        self.assertEqual(self.answers, [])


class ManyTests(OutcomeTests):
    def test_a_client_can_not_fill_the_log_with_errors(self):
        self.handlers.on_any(lambda socket, name: None)  # takes no arguments
        peer = self.joined()
        peer.say(*['42["%s",1]' % ("x" * 1000)] * (3 * MOST))
        self.assertEqual(len(self.logged), MOST)
        self.assertLess(len(self.logged[0][0]), 200)
        self.clock.advance(60)
        peer.say('42["a",1]')
        more, last = [text for text, _ in self.logged[MOST:]]
        self.assertIn(f"{2 * MOST} more errors", more)
        self.assertEqual(last, "The handler of 'a' failed")
