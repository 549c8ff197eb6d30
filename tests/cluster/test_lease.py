"""When the lease's hands ask, and what they make of the answers."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.cluster.election import Record
from gateway.cluster.lease import Lease
from gateway.cluster.resp import RedisError
from gateway.cluster.terms import Terms
from tests.cluster.links import FakeLink

OTHER = Record("b.1", 4, 5, "run-1")


class LeaseTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.link = FakeLink()
        self.told: list[float | None] = []
        self.is_of_use = True
        self.lease = Lease(
            self.clock,
            self.link,
            ["lease"],
            me="a.1",
            terms=Terms(45),
            clock=self.clock.seconds,
            changed=lambda: self.told.append(self.lease.election.until),
            may_take=lambda: self.is_of_use,
        )
        self.lease.start()

    def pass_time(self, seconds: float) -> None:
        self.clock.pump([0.25] * int(seconds * 4))

    def won(self) -> None:
        self.link.up()
        self.pass_time(46)
        self.assertIsNotNone(self.lease.election.until)
        self.link.asked.clear()

    def test_it_is_won_after_a_lease_and_renewed_at_each_beat(self) -> None:
        self.won()
        self.assertEqual(self.told, [45 + 43])
        self.pass_time(9)
        self.assertEqual([each[0] for each in self.link.asked], ["renew"] * 3)
        self.assertEqual(self.told[-1], 54 + 43)

    def test_it_waits_no_longer_for_what_was_released(self) -> None:
        self.link.redis.record = Record("", 4, 5, "run-1")
        self.link.up()
        self.clock.advance(0)
        self.assertEqual(self.link.redis.record.token, 5)
        self.assertEqual(self.told, [43])

    def test_a_gateway_without_the_log_takes_none_and_keeps_what_it_has(self) -> None:
        self.is_of_use = False
        self.link.redis.record = Record("", 4, 5, "run-1")
        self.link.up()
        self.pass_time(100)
        self.assertEqual(self.link.asked, [])
        self.is_of_use = True
        self.pass_time(0.5)
        self.assertEqual(self.link.redis.record.holder, "a.1")
        self.is_of_use = False
        self.link.asked.clear()
        self.pass_time(9)
        self.assertEqual([each[0] for each in self.link.asked], ["renew"] * 3)

    def test_one_that_another_gateway_has_is_looked_at_twice_a_second(self) -> None:
        self.link.redis.record = OTHER
        self.link.up()
        self.pass_time(4.75)
        self.assertEqual([each[0] for each in self.link.asked], ["look"] * 10)

    def test_it_ends_in_time_though_no_answer_comes(self) -> None:
        self.won()
        self.link.holds = True
        self.pass_time(41)
        self.assertIsNotNone(self.lease.election.until)
        self.pass_time(2)
        self.assertEqual(self.told[-1], None)

    def test_it_ends_in_time_without_a_connection(self) -> None:
        self.won()
        self.link.down()
        self.pass_time(44)
        self.assertEqual(self.told[-1], None)

    def test_a_new_connection_is_asked_at_once(self) -> None:
        self.won()
        self.link.down()
        self.pass_time(10)
        self.link.up()
        self.assertEqual(self.link.asked[-1][0], "renew")
        self.assertEqual(self.lease.election.until, self.clock.seconds() + 43)

    def test_a_server_that_refuses_is_asked_at_each_beat(self) -> None:
        self.link.error = RedisError("READONLY it is a replica")
        self.link.up()
        self.pass_time(29)
        self.assertEqual(len(self.link.asked), 10)

    def test_a_record_that_makes_no_sense_is_asked_for_again(self) -> None:
        self.link.holds = True
        self.link.up()
        for nonsense in ([b"b.1", b"x", b"5", b"run-1"], [b"b.1", None, None, None]):
            (answer, _), self.link.waiting = self.link.waiting[-1], []
            answer(nonsense)
            self.pass_time(3.25)
            self.assertEqual(len(self.link.waiting), 1, nonsense)
        self.assertEqual(len(self.flushLoggedErrors()), 0)

    def test_it_is_released(self) -> None:
        self.won()
        self.successResultOf(self.lease.release())
        self.assertEqual(self.link.redis.record.holder, "")
        self.assertEqual(self.told[-1], None)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_what_comes_after_a_release_changes_nothing(self) -> None:
        self.won()
        self.link.holds = True
        self.pass_time(3)
        released = self.lease.release()
        self.assertNoResult(released)
        self.link.let_go()
        self.successResultOf(released)
        self.assertEqual(self.link.redis.record.holder, "")
        self.link.down()
        self.link.up()
        self.pass_time(50)
        self.assertEqual(self.link.redis.record.holder, "")

    def test_there_is_nothing_to_release_without_it(self) -> None:
        self.link.redis.record = OTHER
        self.link.up()
        self.successResultOf(self.lease.release())
        self.assertEqual(self.link.redis.record, OTHER)

    def test_a_release_waits_for_no_server_that_is_gone(self) -> None:
        self.won()
        self.link.down()
        self.successResultOf(self.lease.release())
