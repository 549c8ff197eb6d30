"""The bad inputs of the Engine.IO layer, and what must become of each."""

import gc
import tracemalloc

from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.errors import EngineError
from gateway.engineio.payload import decode4
from tests.engineio.world import DROPPED, FakePoll, World, text
from tests.untraced import untraced


class FaultTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()

    def refuse(
        self, code: int, method: str = "GET", *, upgrade: bool = False, **query: str
    ) -> None:
        with self.assertRaises(EngineError) as caught:
            self.world.server.verify(method, query, upgrade=upgrade)
        self.assertEqual((caught.exception.code, caught.exception.status), (code, 400))

    def assert_closed(self, reason: str) -> None:
        self.assertEqual(self.world.connection.reasons, [reason])
        self.refuse(1, EIO="4", transport="polling", sid=self.world.session.sid)

    def assert_refused_post(self, body: bytes | str, reason: str, *, binary: bool = False) -> None:
        """The body is answered with 400 and closes the session, a pending GET told so."""
        sid = self.world.polling()
        poll = self.world.get(sid=sid)
        with self.assertRaises(EngineError) as caught:
            self.world.post(sid, body, binary=binary)
        self.assertEqual((caught.exception.code, caught.exception.status), (3, 400))
        self.assertEqual(poll.payload, b'HTTP 400: {"code":1,"message":"Session ID unknown"}')
        self.assert_closed(reason)

    def test_unknown_or_missing_transport(self) -> None:
        self.refuse(0)
        for transport in ("", "abc", "Polling", "webtransport", "constructor", "__proto__"):
            self.refuse(0, "POST", EIO="abc", transport=transport, sid="unknown")
            self.refuse(0, EIO="4", transport=transport)
            self.refuse(0, EIO="4", transport=transport, upgrade=True)

    def test_other_versions(self) -> None:
        self.refuse(5, transport="polling")
        for eio in ("", "2", "3", "5", "44", "4.0", "abc"):
            self.refuse(5, transport="polling", EIO=eio)
            self.refuse(5, transport="websocket", EIO=eio, upgrade=True)

    def test_unknown_session(self) -> None:
        for sid in ("unknown", "constructor", "\x00", "é" * 1000):
            self.refuse(1, EIO="4", transport="polling", sid=sid)
            self.refuse(1, "POST", EIO="4", transport="polling", sid=sid)
            self.refuse(1, EIO="4", transport="websocket", sid=sid, upgrade=True)

    def test_a_handshake_is_a_get(self) -> None:
        for method in ("POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"):
            self.refuse(2, method, EIO="4", transport="polling")

    def test_a_session_over_another_transport(self) -> None:
        sid = self.world.polling()
        self.refuse(3, EIO="4", transport="websocket")
        self.refuse(3, EIO="4", transport="websocket", sid=sid)
        socket = self.world.websocket(sid=sid)
        for data in (b"2probe", b"5"):
            socket.channel.text(data)
        for method in ("GET", "POST"):
            self.refuse(3, method, EIO="4", transport="polling", sid=sid)
        socket.channel.text(b"4hello")
        self.assertEqual(self.world.connection.heard, [text("4hello")])

    def test_two_gets_at_once(self) -> None:
        sid = self.world.polling()
        first, second = self.world.get(sid=sid), FakePoll()
        query = self.world.query(sid=sid)
        error = self.assertRaises(
            EngineError, self.world.server.poll, query, self.world.session.peer, second
        )
        self.assertEqual((error.code, error.status), (3, 400))
        self.assertEqual((first.payload, second.payload), (b"1", None))
        self.assert_closed("transport error")

    def test_an_aborted_get(self) -> None:
        sid = self.world.polling()
        poll = self.world.get(sid=sid)
        self.world.abandon(sid)
        self.assertEqual(poll.payload, None)
        self.assert_closed("transport error")

    def test_binary_content(self) -> None:
        self.assert_refused_post(b"4hello", "transport error", binary=True)
        self.assertEqual(self.world.connection.heard, [])

    def test_a_body_over_the_limit(self) -> None:
        sid = self.world.polling()
        for body in ("4" + "x" * 1_000_000, "4" + "é" * 500_000):
            with self.assertRaises(EngineError) as caught:
                self.world.post(sid, body)
            self.assertEqual(caught.exception.status, 413)
        self.world.post(sid, "4small")
        self.assertEqual(self.world.connection.heard, [text("4small")])

    def test_malformed_packets(self) -> None:
        for fault in ("", "abc", "7", "b=", "b*", "5", "0{}", b"4\xff\xfe"):
            bad = fault if isinstance(fault, bytes) else fault.encode()
            self.assert_refused_post(b"4one\x1e" + bad + b"\x1e4three", "parse error")
            self.assertEqual(self.world.connection.heard, [text("4one")], fault)

    def test_separators_end_at_the_first_empty_packet(self) -> None:
        body = b"\x1e" * 1_000_000
        self.assert_refused_post(body, "parse error")
        self.assertEqual(next(decode4(b"4x" + body)), text("4x"))  # one by one, as asked for

    def test_pongs_are_bounded_in_a_body(self) -> None:
        self.assert_refused_post("\x1e".join(["3"] * 500_000), "parse error")
        self.assert_refused_post("\x1e".join(["6"] * 500_000), "parse error")
        self.world.post(self.world.polling(), "\x1e".join(["4x", "3"] * 16))
        self.assertEqual(len(self.world.connection.heard), 16)

    def test_wrong_probes_close_the_probe_alone(self) -> None:
        sid = self.world.polling()
        for words in (
            [b"2wrong"],
            [b"2"],
            [b"5"],
            [b"4hello"],
            [b""],
            [b"2probe", b"2probe"],
            [b"2probe", b"4hello"],
            [b"2probe", b"5x"],
            [b"b*"],
        ):
            socket = self.world.websocket(sid=sid)
            for word in words:
                socket.channel.text(word)
            self.assertEqual(socket.closed, DROPPED, words)
            socket.channel.text(b"5")
            self.assertEqual(self.world.session.transport, "polling")
        socket = self.world.websocket(sid=sid)
        socket.channel.binary(b"2probe")
        self.assertEqual(socket.closed, DROPPED)
        self.world.post(sid, "4still here")
        self.assertEqual(self.world.connection.heard, [text("4still here")])
        self.assertEqual(self.world.get(sid=sid).payload, None)

    def test_a_probe_that_is_never_finished(self) -> None:
        sid = self.world.polling()
        for words in ([], [b"2probe"]):
            socket = self.world.websocket(sid=sid)
            for word in words:
                socket.channel.text(word)
            self.world.wait(9.9)
            self.assertEqual(socket.closed, None)
            self.world.wait(0.1)
            self.assertEqual(socket.closed, DROPPED)
        self.assertTrue(self.world.session.is_open)

    def test_two_upgrades_at_once(self) -> None:
        sid = self.world.polling()
        first = self.world.websocket(sid=sid)
        first.channel.text(b"2probe")
        second = self.world.websocket(sid=sid)
        self.assertEqual((first.closed, second.closed), (None, DROPPED))
        for data in (b"5", b"4hello"):
            first.channel.text(data)
        self.assertEqual(self.world.connection.heard, [text("4hello")])

    def test_an_upgrade_after_the_upgrade(self) -> None:
        socket = self.world.upgraded()
        again = self.world.websocket(sid=self.world.session.sid)
        self.assertEqual((again.closed, again.writes), (DROPPED, []))
        socket.channel.text(b"4hello")
        self.assertEqual(self.world.connection.heard, [text("4hello")])

    def test_no_pong(self) -> None:
        socket = self.world.websocket()
        sid = self.world.polling()
        self.world.wait(44.9)
        self.assertEqual((socket.closed, sid in self.world.server.sessions), (None, True))
        self.world.wait(0.1)
        self.assertEqual((socket.closed, self.world.server.sessions), (1000, {}))
        self.assertEqual([each.reasons for each in self.world.connections], [["ping timeout"]] * 2)

    def test_unsolicited_pongs_do_not_prolong_a_session(self) -> None:
        socket = self.world.websocket()
        for _ in range(249):
            socket.channel.text(b"3")
            self.world.wait(0.1)
        self.world.wait(20)
        self.assertTrue(self.world.session.is_open)
        self.world.wait(0.1)
        self.assert_closed("ping timeout")

    def test_pongs_do_not_save_a_client_that_fetches_nothing(self) -> None:
        sid = self.world.polling()
        for _ in range(449):
            self.world.post(sid, "3")
            self.world.wait(0.1)
        self.assertTrue(self.world.session.is_open)
        self.world.wait(0.2)
        self.assert_closed("ping timeout")

    def test_a_client_that_pings(self) -> None:
        socket = self.world.websocket()
        socket.channel.text(b"2")
        self.assertEqual(socket.closed, 1000)
        self.assert_closed("transport error")
        self.assert_refused_post("2", "transport error")

    @untraced
    def test_silent_handshakes_cost_little_and_give_it_back(self) -> None:
        count = 2000
        self.world.polling()
        self.world.wait(45)
        gc.collect()
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        for number in range(count):
            self.world.polling() if number % 2 else self.world.websocket()
        self.assertLess(tracemalloc.get_traced_memory()[0] / count, 4000)
        self.world.wait(45)
        self.world.connections.clear()
        gc.collect()
        self.assertEqual(self.world.server.sessions, {})
        self.assertLess(tracemalloc.get_traced_memory()[0] / count, 100)
