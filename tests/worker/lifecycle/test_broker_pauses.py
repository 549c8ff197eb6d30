"""The life-cycle and the broker: pauses and the budget."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.contract import PausedError
from gateway.worker.lifecycle.states import Fatal, Running

from .bench import Bench


class BrokerTests(SynchronousTestCase):
    def bench(self, **changes: object) -> Bench:
        return Bench(Path(self.mktemp()), **changes)

    def test_a_pause_refuses_restarts_and_the_worker_runs_on(self) -> None:
        bench = self.bench()
        run = bench.up()
        bench.limits.record_error("ban", 1)
        error = self.assertRaises(PausedError, bench.lifecycle.restart)
        self.assertEqual(error.next_start, "2024-03-04T00:01:00.000Z")
        self.assertTrue(run.alive and run.asked_at is None)
        bench.lifecycle.renew("scheduled", states=(Running,))
        self.assertIsNone(run.asked_at)

    def test_force_overrides_a_pause(self) -> None:
        bench = self.bench()
        run = bench.up()
        bench.limits.record_error("ban", 1)
        answer = bench.lifecycle.restart(force=True)
        run.crash()
        bench.run.begin()
        bench.run.settle()
        self.successResultOf(answer)

    def test_a_forced_restart_during_a_start_is_kept_in_a_pause(self) -> None:
        bench = self.bench()
        bench.lifecycle.begin()
        bench.run.begin()
        bench.limits.record_error("ban", 1)
        bench.lifecycle.restart(force=True)
        bench.run.crash(cause="ban")
        self.assertEqual((bench.state, len(bench.world.runs)), ("starting", 2))

    def test_a_pause_that_comes_while_someone_waits_is_told_and_kept(self) -> None:
        bench = self.bench()
        bench.lifecycle.begin()
        bench.run.begin()
        answer = bench.lifecycle.restart()
        bench.limits.record_error("too-many-connections", 1)
        bench.run.crash(cause="too-many-connections")
        self.failureResultOf(answer, PausedError)
        self.assertEqual(bench.next_start[1], 60)
        bench.time.advance(60)
        self.assertEqual(bench.state, "starting")

    def test_a_pause_in_backoff_postpones_the_start(self) -> None:
        bench = self.bench()
        bench.up().crash()
        bench.limits.record_error("ban", 1)
        bench.lifecycle.reconsider()
        self.assertEqual(bench.next_start[1], 60)
        bench.time.advance(59)
        self.assertEqual(len(bench.world.runs), 1)
        bench.time.advance(1)
        self.assertEqual(len(bench.world.runs), 2)

    def test_a_pause_that_grew_while_the_timer_ran_is_kept(self) -> None:
        bench = self.bench()
        bench.up().crash()
        bench.limits.record_error("ban", 1)
        bench.time.advance(0.5)
        self.assertEqual((bench.state, bench.next_start[1]), ("backoff", 59.5))

    def test_a_spent_budget_waits_for_the_next_day_unless_a_person_asks(self) -> None:
        bench = self.bench(budget=1)
        bench.up().crash()
        self.assertEqual(bench.next_start[1], 24 * 3600)
        answer = bench.lifecycle.restart()
        bench.run.begin()
        bench.run.settle()
        self.successResultOf(answer)
        bench.run.crash()
        bench.time.advance(24 * 3600)
        self.assertEqual(bench.state, "starting")

    def test_a_worker_that_logs_in_again_during_a_pause_is_stopped_and_started_after_it(
        self,
    ) -> None:
        for early in (False, True):
            bench = self.bench()
            bench.lifecycle.begin()
            run = bench.run
            run.begin()
            if not early:
                run.settle()
            for _ in range(3):
                bench.time.advance(1)
                bench.lifecycle.reports.broker_refused("ban", 1)
            if early:
                self.assertIsNone(run.asked_at)
                run.settle()
            self.assertIsNotNone(run.asked_at)
            run.die(cause=None, code=0)
            run.reap()
            self.assertEqual((bench.state, bench.next_start[1]), ("backoff", 60))
            self.assertIn("the broker asked for a pause", bench.held_by)
            bench.time.advance(60)
            self.assertEqual((bench.state, len(bench.world.runs)), ("starting", 2))

    def test_keys_that_were_refused_wait_for_a_person(self) -> None:
        bench = self.bench(fatal_after=0)
        bench.lifecycle.begin()
        bench.run.begin()
        bench.run.crash("authentication")
        self.assertEqual(bench.state, "fatal")
        bench.lifecycle.renew("scheduled", states=(Fatal,))
        bench.lifecycle.stop()
        bench.lifecycle.begin()
        self.assertEqual((bench.state, len(bench.world.runs)), ("fatal", 1))
        bench.lifecycle.renew("a file changed", states=(Fatal,), cured=True)
        self.assertEqual(len(bench.world.runs), 2)
        bench.run.begin()
        bench.run.crash("authentication")
        bench.lifecycle.restart()
        self.assertEqual((bench.state, len(bench.world.runs)), ("starting", 3))

    def test_who_asks_in_a_pause_gets_a_worker_when_it_is_over(self) -> None:
        for state, prepare in (
            ("fatal", lambda bench: bench.run.crash("authentication")),
            ("stopped", lambda bench: (bench.lifecycle.stop(), bench.run.crash())),
        ):
            for ask in ("start", "restart"):
                bench = self.bench()
                bench.up()
                prepare(bench)
                self.assertEqual(bench.state, state)
                bench.limits.record_error("ban", 1)
                error = self.assertRaises(PausedError, getattr(bench.lifecycle, ask))
                self.assertTrue(error.next_start)
                self.assertEqual(bench.state, "backoff")
                self.assertEqual(bench.next_start[1], 60)
                bench.time.advance(59)
                self.assertEqual(len(bench.world.runs), 1)
                bench.time.advance(1)
                self.assertEqual((bench.state, len(bench.world.runs)), ("starting", 2))

    def test_a_shortage_is_waited_out(self) -> None:
        bench = self.bench()
        bench.lifecycle.begin()
        for _ in range(20):
            bench.run.crash("shortage", code=None, failure="no process", temporary="shortage")
            bench.time.advance(300)
        self.assertEqual((bench.state, len(bench.world.runs)), ("starting", 21))

    def test_a_gateway_that_starts_within_a_pause_waits(self) -> None:
        folder = Path(self.mktemp())
        Bench(folder).limits.record_error("ban", 1)
        bench = Bench(folder)
        bench.lifecycle.begin()
        self.assertEqual((bench.state, bench.next_start[1]), ("backoff", 60))

    def test_a_day_of_crashing_stays_within_the_budget(self) -> None:
        """A worker that crashes every 40 s after its login, for 24 hours."""
        for cause in ("network", "other", "ban"):
            with self.subTest(cause=cause):
                bench = self.bench(fast=30, budget=50)
                bench.lifecycle.begin()
                for _ in range(24 * 360 - 1):
                    run = bench.run
                    if run.exit is None:
                        if run.pid is None:
                            run.begin()
                            run.settle()
                        elif run.vitals.lived >= 40:
                            bench.limits.record_error(cause, run.generation)
                            run.crash(cause)
                    bench.time.advance(10)
                used = bench.ledger.starts("2024-03-04")
                self.assertTrue(20 < used <= 50, used)
