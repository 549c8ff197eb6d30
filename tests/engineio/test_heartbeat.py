from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.errors import EngineError
from tests.engineio.world import World, text


class Version4Tests(SynchronousTestCase):
    """The server pings every 25 s and waits 20 s for the pong."""

    def setUp(self) -> None:
        self.world = World()

    def test_a_client_that_answers_lives(self) -> None:
        socket = self.world.websocket()
        for count in range(1, 5):
            self.world.wait(24.9)
            self.assertEqual(len(socket.said), count - 1)
            self.world.wait(0.1)
            self.assertEqual(socket.said, [text("2")] * count)
            socket.channel.text(b"3")
        self.assertTrue(self.world.session.is_open)

    def test_the_next_ping_comes_an_interval_after_the_pong(self) -> None:
        socket = self.world.websocket()
        self.world.wait(25 + 19)
        socket.channel.text(b"3")
        self.world.wait(24.9)
        self.assertEqual(len(socket.said), 1)
        self.world.wait(0.1)
        self.assertEqual(len(socket.said), 2)

    def test_a_ping_reaches_a_pending_get(self) -> None:
        sid = self.world.polling()
        poll = self.world.get(sid=sid)
        self.world.wait(25)
        self.assertEqual(poll.payload, b"2")
        self.world.post(sid, "3")
        self.world.wait(44.9)
        self.assertTrue(self.world.session.is_open)

    def test_a_ping_overtakes_what_waits(self) -> None:
        sid = self.world.polling()
        self.world.session.send(text("4x"))
        self.world.wait(25)
        self.assertEqual(self.world.get(sid=sid).payload, b"2\x1e4x")

    def test_a_ping_waits_for_the_upgrade_and_can_be_answered_there(self) -> None:
        sid = self.world.polling()
        self.world.wait(24)
        socket = self.world.websocket(sid=sid)
        socket.channel.text(b"2probe")
        self.world.wait(2)
        socket.channel.text(b"5")
        self.assertEqual(socket.packets, [text("3probe"), text("2")])
        socket.channel.text(b"3")
        self.world.wait(30)
        self.assertTrue(self.world.session.is_open)

    def test_an_interval_shorter_than_the_timeout(self) -> None:
        world = World(ping_interval=300, ping_timeout=20000)
        socket = world.websocket()
        for count in range(1, 4):
            world.wait(0.3)
            self.assertEqual(len(socket.said), count)
            socket.channel.text(b"3")
        world.wait(20.2)
        self.assertTrue(world.session.is_open)
        world.wait(0.1)
        self.assertEqual(world.connection.reasons, ["ping timeout"])

    def test_a_session_has_one_deadline_however_often_it_is_heard(self) -> None:
        socket = self.world.websocket()
        for _ in range(100):
            self.world.wait(25)
            socket.channel.text(b"3")
        pending = self.world.deadlines._heap
        self.assertEqual(len(pending), 1)

    def test_a_timer_that_is_late_does_not_prolong_a_session(self) -> None:
        sid = self.world.polling()
        self.world.now += 25.01
        self.world.deadlines.advance()
        self.world.now += 19.99  # due, but the timer did not fire yet
        error = self.assertRaises(EngineError, self.world.get, sid=sid)
        self.assertEqual((error.code, self.world.connection.reasons), (1, ["ping timeout"]))

    def test_after_a_long_stop_of_the_process_clients_can_still_answer(self) -> None:
        socket = self.world.websocket()
        self.world.now += 3600
        self.world.deadlines.advance()
        self.world.wait(9)
        socket.channel.text(b"3")
        self.world.wait(20)
        self.assertTrue(self.world.session.is_open)

    def test_a_client_that_is_not_read_is_not_held_to_its_answer(self) -> None:
        socket = self.world.websocket()
        self.world.wait(24)
        socket.channel.excuse(60)
        self.world.wait(60)  # the ping is sent meanwhile, and due
        self.assertEqual((socket.said, self.world.session.is_open), ([text("2")], True))
        self.world.wait(9)
        socket.channel.text(b"3")
        self.world.wait(44)
        self.assertTrue(self.world.session.is_open)
        self.world.wait(2)
        self.assertEqual(self.world.connection.reasons, ["ping timeout"])

    def test_but_to_no_more_than_that(self) -> None:
        socket = self.world.websocket()
        self.world.wait(30)
        socket.channel.excuse(60)
        self.world.wait(60 + 9)
        self.assertTrue(self.world.session.is_open)
        self.world.wait(2)
        self.assertEqual(self.world.connection.reasons, ["ping timeout"])

    def test_nor_does_its_next_request_end_it(self) -> None:
        sid = self.world.polling()
        self.world.wait(25)
        self.world.session.excuse(60)
        self.world.now += 50
        self.assertEqual(self.world.get(sid=sid).payload, b"2")

    def test_who_does_not_take_our_last_words_has_no_excuse(self) -> None:
        socket = self.world.websocket()
        socket.full = True
        socket.channel.excuse(60)
        self.world.session.close()
        socket.channel.excuse(60)
        self.world.wait(21)
        self.assertEqual(self.world.connection.reasons, ["forced close"])


class Version3Tests(SynchronousTestCase):
    """The client pings; the server waits for 25 + 20 s."""

    def setUp(self) -> None:
        self.world = World(eio3=True)

    def test_a_ping_is_answered_with_its_data(self) -> None:
        socket = self.world.websocket(EIO="3")
        socket.channel.text(b"2")
        socket.channel.text(b"2abc")
        self.assertEqual(socket.said, [text("3"), text("3abc")])

    def test_a_client_that_pings_lives(self) -> None:
        sid = self.world.polling(EIO="3")
        for _ in range(4):
            self.world.wait(44)
            self.world.post(sid, "1:2", eio="3")
            self.assertEqual(self.world.get(EIO="3", sid=sid).payload, b"1:3")
        self.assertTrue(self.world.session.is_open)

    def test_a_client_that_does_not_ping_is_closed(self) -> None:
        socket = self.world.websocket(EIO="3")
        self.world.wait(44.9)
        socket.channel.text(b"4x")
        self.assertTrue(self.world.session.is_open)
        self.world.wait(0.1)
        self.assertEqual((socket.closed, self.world.connection.reasons), (1000, ["ping timeout"]))
        self.assertEqual(socket.said, [])
