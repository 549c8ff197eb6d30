"""How large and how many the messages of a WebSocket may be."""

from collections.abc import Callable
from itertools import count

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.meter import SLICE
from tests.web.peer import CONTINUATION, PING, PONG, close, frame, said
from tests.web.websocket.test_connection import LIMIT, World

TOO_BIG = said(0x88, b"\x03\xf1")[:4]
"""The beginning of a close frame with 1009."""


class SizeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.asked = 0

    def world(self, *, worker: bool) -> World:
        def is_worker(session: object) -> bool:
            self.asked += 1
            return worker

        return World(worker_payload=3 * LIMIT, is_worker=is_worker)

    def test_the_worker_may_send_more_than_strangers(self) -> None:
        world = self.world(worker=True)
        big = frame(b"x" * 3 * LIMIT)
        world.receive(frame(b"small") + big[:50], big[50:], frame(b"after"))
        self.assertEqual(
            world.heard, [("text", b"small"), ("text", b"x" * 3 * LIMIT), ("text", b"after")]
        )

    def test_but_not_without_end(self) -> None:
        world = self.world(worker=True)
        world.receive(frame(b"x" * (3 * LIMIT + 1)))
        self.assertEqual(world.heard, ["lost"])
        self.assertIn(b"\x03\xf1", world.sent)

    def test_in_fragments_and_behind_odd_frames_too(self) -> None:
        world = self.world(worker=True)
        half = b"x" * (3 * LIMIT // 2)
        world.receive(frame(b"", PONG), frame(half, fin=False), frame(half, CONTINUATION))
        self.assertEqual(world.heard, [("text", 2 * half)])

    def test_a_stranger_is_closed_as_before(self) -> None:
        world = self.world(worker=False)
        world.receive(frame(b"x" * (LIMIT + 1)))
        self.assertEqual(world.heard, ["lost"])
        self.assertIn(b"\x03\xf1", world.sent)

    def test_nobody_is_asked_who_they_are_before_they_go_over_the_limit(self) -> None:
        world = self.world(worker=False)
        world.receive(frame(b"x" * LIMIT))
        self.assertEqual(self.asked, 0)


class RateTests(SynchronousTestCase):
    def world(self, is_exempt: Callable[[object], bool]) -> World:
        return World(rate=10, burst=20, is_exempt=is_exempt)

    def test_who_sends_too_much_is_read_later_and_loses_nothing(self) -> None:
        world = self.world(lambda session: False)
        world.receive(frame(b"a") * 25)
        self.assertEqual(len(world.heard), 25)
        self.assertNotIn(world.wire, world.wire.reactor.readers)
        world.advance(0.4)
        self.assertNotIn(world.wire, world.wire.reactor.readers)
        world.advance(0.2)
        world.receive(frame(b"b"))
        self.assertEqual(world.heard[-1], ("text", b"b"))

    def test_who_is_not_read_is_not_held_to_answer(self) -> None:
        world = self.world(lambda session: False)
        world.receive(frame(b"a") * 19)
        self.assertEqual(world.channel.excused, [])
        world.receive(frame(b"a") * 6)
        (excused,) = world.channel.excused
        self.assertApproximates(excused, 0.5, 0.05)

    def test_bytes_count_as_messages_do(self) -> None:
        for before in (b"", frame(b"", PONG)):
            world = self.world(lambda session: False)
            world.receive(before, *[frame(b"x" * LIMIT)] * 15)  # each costs almost three
            self.assertNotIn(world.wire, world.wire.reactor.readers)

    def test_so_do_pings_and_fragments(self) -> None:
        fragments = frame(b"", fin=False) + frame(b"", CONTINUATION, fin=False) * 20
        for flood in (frame(b"", PONG) * 20, frame(b"", PING) * 20, fragments):
            world = self.world(lambda session: False)
            world.receive(flood)
            self.assertNotIn(world.wire, world.wire.reactor.readers)

    def test_so_does_what_a_message_makes_us_do(self) -> None:
        world = self.world(lambda session: False)
        world.channel.on_text = lambda data: world.channel.session.meter.charge(25)
        world.receive(frame(b"a"))
        self.assertNotIn(world.wire, world.wire.reactor.readers)
        world.advance(1)
        self.assertIn(world.wire, world.wire.reactor.readers)

    def test_so_is_who_goes_by_autobahn(self) -> None:
        world = self.world(lambda session: False)
        world.receive(frame(b"", PONG), frame(b"a") * 25)
        self.assertNotIn(world.wire, world.wire.reactor.readers)

    def test_nobody_is_read_before_everything_is_paid_for(self) -> None:
        for before in (b"", frame(b"", PONG)):  # by Autobahn message for message
            world = self.world(lambda session: False)
            world.receive(before + frame(b"a") * 120)
            for _ in range(98):
                world.advance(0.1)
                self.assertNotIn(world.wire, world.wire.reactor.readers)
            world.advance(0.5)
            self.assertIn(world.wire, world.wire.reactor.readers)
            self.assertIsNone(world.deadlines.next)

    def test_the_worker_may_send_as_much_as_it_likes(self) -> None:
        world = self.world(lambda session: True)
        for _ in range(10):
            world.receive(frame(b"a") * 25)
        self.assertEqual(len(world.heard), 250)

    def test_a_connection_that_went_meanwhile_is_left_alone(self) -> None:
        world = self.world(lambda session: False)
        world.receive(frame(b"a") * 25)
        world.wire.abortConnection()
        world.advance(10)
        self.assertEqual(world.heard[-1], "lost")
        self.assertNotIn(world.wire, world.wire.reactor.readers)


class TurnTests(SynchronousTestCase):
    """Nobody has the reactor's whole turn."""

    MANY = 5 * SLICE

    def world(self, cost: float) -> World:
        world = World()
        later = count(1)  # no two looks at a clock see the same
        seconds = world.wire.reactor.seconds
        world.deadlines.clock = lambda: seconds() + next(later) * 1e-12
        world.channel.on_text = lambda data: world.channel.session.meter.charge(cost)
        return world

    def test_a_flood_is_heard_over_several_turns_in_order_and_whole(self) -> None:
        for before in (b"", frame(b"", PONG)):
            world = self.world(4)
            world.receive(before)
            numbers = [b"%d" % number for number in range(self.MANY)]
            world.receive(b"".join(map(frame, numbers)))
            turns = [len(world.heard)]
            while turns[-1] < self.MANY:
                world.advance(1e-6)
                turns.append(len(world.heard))
                self.assertLess(turns[-1] - turns[-2], SLICE // 2, "heard in one turn")
            self.assertEqual(world.heard, [("text", number) for number in numbers])
            self.assertIn(world.wire, world.wire.reactor.readers)

    def test_what_is_cheap_is_heard_at_once(self) -> None:
        world = self.world(0)
        world.receive(frame(b"a") * (SLICE // 2))
        self.assertEqual(len(world.heard), SLICE // 2)

    def test_what_a_transport_had_read_already_waits_for_its_turn(self) -> None:
        world = self.world(4)
        world.receive(frame(b"a") * SLICE)
        world.connection.dataReceived(frame(b"b"))  # as TLS does
        self.assertNotIn(("text", b"b"), world.heard)
        for _ in range(20):
            world.advance(1e-6)
        self.assertEqual(world.heard, [("text", b"a")] * SLICE + [("text", b"b")])

    def test_a_close_behind_a_flood_is_answered_after_it(self) -> None:
        world = self.world(4)
        world.receive(frame(b"a") * SLICE + close())
        for _ in range(20):
            world.advance(1e-6)
        self.assertEqual(len(world.heard), SLICE + 1)
        self.assertEqual(world.heard[-1], "lost")

    def test_a_peer_that_goes_meanwhile_is_heard_to_its_end(self) -> None:
        for before in (b"", frame(b"", PONG)):
            for reason in (ConnectionLost(), ConnectionDone()):
                world = self.world(4)
                world.receive(before)
                world.receive(frame(b"a") * SLICE + frame(b"last") + b"\x81")
                world.wire.connectionLost(Failure(reason))
                self.assertNotIn("lost", world.heard)
                self.assertFalse(world.connection.write(b"x"))
                for _ in range(20):
                    world.advance(1e-6)
                words = [("text", b"a")] * SLICE + [("text", b"last"), "lost"]
                self.assertEqual(world.heard, words)
                self.assertIsNone(world.deadlines.next)

    def test_a_peer_that_said_its_end_in_the_middle_is_not_waited_for(self) -> None:
        world = self.world(4)
        world.receive(frame(b"a") * SLICE + close() + frame(b"b"))
        world.wire.connectionLost()
        for _ in range(20):
            world.advance(1e-6)
        self.assertEqual(world.heard, [("text", b"a")] * SLICE + ["lost"])

    def test_a_peer_that_left_nothing_is_gone_at_once(self) -> None:
        world = World(rate=10, burst=20)
        world.receive(frame(b"a") * 100)  # for seconds it is not read
        world.wire.connectionLost()
        self.assertEqual(world.heard[-1], "lost")

    def test_an_error_in_a_later_slice_costs_the_connection(self) -> None:
        for gone in (False, True):
            world = self.world(4)
            world.receive(frame(b"a") * SLICE)
            world.channel.on_text = lambda data: 1 / 0
            if gone:
                world.wire.connectionLost()
            self.assertRaises(ZeroDivisionError, world.advance, 1e-6)
            world.advance(1e-6)
            self.assertEqual(world.heard[-1], "lost")

    def test_a_connection_that_goes_meanwhile_is_not_heard_any_more(self) -> None:
        world = self.world(4)
        world.receive(frame(b"a") * SLICE)
        world.wire.abortConnection()
        world.advance(1)
        self.assertEqual(world.heard[-1], "lost")
        self.assertIsNone(world.deadlines.next)
