"""The election under drifting clocks, faults of the server, and messages in any order."""

from __future__ import annotations

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from twisted.trial.unittest import SynchronousTestCase

from tests.cluster.elections import Cluster

GATEWAYS = st.integers(0, 2)
RATES = st.sampled_from([0.98, 0.99, 1.0, 1.01, 1.02])
TIMES = st.sampled_from([0.5, 3.0, 12.0, 24.0, 40.0, 43.0, 44.0, 45.0, 46.0])


class Elections(RuleBasedStateMachine):
    """Whatever happens: the spans of life of two workers never overlap.

    A worker lives as long as its guardian lets it, whatever its gateway has learned meanwhile.
    """

    @initialize(rates=st.tuples(RATES, RATES, RATES), first=GATEWAYS | st.none())
    def begin(self, rates, first) -> None:
        """A new cluster, or one in which the gateway `first` has the worker."""
        self.cluster = Cluster(*rates)
        if first is not None:
            self.alone_for(first, 47.0)
            self.cluster.run(4.0)

    def alone_for(self, number, seconds) -> None:
        others = [each for each in self.cluster.gateways if each.name != "abc"[number]]
        for each in others:
            each.cut()
        self.cluster.run(seconds)
        for each in others:
            each.connected = True

    @rule(seconds=TIMES)
    def all_is_well_for(self, seconds) -> None:
        self.cluster.run(seconds)

    @rule(seconds=TIMES)
    def nothing_moves_for(self, seconds) -> None:
        for _ in range(int(seconds * 4)):
            self.cluster.now += 0.25
            self.cluster.look()

    @rule(seconds=TIMES, number=GATEWAYS)
    def one_is_cut_off_for(self, seconds, number) -> None:
        gateway = self.cluster.gateways[number]
        gateway.cut()
        self.cluster.run(seconds)
        gateway.connected = True

    @rule(number=GATEWAYS, there=TIMES, back=TIMES)
    def one_hears_late(self, number, there, back) -> None:
        """Its request, and the answer, take their time; all others go on."""
        message = self.cluster.gateways[number].ask()
        if message is not None:
            self.cluster.run(there)
            if message in self.cluster.under_way and not message.is_done:
                self.cluster.arrive(message)
                self.cluster.run(back)
            if message in self.cluster.under_way and message.is_done:
                self.cluster.answer(message)

    @rule(number=GATEWAYS)
    def one_asks(self, number) -> None:
        self.cluster.gateways[number].ask()

    @rule(number=GATEWAYS)
    def one_asks_and_hears(self, number) -> None:
        self.cluster.round_trip(self.cluster.gateways[number])

    @precondition(lambda self: any(not each.is_done for each in self.cluster.under_way))
    @rule(data=st.data(), twice=st.booleans())
    def a_request_arrives(self, data, twice) -> None:
        waiting = [each for each in self.cluster.under_way if not each.is_done]
        message = data.draw(st.sampled_from(waiting))
        self.cluster.arrive(message, again=twice)

    @precondition(lambda self: any(each.is_done for each in self.cluster.under_way))
    @rule(data=st.data())
    def an_answer_arrives(self, data) -> None:
        self.cluster.answer(
            data.draw(st.sampled_from([each for each in self.cluster.under_way if each.is_done]))
        )

    @rule(number=GATEWAYS)
    def one_is_cut_off(self, number) -> None:
        self.cluster.gateways[number].cut()

    @rule(number=GATEWAYS)
    def one_connects(self, number) -> None:
        self.cluster.gateways[number].connected = True

    @rule(number=GATEWAYS)
    def one_is_killed(self, number) -> None:
        self.cluster.gateways[number].kill_and_adopt()

    @rule(number=GATEWAYS)
    def one_is_stopped(self, number) -> None:
        self.cluster.gateways[number].stop()

    @rule(back=st.sampled_from([0, 0, 1, 2, 3, 5, 10, 30, 10_000]))
    def the_server_starts_again(self, back) -> None:
        self.cluster.restart(back)

    @rule()
    def the_server_forgets(self) -> None:
        self.cluster.server.record = None

    @invariant()
    def there_is_one_worker_at_most(self) -> None:
        cluster = getattr(self, "cluster", None)
        if cluster is not None:
            cluster.look()
            assert cluster.most <= 1, "two workers"


Elections.TestCase.settings = hypothesis_settings(
    max_examples=100, stateful_step_count=60, deadline=None
)


class ElectionModelTests(SynchronousTestCase):
    def test_lives_never_overlap_whatever_happens(self) -> None:
        case = Elections.TestCase("runTest")
        case.runTest()
