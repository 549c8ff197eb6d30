"""Who has the lease, and until when."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.cluster.election import Record
from gateway.cluster.terms import Terms
from tests.cluster.elections import Cluster


class ElectionTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.cluster = Cluster()
        self.a, self.b = self.cluster.gateways
        self.b.cut()

    def won(self) -> None:
        """The first gateway has it, and the second looks on."""
        self.cluster.run(46)
        self.b.connected = True
        self.cluster.run(4)
        self.assertEqual(self.cluster.holders, ["a"])

    def test_nobody_has_it_before_a_whole_lease_has_passed(self) -> None:
        self.cluster.run(44.5)
        self.assertEqual(self.cluster.holders, [])
        self.cluster.run(1)
        self.assertEqual(self.cluster.holders, ["a"])

    def test_whoever_renews_keeps_it(self) -> None:
        self.won()
        self.cluster.run(500)
        self.assertEqual(self.cluster.holders, ["a"])
        self.assertEqual(self.cluster.server.record.token, 1)

    def test_a_renewal_counts_from_when_it_was_sent(self) -> None:
        self.won()
        message = self.a.ask()
        sent = self.a.clock()
        self.cluster.now += 20
        self.cluster.arrive(message)
        self.cluster.answer(message)
        self.assertEqual(self.a.election.until, sent + 43)

    def test_one_that_is_cut_off_loses_it_before_another_one_has_it(self) -> None:
        self.won()
        self.a.cut()
        self.cluster.run(41)
        self.assertEqual(self.cluster.holders, ["a"])
        self.cluster.run(2.5)
        self.assertEqual(self.cluster.holders, [])
        self.cluster.run(4.5)
        self.assertEqual(self.cluster.holders, ["b"])
        self.assertEqual(self.cluster.most, 1)

    def test_who_was_given_a_shorter_lease_waits_for_the_holders(self) -> None:
        self.b.terms = Terms(10)
        self.b.begin()
        self.won()
        self.a.cut()
        self.cluster.run(38)
        self.assertEqual(self.cluster.holders, ["a"])
        self.cluster.server.record = None  # the server does not know it any more, but b does
        self.cluster.run(44)
        self.assertEqual(self.cluster.holders, [])
        self.cluster.run(3)
        self.assertEqual((self.cluster.holders, self.cluster.most), (["b"], 1))

    def test_one_that_comes_back_too_late_has_forgotten_its_token(self) -> None:
        self.won()
        self.b.cut()
        self.a.cut()
        self.cluster.run(44)
        self.a.connected = True
        self.cluster.run(40)
        self.assertEqual(self.cluster.holders, [])
        self.cluster.run(6)
        self.assertEqual(self.cluster.server.record.token, 2)

    def test_what_was_released_is_taken_at_once(self) -> None:
        self.won()
        self.a.stop()
        self.cluster.arrive(self.cluster.under_way[-1])
        self.a.cut()
        self.cluster.run(self.cluster.terms.beat + 0.5)
        self.assertEqual(self.cluster.holders, ["b"])

    def test_what_was_released_in_another_run_is_watched_first(self) -> None:
        self.won()
        self.a.stop()
        self.cluster.arrive(self.cluster.under_way[-1])
        self.cluster.restart(0)
        self.cluster.run(44.5)
        self.assertEqual(self.cluster.holders, [])
        self.cluster.run(1)
        self.assertEqual(len(self.cluster.holders), 1)

    def test_a_server_that_starts_again_costs_nothing(self) -> None:
        self.won()
        self.cluster.restart(0)
        self.cluster.run(100)
        self.assertEqual(self.cluster.holders, ["a"])

    def test_a_server_that_forgot_it_is_told_again(self) -> None:
        self.won()
        self.cluster.server.record = None
        self.cluster.run(4)
        self.assertEqual(self.cluster.holders, ["a"])
        self.assertEqual(self.cluster.server.record.token, 1)

    def test_also_where_another_one_has_marked_that_there_is_nothing(self) -> None:
        self.won()
        self.cluster.server.record = None
        for _ in range(2):
            self.cluster.round_trip(self.b)
        self.assertTrue(self.cluster.server.record.is_mark)
        self.cluster.run(4)
        self.assertEqual(self.cluster.holders, ["a"])
        self.assertEqual(self.cluster.server.record.holder, "a.1")

    def test_also_where_the_first_answer_to_that_is_lost(self) -> None:
        self.won()
        self.cluster.server.record = None
        self.cluster.round_trip(self.a)
        self.cluster.arrive(self.a.ask())
        self.a.cut()
        self.a.connected = True
        self.cluster.run(100)
        self.assertEqual(self.cluster.holders, ["a"])

    def test_the_token_grows_though_the_server_went_back(self) -> None:
        self.won()
        self.a.cut()
        self.cluster.run(60)
        self.assertEqual(self.cluster.holders, ["b"])
        self.cluster.restart(10_000)
        self.a.cut()
        self.cluster.server.record = Record("c.9", 1, 5, "run-0")
        self.cluster.run(60)
        self.assertEqual(self.cluster.server.record.token, 3)

    def test_one_that_is_refused_has_it_no_more(self) -> None:
        self.won()
        self.cluster.server.record = Record("c.9", 2, 5, "run-0")
        self.cluster.run(4)
        self.assertEqual(self.cluster.holders, [])

    def test_the_next_process_goes_on_with_it(self) -> None:
        self.won()
        self.a.kill_and_adopt()
        self.cluster.run(100)
        self.assertEqual(self.cluster.holders, ["a"])
        self.assertEqual(self.cluster.server.record.holder, "a.1")

    def test_an_answer_that_comes_too_late_gives_nothing(self) -> None:
        self.won()
        message = self.a.ask()
        self.cluster.arrive(message)
        self.cluster.now += 44
        self.cluster.answer(message)
        self.assertEqual(self.cluster.holders, [])

    def test_one_request_is_under_way_at_a_time(self) -> None:
        self.assertIsNotNone(self.a.ask())
        self.assertIsNone(self.a.ask())


class TermsTests(SynchronousTestCase):
    def test_a_worker_has_its_usual_patience_in_a_long_lease(self) -> None:
        self.assertEqual(Terms(45).patience(10, 5), (10, 5, 1))

    def test_a_long_lease_is_looked_after_as_often(self) -> None:
        self.assertEqual([Terms(lease).beat for lease in (15, 45, 600)], [1, 3, 3])

    def test_a_short_lease_cuts_it(self) -> None:
        interrupt, terminate, last = Terms(20).patience(10, 5)
        self.assertAlmostEqual(interrupt + terminate + last, 0.4 * 18)
        self.assertAlmostEqual(interrupt, 2 * terminate)
