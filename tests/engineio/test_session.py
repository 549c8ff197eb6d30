import json
from functools import partial

from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.errors import EngineError, ProtocolError
from gateway.engineio.outbox import BOUND
from gateway.engineio.packet import Packet
from gateway.engineio.session import Session
from tests.engineio.world import PEER, Echo, Recorder, World, binary, text

REFUSED = b'HTTP 400: {"code":1,"message":"Session ID unknown"}'


class OpeningTests(SynchronousTestCase):
    def test_the_application_gets_a_session_that_knows_its_client(self) -> None:
        world = World()
        world.websocket(token="abc", t="x")
        session = world.session
        self.assertEqual(
            (session.transport, session.eio, session.peer, dict(session.query)),
            ("websocket", 4, PEER, {"token": "abc"}),
        )
        self.assertTrue(session.is_open)
        self.assertIs(world.server.sessions[session.sid], session)

    def test_the_handshake_names_the_upgrades_of_the_transport(self) -> None:
        world = World()
        [packet] = world.websocket().packets
        self.assertEqual(json.loads(packet.payload)["upgrades"], [])
        payload = world.get().payload
        assert payload is not None
        self.assertEqual(json.loads(payload[1:])["upgrades"], ["websocket"])
        self.assertEqual(json.loads(payload[1:])["sid"], world.session.sid)

    def test_session_ids_can_not_be_guessed(self) -> None:
        world = World()
        sids = {world.polling() for _ in range(100)}
        self.assertEqual(({len(sid) for sid in sids}, len(sids)), ({20}, 100))

    def test_what_the_application_says_at_once_comes_with_the_handshake(self) -> None:
        class Greeter(Recorder):
            def __init__(self, session: Session) -> None:
                super().__init__(session)
                session.send(text("4hello"))

        world = World(Greeter)
        socket = world.websocket()
        self.assertEqual((len(socket.writes), socket.said), (1, [text("4hello")]))
        payload = world.get().payload
        assert payload is not None
        self.assertTrue(payload.endswith(b"}\x1e4hello"))

    def test_an_application_may_close_at_once(self) -> None:
        class Refuser(Recorder):
            def __init__(self, session: Session) -> None:
                super().__init__(session)
                session.send(text("4no"))
                session.close()

        world = World(Refuser)
        socket = world.websocket()
        self.assertEqual((socket.said, socket.closed), ([text("4no"), text("1")], 1000))
        self.assertEqual(world.connection.reasons, ["forced close"])
        payload = world.get().payload
        assert payload is not None
        self.assertTrue(payload.endswith(b"}\x1e4no\x1e1"))
        self.assertEqual(world.connection.reasons, ["forced close"])
        self.assertEqual(world.server.sessions, {})

    def test_no_reason_is_a_reason(self) -> None:
        class Refuser(Recorder):
            def __init__(self, session: Session) -> None:
                super().__init__(session)
                session.close("")

        world = World(Refuser)
        self.assertEqual((world.websocket().closed, world.connection.reasons), (1000, [""]))

    def test_an_application_that_fails_leaves_no_session(self) -> None:
        def fail(session: Session) -> Recorder:
            raise ValueError

        world = World(fail)
        self.assertRaises(ValueError, world.websocket)
        self.assertRaises(ValueError, world.get)
        self.assertEqual((world.server.sessions, world.deadlines.next), ({}, None))


class MessageTests(SynchronousTestCase):
    def test_the_connection_hears_messages_as_they_came(self) -> None:
        world = World()
        socket = world.websocket()
        socket.channel.text("4é".encode())
        socket.channel.text(b"4")
        socket.channel.binary(b"\x00\xff")
        self.assertEqual(world.connection.heard, [text("4é"), text("4"), binary(b"\x00\xff")])

    def test_packets_sent_together_stay_together(self) -> None:
        world = World()
        socket = world.websocket()
        world.session.send(text("4one"), binary(b"two"))
        self.assertEqual((socket.said, len(socket.writes)), ([text("4one"), binary(b"two")], 2))

    def test_a_connection_may_refuse_a_message(self) -> None:
        class Strict(Recorder):
            def message(self, packet: Packet) -> None:
                super().message(packet)
                raise ProtocolError("not that")

        world = World(Strict)
        socket = world.websocket()
        socket.channel.text(b"4x")
        socket.channel.text(b"4y")
        self.assertEqual((world.connection.heard, socket.closed), ([text("4x")], 1000))
        self.assertEqual(world.connection.reasons, ["parse error"])


class UnreadTests(SynchronousTestCase):
    def test_a_client_that_reads_nothing_is_dropped(self) -> None:
        world = World()
        sid = world.polling()
        session = world.session
        for _ in range(BOUND // 10_000 + 2):
            session.send(text("4" + "x" * 10_000))
        self.assertEqual(world.connection.reasons, ["slow consumer"])
        self.assertNotIn(sid, world.server.sessions)

    def test_an_application_may_answer_into_the_end(self) -> None:
        world = World(Echo)
        socket = world.websocket()
        socket.full = True
        for _ in range(5):
            socket.channel.text(b"4" + b"x" * (BOUND // 2))
        self.assertEqual(world.connection.reasons, ["slow consumer"])
        self.assertEqual(socket.closed, 1000)


class CloseTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()

    def assert_over(self, reason: str) -> None:
        self.assertEqual(self.world.connection.reasons, [reason])
        self.assertFalse(self.world.session.is_open)
        self.assertEqual(self.world.server.sessions, {})
        self.assertEqual(self.world.deadlines.next, None)

    def test_a_websocket_is_closed_after_what_was_said(self) -> None:
        socket = self.world.websocket()
        self.world.session.send(text("4bye"))
        self.world.session.close()
        self.assertEqual((socket.said, socket.closed), ([text("4bye"), text("1")], 1000))
        self.assert_over("forced close")

    def test_a_full_websocket_is_closed_once_it_took_everything(self) -> None:
        socket = self.world.websocket()
        socket.full = True
        for number in range(3):
            self.world.session.send(text(f"4{number}"))
        self.world.session.close("enough")
        self.assertEqual((socket.said, socket.closed), ([text("40")], None))
        self.assertEqual(self.world.connection.reasons, [])
        socket.channel.room()
        self.assertEqual(socket.said, [text("40"), text("41"), text("42"), text("1")])
        self.assert_over("enough")

    def test_a_client_that_takes_nothing_is_dropped_after_the_ping_timeout(self) -> None:
        socket = self.world.websocket()
        socket.full = True
        self.world.session.send(text("4x"), text("4y"))
        self.world.session.close("enough")
        self.world.wait(19.9)
        self.assertEqual(socket.closed, None)
        self.world.wait(0.1)
        self.assertEqual(socket.closed, 1000)
        self.assert_over("enough")

    def test_a_closing_session_hears_and_says_nothing_more(self) -> None:
        socket = self.world.websocket()
        socket.full = True
        self.world.session.send(text("4x"))
        self.world.session.close()
        socket.channel.text(b"4late")
        self.world.session.send(text("4late"))
        self.world.session.close("again")
        socket.channel.room()
        self.assertEqual((self.world.connection.heard, socket.said[-1]), ([], text("1")))
        self.assert_over("forced close")

    def test_a_pending_get_is_answered_with_the_last_words(self) -> None:
        sid = self.world.polling()
        poll = self.world.get(sid=sid)
        self.world.session.close()
        self.assertEqual(poll.payload, b"1")
        self.assert_over("forced close")

    def test_a_poller_fetches_the_last_words_with_its_next_gets(self) -> None:
        sid = self.world.polling()
        for number in range(20):
            self.world.session.send(text(f"4{number}"))
        self.world.session.close()
        self.world.post(sid, "4late")
        answers = [self.world.get(sid=sid).payload or b"" for _ in range(2)]
        said = [data for answer in answers for data in answer.split(b"\x1e")]
        self.assertEqual(said, [b"4%d" % number for number in range(20)] + [b"1"])
        self.assertEqual(self.world.connection.heard, [])
        self.assert_over("forced close")

    def test_a_poller_that_fetches_nothing_is_dropped_after_the_ping_timeout(self) -> None:
        self.world.polling()
        self.world.session.send(text("4x"))
        self.world.session.close()
        self.world.wait(20)
        self.assert_over("forced close")

    def test_abort_forgets_what_was_not_written(self) -> None:
        socket = self.world.websocket()
        socket.full = True
        self.world.session.send(text("4x"))
        self.world.session.send(text("4y"))
        self.world.session.abort("slow consumer")
        self.assertEqual((socket.said, socket.closed), ([text("4x")], 1000))
        self.assert_over("slow consumer")

    def test_abort_refuses_a_pending_get_since_nobody_returns_after_a_close_packet(self) -> None:
        poll = self.world.get(sid=self.world.polling())
        self.world.session.abort("forced close")
        self.world.session.abort("again")
        self.assertEqual(poll.payload, REFUSED)
        self.assert_over("forced close")

    def test_a_client_closes_its_session_over_a_websocket(self) -> None:
        socket = self.world.websocket()
        socket.channel.text(b"1")
        self.assertEqual((socket.said, socket.closed), ([], 1000))
        self.assert_over("transport close")

    def test_a_client_closes_its_session_by_post_and_gets_a_noop(self) -> None:
        sid = self.world.polling()
        poll = self.world.get(sid=sid)
        self.world.post(sid, "4one\x1e1\x1e4late")
        self.assertEqual(poll.payload, b"6")
        self.assertEqual(self.world.connection.heard, [text("4one")])
        self.assert_over("transport close")

    def test_a_lost_websocket_ends_the_session(self) -> None:
        socket = self.world.websocket()
        socket.channel.lost()
        socket.channel.lost()
        self.assertEqual(socket.closed, None)
        self.assert_over("transport close")

    def test_the_server_ends_all_sessions(self) -> None:
        socket = self.world.websocket()
        poll = self.world.get(sid=self.world.polling())
        self.world.polling()
        self.world.server.close()
        self.assertEqual((socket.closed, poll.payload), (1001, REFUSED))
        reasons = [connection.reasons for connection in self.world.connections]
        self.assertEqual(reasons, [["server shutting down"]] * 3)
        self.assertEqual((self.world.server.sessions, self.world.deadlines.next), ({}, None))

    def test_a_server_that_has_closed_lets_nobody_in(self) -> None:
        sid = self.world.polling()
        self.world.server.close()
        for ask in (self.world.get, partial(self.world.get, sid=sid), self.world.websocket):
            with self.assertRaises(EngineError) as caught:
                ask()
            self.assertEqual(caught.exception.status, 503)
