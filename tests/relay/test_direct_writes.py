"""What is sent straight to sockets, for all members of a view in a row."""

import errno

from twisted.trial.unittest import SynchronousTestCase

from tests.fuzz.whole import Whole
from tests.web.peer import ANSWER, PING, PONG, REQUEST, TEXT, frame, frames
from tests.web.wire import Wire


class DirectWriteTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = Whole()
        self.sender, self.slow, self.other = (self.join() for _ in range(3))
        self.sent = 0

    def join(self) -> Wire:
        wire = self.world.connect()
        for part in (REQUEST, frame(b"40")):
            wire.protocol.dataReceived(part)
        self.world.turn()
        return wire

    def say(self) -> None:
        self.sent += 1
        self.sender.protocol.dataReceived(frame(b'42["e",%d]' % self.sent))
        self.world.turn()

    def heard(self, wire: Wire) -> list[tuple[int, bytes]]:
        """The frames after the opening packet and the answer to CONNECT."""
        return list(frames(wire.received.removeprefix(ANSWER)))[2:]

    def events(self) -> list[tuple[int, bytes]]:
        return [(TEXT, b'42["e",%d]' % number) for number in range(1, self.sent + 1)]

    def test_the_rest_of_a_write_comes_before_what_is_said_later(self) -> None:
        self.slow.kernel.room = 5
        self.say()
        self.slow.kernel.room = None  # it has room now, and nothing may overtake the rest
        self.say()
        self.slow.take()
        self.world.turn()
        self.say()
        for wire in (self.slow, self.other):
            self.assertEqual(self.heard(wire), self.events())

    def test_a_full_socket_is_asked_once_and_gets_all_later(self) -> None:
        self.slow.kernel.room = 0
        self.say()
        calls = self.slow.kernel.calls
        self.say()
        self.assertEqual(self.slow.kernel.calls, calls)
        self.assertEqual(self.heard(self.slow), [])
        self.slow.take()
        self.world.turn()
        self.assertEqual(self.heard(self.slow), self.events())

    def test_an_answer_of_the_transport_is_not_overtaken(self) -> None:
        self.slow.kernel.room = 3
        self.slow.protocol.dataReceived(frame(b"are you there?", PING))
        self.slow.kernel.room = None
        self.say()
        self.say()
        self.slow.take()
        self.world.turn()
        self.say()
        self.assertEqual(self.heard(self.slow), [(PONG, b"are you there?"), *self.events()])
        self.assertEqual(self.heard(self.other), self.events())

    def test_a_socket_that_fails_costs_its_client_alone(self) -> None:
        self.slow.kernel.error = errno.EBADF
        self.say()
        self.say()
        self.slow.turn()
        self.assertIsNotNone(self.slow.why)
        self.say()
        self.assertEqual(self.heard(self.other), self.events())

    def test_all_that_were_sent_to_are_counted(self) -> None:
        self.slow.protocol.dataReceived(frame(b"", PING))
        (hub,) = self.world.relay.hubs.values()
        before = hub.log.traffic.bytes
        self.say()
        self.assertEqual(hub.log.traffic.deliveries, 3)
        self.assertEqual(hub.log.traffic.bytes - before, 3 * len(b'..42["e",1]'))
