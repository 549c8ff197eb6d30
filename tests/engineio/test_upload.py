from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.errors import EngineError
from gateway.engineio.packet import Packet
from gateway.engineio.upload import Upload
from tests.engineio.world import DROPPED, World, text


def body(count: int) -> str:
    return "\x1e".join(f"4{number}" for number in range(count))


class SliceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.sid = self.world.polling()

    def heard(self) -> list[str]:
        return [packet.data.decode()[1:] for packet in self.world.connection.heard]

    def begin(self, packets: str) -> Upload:
        return self.world.begin(self.sid, packets)

    def test_a_body_is_heard_slice_by_slice_and_in_order(self) -> None:
        upload = self.begin(body(7))
        self.assertEqual(self.heard(), [])
        counts = []
        while not upload.done:
            upload.receive(3)
            counts.append(len(self.heard()))
            self.assertEqual(self.heard(), [str(number) for number in range(counts[-1])])
        self.assertEqual(counts, [3, 6, 7])
        upload.receive(3)
        self.assertEqual(len(self.heard()), 7)

    def test_what_a_packet_costs_besides_counts_for_the_slice(self) -> None:
        upload = self.begin(body(7))
        message = self.world.connection.message

        def dear(packet: Packet) -> None:
            self.world.session.meter.charge(10)
            message(packet)

        self.world.connection.message = dear
        upload.receive(12)
        self.assertEqual(len(self.heard()), 2)

    def test_a_second_post_before_the_first_is_received_ends_the_session(self) -> None:
        upload = self.begin(body(7))
        upload.receive(3)
        error = self.assertRaises(EngineError, self.begin, "4x")
        self.assertEqual((error.code, self.world.connection.reasons), (3, ["transport error"]))

    def test_a_post_after_the_first_is_received_does_not(self) -> None:
        for _ in range(2):
            upload = self.begin(body(3))
            upload.receive(9)
            self.assertTrue(upload.done)
        self.assertEqual(len(self.heard()), 6)

    def test_what_follows_the_end_of_its_session_is_not_heard(self) -> None:
        upload = self.begin(body(7))
        upload.receive(3)
        self.world.session.abort("transport error")
        error = self.assertRaises(EngineError, upload.receive, 3)
        self.assertEqual((error.code, len(self.heard()), upload.done), (1, 3, True))

    def test_a_client_may_close_wherever_a_slice_ends(self) -> None:
        for most in (2, 3, 4, 9):
            world = World()
            upload = world.begin(world.polling(), "4a\x1e4b\x1e1\x1e4c\x1ex")
            while not upload.done:
                upload.receive(most)
            self.assertEqual(world.connection.heard, [text("4a"), text("4b")])
            self.assertEqual(world.connection.reasons, ["transport close"])

    def test_a_fault_in_a_later_slice_ends_the_session(self) -> None:
        upload = self.begin(body(4) + "\x1ex")
        upload.receive(3)
        error = self.assertRaises(EngineError, upload.receive, 3)
        self.assertEqual((error.status, error.code), (400, 3))
        self.assertEqual((len(self.heard()), upload.done), (4, True))
        self.assertEqual(self.world.connection.reasons, ["parse error"])

    def test_what_is_no_message_is_counted_over_all_slices(self) -> None:
        upload = self.begin("\x1e".join(["3"] * 17))
        upload.receive(9)
        self.assertRaises(EngineError, upload.receive, 9)
        self.assertEqual(self.world.connection.reasons, ["parse error"])

    def test_the_transport_does_not_change_in_the_midst_of_it(self) -> None:
        """What the WebSocket said next would overtake the rest."""
        socket = self.world.websocket(sid=self.sid)
        socket.channel.text(b"2probe")
        upload = self.begin(body(7))
        upload.receive(3)
        socket.channel.text(b"5")
        self.assertEqual(socket.closed, DROPPED)
        upload.receive(9)
        self.assertEqual((len(self.heard()), self.world.session.transport), (7, "polling"))
