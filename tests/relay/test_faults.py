"""What goes on though a part of it raises."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.engineio.deadlines import Deadlines
from gateway.ops.metrics.gateway import SAMPLE_INTERVAL, ReactorDelay
from gateway.relay.lagging import TICK, SlowClientLimits
from gateway.relay.subscription import Subscription
from tests.relay.world import RelayWorld


class FailingCase(SynchronousTestCase):
    def errors(self) -> int:
        """Exceptions that were logged since the last call."""
        return len(self.flushLoggedErrors(RuntimeError))


def fail(*_: object) -> Any:
    raise RuntimeError("as asked")


class DelayTests(FailingCase):
    def test_the_reactors_delay_is_sampled_again(self) -> None:
        clock = Clock()
        deadlines = Deadlines(clock.seconds)
        delay: Any = ReactorDelay(deadlines)
        counts, delay._counts = delay._counts, None
        for _ in range(2):
            clock.advance(SAMPLE_INTERVAL)
            deadlines.advance()
            delay._counts = counts
        self.flushLoggedErrors(TypeError)
        self.assertEqual(sum(counts), 1)


class TurnTests(FailingCase):
    """One client of three can't be written to; and then again."""

    def setUp(self) -> None:
        self.world = RelayWorld()
        self.sender = self.world.client()
        self.clients = [self.world.client() for _ in range(3)]
        self.first, self.bad, self.last = self.clients

    def say(self, *names: str) -> None:
        for name in names:
            self.sender.emit(name)
        self.world.flush()

    def assert_only_the_bad_one_is_lost(self, *names: str) -> None:
        self.assertEqual([client.session.is_over for client in self.clients], [False, True, False])
        for client in (self.first, self.last):
            self.assertEqual(client.heard, [f'42["{name}"]' for name in names])
        self.say("later")
        for client in (self.first, self.last):
            self.assertEqual(client.heard, ['42["later"]'])
        self.assertEqual((self.world.log.tail, len(self.world.hub.members)), (2, 3))

    def test_a_write_of_a_view(self) -> None:
        self.bad.wire.on_write = fail
        self.say("a")
        self.assertEqual(self.errors(), 1)
        self.assert_only_the_bad_one_is_lost("a")

    def test_who_is_full_before_it_is_known_to_be(self) -> None:
        self.first.wire.full = True
        self.bad.wire.on_write = fail
        self.say("a")
        self.say("b")
        self.assertEqual(self.errors(), 1)
        self.assertEqual(self.first.heard, ['42["a"]'])
        self.first.wire.drain()
        self.assertEqual(self.first.heard, ['42["b"]'])

    def test_a_write_to_who_catches_up_alone(self) -> None:
        for client in self.clients:
            client.emit("own")
        self.world.flush()
        for client in self.clients:
            self.assertEqual(len(client.heard), 2)
        self.bad.wire.on_write = fail
        self.say("a")
        self.errors()
        self.assertEqual(self.first.heard, ['42["a"]'])
        self.assertTrue(self.bad.session.is_over)

    def test_a_poll(self) -> None:
        poller, other = self.world.poller(), self.world.poller()
        poller.pending.on_answer = fail
        self.say("a")
        self.assertEqual(self.errors(), 1)
        self.assertEqual(other.heard, ['42["a"]'])
        self.assertEqual(self.first.heard, ['42["a"]'])

    def test_an_end_that_raises_too(self) -> None:
        self.bad.wire.on_write = fail
        self.world.watcher.left = fail
        self.say("a")
        self.assertEqual(self.errors(), 2)
        self.assertEqual((self.first.heard, self.last.heard), (['42["a"]'], ['42["a"]']))

    def test_events_that_cannot_be_put_into_bytes_cost_those_who_would_get_them(self) -> None:
        choosy = self.world.client(events=["a"], codes=["A"])  # an index can't tell what it wants
        (view,) = self.world.log.views._by_code.views
        view.selection = NoSelection()  # type: ignore[assignment]
        self.say("a")
        self.assertEqual(self.errors(), 1)
        self.assertTrue(choosy.session.is_over)
        for client in self.clients:
            self.assertEqual(client.heard, ['42["a"]'])

    def test_a_tap(self) -> None:
        turns: list[int] = []
        self.world.log.taps += [fail, lambda events: turns.append(len(events))]
        for _ in range(2):
            self.say("a", "b")
        self.assertEqual((turns, self.errors()), ([2, 2], 2))
        self.assertEqual(len(self.first.heard), 4)


class NoSelection:
    wants = fail


class SlowTests(FailingCase):
    def start(self, slow_client_limits: SlowClientLimits, **settings: Any) -> None:
        self.world = RelayWorld(slow_client_limits=slow_client_limits, **settings)
        self.sender, *self.clients = [self.world.client() for _ in range(4)]
        for client in self.clients:
            client.wire.full = True

    def say(self, *names: str) -> None:
        for name in names:
            self.sender.emit(name)
            self.world.flush()

    def breaks(self, kind: type, method: str) -> None:
        """Let that method fail for what belongs to the second client."""
        plain = getattr(kind, method)
        bad = self.clients[1].session.outbox

        def broken(it: Any, *args: Any) -> Any:
            return fail() if getattr(it, "outbox", it) is bad else plain(it, *args)

        self.patch(kind, method, broken)

    @property
    def over(self) -> list[bool]:
        return [client.session.is_over for client in self.clients]

    def test_one_that_cannot_be_judged_is_dropped_and_the_others_are_judged(self) -> None:
        self.start(SlowClientLimits(bytes=10, stall=1, conflate=False))
        self.say(*["x" * 2000] * 6)
        self.breaks(Subscription, "conflate")
        self.world.relay.slow._limits = SlowClientLimits(bytes=10, stall=1)
        self.world.wait(2 * TICK)
        self.assertEqual(self.over, [True, True, True])
        self.assertEqual(self.world.relay.slow.counters.evicted, 2)
        self.assertEqual(self.errors(), 1)

    def test_so_it_is_with_one_that_falls_out_of_the_log(self) -> None:
        self.start(SlowClientLimits(), log_records=5)
        self.breaks(Subscription, "keep")
        self.say(*"abcdefghijkl")
        self.assertEqual(self.over, [False, True, False])
        self.assertEqual(self.errors(), 1)
        good = self.clients[2]
        good.wire.drain()
        self.world.flush()
        self.assertEqual(good.heard, [f'42["{name}"]' for name in "abcdefghijkl"])
