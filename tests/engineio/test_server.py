from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.errors import EngineError
from gateway.engineio.handshake import Peer
from tests.engineio.world import DROPPED, PEER, FakePoll, FakeSocket, World

VALID = {"EIO": "4", "transport": "polling"}


class VerifyTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()

    def code(self, method: str, query: dict[str, str], *, upgrade: bool = False) -> int | None:
        """The code of the refusal; None if the request is let in."""
        try:
            self.world.server.verify(method, query, upgrade=upgrade)
        except EngineError as error:
            return error.code
        return None

    def test_a_handshake_has_no_session_yet(self) -> None:
        self.assertEqual(self.world.server.verify("GET", VALID), None)
        query = VALID | {"transport": "websocket", "sid": ""}
        self.assertEqual(self.world.server.verify("GET", query, upgrade=True), None)

    def test_a_sid_leads_to_its_session(self) -> None:
        query = VALID | {"sid": self.world.polling()}
        for method in ("GET", "POST"):
            self.assertIs(self.world.server.verify(method, query), self.world.session)

    def test_the_first_fault_names_the_code(self) -> None:
        for query, method, code in (
            ({}, "PUT", 0),
            ({"transport": "polling", "sid": "unknown"}, "PUT", 1),
            ({"transport": "polling"}, "PUT", 2),
            ({"transport": "polling"}, "GET", 5),
        ):
            self.assertEqual(self.code(method, query), code)

    def test_a_session_keeps_to_its_version(self) -> None:
        self.world = World(eio3=True)
        sid = self.world.polling()
        for version in ({"EIO": "3"}, {"EIO": ""}, {}):
            self.assertEqual(self.code("GET", {"transport": "polling", "sid": sid} | version), 5)

    def test_a_session_answers_get_and_post(self) -> None:
        query = VALID | {"sid": self.world.polling()}
        for method in ("PUT", "DELETE", "HEAD", "OPTIONS", "get"):
            with self.assertRaises(EngineError) as caught:
                self.world.server.verify(method, query)
            self.assertEqual((caught.exception.code, caught.exception.status), (3, 405))
        self.assertTrue(self.world.session.is_open)

    def test_only_a_get_becomes_a_websocket(self) -> None:
        query = VALID | {"transport": "websocket", "sid": self.world.polling()}
        self.assertEqual(self.code("POST", query, upgrade=True), 3)
        self.assertEqual(self.code("GET", VALID, upgrade=True), 3)

    def test_there_is_no_jsonp(self) -> None:
        self.assertEqual(self.code("GET", VALID | {"j": "0"}), 3)

    def test_a_websocket_may_say_j_which_means_nothing_there(self) -> None:
        query = VALID | {"transport": "websocket", "j": "0"}
        self.assertIsNone(self.code("GET", query, upgrade=True))
        query["sid"] = self.world.polling()
        self.assertIsNone(self.code("GET", query, upgrade=True))


class LookUpTests(SynchronousTestCase):
    def test_a_websocket_that_comes_too_late_for_its_session_is_closed(self) -> None:
        world, sink = World(), FakeSocket()
        channel = world.server.websocket(world.query("websocket", sid="gone"), PEER, sink)
        channel.text(b"2probe")
        channel.lost()
        self.assertEqual((sink.closed, sink.writes), (DROPPED, []))

    def test_a_poll_that_comes_too_late_for_its_session_is_refused(self) -> None:
        world = World()
        for query in (
            world.query(sid="gone"),
            world.query(sid=world.upgraded() and world.session.sid),
        ):
            self.assertRaises(EngineError, world.server.poll, query, PEER, FakePoll())

    def test_a_session_is_where_its_last_post_came_from(self) -> None:
        world, moved = World(), Peer("127.0.0.2", 1)
        world.polling()
        world.server.post(world.session, moved, b"4x", binary=False)
        self.assertEqual(world.session.peer, moved)


class EndPollingTests(SynchronousTestCase):
    def test_who_polls_hears_of_it_now_or_by_its_next_poll(self) -> None:
        world = World()
        waiting, between = world.polling(), world.polling()
        pending, socket = world.get(sid=waiting), world.websocket()
        self.assertTrue(world.server.end_polling())
        assert pending.payload is not None
        self.assertTrue(pending.payload.startswith(b"HTTP 400: "))
        self.assertRaises(EngineError, world.get, sid=between)
        self.assertEqual(world.connections[0].reasons, ["server shutting down"])
        self.assertIsNone(socket.closed)
        self.assertFalse(world.server.end_polling())
