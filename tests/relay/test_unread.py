"""What is made for one client alone, and not read, is bounded."""

from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.outbox import BOUND
from gateway.engineio.packet import OVERHEAD
from gateway.relay.lagging import SlowClientLimits
from tests.engineio.world import text
from tests.relay.world import KEYED, PollingClient, RelayWorld, WebSocketClient

NEVER_SLOW = SlowClientLimits(stall=10.0**9, longest_stall=10.0**9)
"""Nobody is too slow here: the bound holds at once, and by itself."""


class UnreadTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = RelayWorld(eio3=True, slow_client_limits=NEVER_SLOW)

    def say_until_it_ends(
        self, client: WebSocketClient | PollingClient, say: Callable[[], object], each: int
    ) -> None:
        """`say` makes one answer of at least `each` bytes, which nobody reads."""
        most = BOUND // (each + OVERHEAD) + 100
        for number in range(most):
            if not client.session.is_open:
                self.assertGreater(number, BOUND // (each + OVERHEAD) // 3, "too early")
                self.assertEqual(client.session.outbox.unread.bytes, 0)
                self.assertGreater(self.world.relay.slow.counters.evicted, 0)
                return
            say()
            self.world.flush()
            self.assertLess(client.session.outbox.unread.bytes, BOUND + 100_000)
        self.fail("it never ended")

    def test_joins_that_nobody_reads(self) -> None:
        for client in (self.world.client(), self.world.poller()):
            client.pending = None
            if isinstance(client, WebSocketClient):
                client.wire.full = True
            self.say_until_it_ends(client, lambda client=client: client.say("41", "40"), 30)

    def test_pings_of_old_clients_before_they_join(self) -> None:
        client = WebSocketClient(self.world, EIO="3")
        self.world.wait(1)
        client.wire.full = True
        self.say_until_it_ends(client, lambda: client.say("2" + "x" * 50_000), 50_000)

    def test_refusals_to_speak(self) -> None:
        self.world.watcher.admit = lambda session, auth: False
        client = self.world.client()
        client.wire.full = True
        self.say_until_it_ends(client, lambda: client.emit("a" * 100), 150)

    def test_answers_of_others(self) -> None:
        asker, answerer = self.world.client(), self.world.client()
        asker.wire.full = True

        def ask() -> None:
            asker.emit("question", id=1)
            self.world.flush()
            (question,) = [each for each in answerer.heard if "question" in str(each)]
            digits = str(question)[2:].partition("[")[0]
            answerer.say(f'43{digits}["{"x" * 20_000}"]')

        self.say_until_it_ends(asker, ask, 20_000)

    def test_who_reads_may_be_answered_for_ever(self) -> None:
        client = self.world.client()
        for _ in range(BOUND // OVERHEAD // 50):
            client.say(*["41", "40"] * 50)
            self.world.flush()
        self.assertTrue(client.is_open)
        self.assertEqual(client.session.outbox.unread.bytes, 0)

    def test_an_answer_to_who_has_left_comes_once_and_is_counted_once(self) -> None:
        for others in ((), ("/b",), ("/b", "/c")):
            world = RelayWorld(namespaces=("/", "/b", "/c"))
            client = WebSocketClient(world)
            world.flush()
            for name in others:
                client.join(name)
            self.assertEqual(client.session.outbox.unread.bytes, 0)
            client.say("40", "41", "40", "41", *[f"41{name}," for name in others])
            waits = client.session.outbox.unread.bytes
            self.assertGreater(waits, 2 * OVERHEAD)
            self.assertLess(waits, 3 * OVERHEAD)
            world.flush()
            answers = [each for each in map(str, client.heard) if each.startswith("40{")]
            self.assertEqual(len(answers), 2)
            self.assertEqual(client.session.outbox.unread.bytes, 0)

    def test_two_of_the_largest_may_wait(self) -> None:
        for largest in ("in the log", "in the answers"):
            self.setUp()
            client, other = self.world.client(), self.world.client()
            client.wire.full = True
            other.emit("what the transport still takes")
            self.world.flush()
            if largest == "in the log":
                other.emit("x" * BOUND)
                self.world.flush()
            size = BOUND - 10_000
            for _ in range(2):
                client.session.send(text("4" + "x" * size))
                self.world.flush()
                self.assertTrue(client.is_open, largest)
            client.session.send(text("4" + "x" * size))
            self.world.flush()
            self.assertFalse(client.is_open, largest)

    def test_it_counts_as_lag(self) -> None:
        client = self.world.client()
        client.wire.full = True
        client.emit("fill", id=1)
        client.session.send(text("4" + "x" * 1000))
        self.world.flush()
        client.session.send(text("4" + "x" * 1000))
        self.world.flush()
        (subscription,) = self.world.hub.members.values()
        self.assertGreaterEqual(subscription.lag, 1000 + OVERHEAD)
        client.wire.drain()
        self.world.flush()
        self.assertEqual(subscription.lag, 0)

    def test_a_snapshot_is_everybodys_and_does_not_count(self) -> None:
        speaker = self.world.client()
        self.world.watcher.trusted.add(speaker.reply["sid"])
        for number in range(30):
            speaker.emit(KEYED, {"code": str(number), "text": "x" * 100_000})
        self.world.flush()
        late = WebSocketClient(self.world)
        self.world.flush()
        late.wire.full = True
        late.say("40")
        self.world.flush()
        self.assertTrue(late.is_open)
        (subscription,) = [each for each in self.world.hub.members.values() if each.lag]
        self.assertGreater(subscription.lag, 3_000_000)
        late.say("41")
        self.world.flush()
        self.assertLess(late.session.outbox.unread.bytes, 10_000)
        self.assertTrue(late.is_open)
