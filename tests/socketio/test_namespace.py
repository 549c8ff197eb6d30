"""Acknowledgment ids."""

from __future__ import annotations

from itertools import islice

from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.deadlines import Deadlines
from gateway.relay.relay import Relay
from gateway.relay.settings import RelaySettings
from gateway.socketio.handlers import Handlers
from gateway.socketio.namespace import FIRST_ACK_ID, ack_ids
from tests.relay.world import Watcher

JAVA = 1 << 31
"""Java's client reads ids as `int`, and cuts itself off at more."""


class AckIdTests(SynchronousTestCase):
    def test_they_follow_each_other_from_a_random_one_on(self) -> None:
        firsts = []
        for _ in range(100):
            first, second, third = islice(ack_ids(), 3)
            self.assertEqual((second, third), (first + 1, first + 2))
            firsts.append(first)
        self.assertEqual(len(set(firsts)), 100)
        self.assertGreater(max(firsts), FIRST_ACK_ID // 2)

    def test_every_client_can_read_a_billion_of_them(self) -> None:
        self.assertLessEqual(FIRST_ACK_ID + 10**9, JAVA)

    def test_both_kinds_of_namespace_count_so(self) -> None:
        relays = [
            Relay(
                RelaySettings(),
                Deadlines(lambda: 0.0),
                lambda *_: None,
                Watcher(),
                wall=lambda: 0.0,
            )
            for _ in range(2)
        ]
        for pair in ([Handlers(), Handlers()], [relay.hubs["/"] for relay in relays]):
            first, second = (next(each.ack_ids) for each in pair)
            self.assertNotEqual(first, second)
