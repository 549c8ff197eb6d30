"""How large and how many the messages of a WebSocket may be."""

from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from tests.web.peer import CONTINUATION, PONG, frame, said
from tests.web.test_websocket import LIMIT, World

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
    def world(self, is_worker: Callable[[object], bool]) -> World:
        return World(rate=10, burst=20, is_worker=is_worker)

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
        world.receive(frame(b"a") * 20)
        self.assertEqual(world.channel.excused, [])
        world.receive(frame(b"a") * 5)
        self.assertEqual(world.channel.excused, [0.5])

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
            world.advance(0.3)
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
