from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.handshake import Peer
from tests.engineio.world import DROPPED, PEER, Echo, FakeSocket, World, text


class UpgradeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World(Echo)
        self.sid = self.world.polling()

    def test_the_probe_is_answered_and_a_pending_get_released_at_once(self) -> None:
        poll = self.world.get(sid=self.sid)
        socket = self.world.websocket(sid=self.sid)
        self.assertEqual((socket.writes, poll.payload), ([], None))
        socket.channel.text(b"2probe")
        self.assertEqual((socket.packets, poll.payload), ([text("3probe")], b"6"))
        self.assertEqual(self.world.session.transport, "polling")

    def test_a_get_during_the_upgrade_is_answered_at_once(self) -> None:
        socket = self.world.websocket(sid=self.sid)
        socket.channel.text(b"2probe")
        self.assertEqual(self.world.get(sid=self.sid).payload, b"6")
        self.world.session.send(text("4x"))
        self.assertEqual(self.world.get(sid=self.sid).payload, b"4x")
        self.assertEqual(self.world.get(sid=self.sid).payload, b"6")

    def polls(self, seconds: float) -> int:
        """How many GETs of a client that asks again at once are answered."""
        end, count, poll = self.world.now + seconds, 0, self.world.get(sid=self.sid)
        while self.world.now < end:
            if poll.payload is None:
                self.world.wait(0.01)
            else:
                count, poll = count + 1, self.world.get(sid=self.sid)
        return count

    def test_while_an_upgrade_hangs_its_client_polls_ten_times_a_second(self) -> None:
        self.world.websocket(sid=self.sid).channel.text(b"2probe")
        self.assertIn(self.polls(2), range(15, 2 + 20 + 1))

    def test_what_is_said_while_an_upgrade_hangs_does_not_wait(self) -> None:
        self.world.websocket(sid=self.sid).channel.text(b"2probe")
        first, second, poll = (self.world.get(sid=self.sid) for _ in range(3))
        self.assertEqual((first.payload, second.payload, poll.payload), (b"6", b"6", None))
        self.world.session.send(text("4x"))
        self.assertEqual(poll.payload, b"4x")

    def test_an_upgrade_that_is_given_up_answers_no_more_gets(self) -> None:
        socket = self.world.websocket(sid=self.sid)
        socket.channel.text(b"2probe")
        self.polls(1)
        socket.channel.lost()
        self.world.wait(1)
        self.assertTrue(self.world.session.channel.has_room)

    def test_what_was_not_fetched_goes_out_over_the_websocket(self) -> None:
        poll = self.world.get(sid=self.sid)
        socket = self.world.websocket(sid=self.sid)
        socket.channel.text(b"2probe")
        self.world.session.send(text("4one"))
        self.world.post(self.sid, "4two")
        socket.channel.text(b"5")
        self.world.session.send(text("4three"))
        self.assertEqual(poll.payload, b"6")
        self.assertEqual(
            socket.packets, [text("3probe"), text("4one"), text("4two"), text("4three")]
        )

    def test_the_session_is_where_its_websocket_is(self) -> None:
        moved = Peer("127.0.0.2", 1)
        query = self.world.query("websocket", sid=self.sid)
        channel = self.world.server.websocket(query, moved, FakeSocket())
        channel.text(b"2probe")
        self.assertEqual(self.world.session.peer, PEER)
        channel.text(b"5")
        self.assertEqual(self.world.session.peer, moved)

    def test_messages_right_behind_the_upgrade_are_heard(self) -> None:
        socket = self.world.websocket(sid=self.sid)
        for data in (b"2probe", b"5", b"4hello"):
            socket.channel.text(data)
        self.assertEqual(self.world.session.transport, "websocket")
        self.assertEqual(socket.packets, [text("3probe"), text("4hello")])

    def test_an_upgraded_session_lives_with_its_websocket(self) -> None:
        socket = self.world.upgraded()
        self.world.wait(10)
        self.assertTrue(self.world.session.is_open)
        socket.channel.lost()
        self.assertEqual(self.world.connection.reasons, ["transport close"])

    def test_engineio_3_upgrades_alike(self) -> None:
        world = World(Echo, eio3=True)
        sid = world.polling(EIO="3")
        poll = world.get(EIO="3", sid=sid)
        socket = world.websocket(EIO="3", sid=sid)
        for data in (b"2probe", b"5", b"4hello"):
            socket.channel.text(data)
        self.assertEqual(poll.payload, b"1:6")
        self.assertEqual(socket.packets, [text("3probe"), text("4hello")])

    def test_a_closing_session_gives_up_its_probe(self) -> None:
        socket = self.world.websocket(sid=self.sid)
        socket.channel.text(b"2probe")
        self.world.session.close()
        self.assertEqual(socket.closed, DROPPED)
        socket.channel.text(b"5")
        self.assertEqual(self.world.get(sid=self.sid).payload, b"1")

    def test_a_session_that_ends_takes_its_probe_along(self) -> None:
        socket = self.world.websocket(sid=self.sid)
        self.world.session.abort("forced close")
        self.assertEqual((socket.closed, self.world.deadlines.next), (DROPPED, None))

    def test_a_probe_whose_connection_is_lost_leaves_room_for_another(self) -> None:
        socket = self.world.websocket(sid=self.sid)
        socket.channel.text(b"2probe")
        socket.channel.room()
        socket.channel.lost()
        self.assertEqual(self.world.get(sid=self.sid).payload, None)
        self.assertTrue(self.world.session.is_open)
        again = self.world.websocket(sid=self.sid)
        for data in (b"2probe", b"5"):
            again.channel.text(data)
        self.assertEqual(self.world.session.transport, "websocket")
