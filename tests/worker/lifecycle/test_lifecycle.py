"""The life-cycle: who asks gets the truth, and there is one worker."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.common.attempt import AGAIN
from gateway.contract import (
    FailedAtOnceError,
    GoingDownError,
    LaunchError,
    SupersededError,
    WorkerError,
)
from gateway.worker.lifecycle.states import Fatal, Running, Stopping
from gateway.worker.lifecycle.transitions import RETRY, STUCK

from .bench import Bench


class LifecycleTests(SynchronousTestCase):
    def bench(self, **changes: object) -> Bench:
        return Bench(Path(self.mktemp()), **changes)

    # -- restarts ---------------------------------------------------------------------

    def test_a_restart_tells_old_end_and_new(self) -> None:
        bench = self.bench()
        old = bench.up()
        answer = bench.lifecycle.restart()
        bench.time.advance(2)
        old.die(cause=None, code=0, sent="SIGINT")
        self.assertNoResult(answer)
        old.reap()
        bench.run.begin()
        self.assertNoResult(answer)
        bench.run.settle()
        proof = {"signal": "SIGINT", "exitCode": 0, "exitSignal": None}
        facts = self.successResultOf(answer)
        self.assertEqual(facts.pop("ended"), {**proof, "seconds": None} | {"seconds": 2.0})
        self.assertEqual(facts, {"oldPid": old.pid, "newPid": bench.run.pid})

    def test_the_next_starts_only_when_the_old_tree_is_gone(self) -> None:
        bench = self.bench()
        old = bench.up()
        bench.lifecycle.restart()
        old.die(code=0)
        bench.time.advance(9)
        self.assertEqual(len(bench.world.runs), 1)
        old.reap()
        self.assertEqual(len(bench.world.runs), 2)

    def test_a_start_that_a_gateway_was_killed_before_it_counted_is_counted_by_the_next(
        self,
    ) -> None:
        folder = Path(self.mktemp())
        for counted in (True, False):
            first = Bench(folder)
            left = first.up()
            used = first.limits.used
            left.counted = counted
            second = Bench(folder, first)
            second.adopt(left).resume()
            self.assertEqual(second.limits.used, used if counted else used + 1)
            self.assertTrue(second.run.counted)

    def test_an_exit_that_was_told_late_has_the_time_at_which_it_was(self) -> None:
        first = self.bench()
        second = Bench(Path(self.mktemp()), first)
        run = second.adopt(first.up())
        run.told_late = 7.0
        run.resume()
        run.crash()
        (ending,) = second.lifecycle.last_exits
        self.assertEqual(ending.when, second.time.wall() - 7)

    def test_fifty_restarts_at_once_are_one(self) -> None:
        bench = self.bench()
        old = bench.up()
        answers = [bench.lifecycle.restart() for _ in range(50)]
        old.crash()
        bench.run.begin()
        bench.run.settle()
        told = [self.successResultOf(answer) for answer in answers]
        self.assertEqual(len(bench.world.runs), 2)
        self.assertEqual({facts["newPid"] for facts in told}, {bench.run.pid})

    def test_a_restart_during_a_start_gets_a_newer_worker(self) -> None:
        """It may bring new keys; but an interpreter that starts is not interrupted."""
        bench = self.bench()
        bench.lifecycle.begin()
        first = bench.run
        first.begin()
        answer = bench.lifecycle.restart()
        self.assertIsNone(first.asked_at)
        first.settle()
        self.assertIsNotNone(first.asked_at)
        first.crash()
        bench.run.begin()
        bench.run.settle()
        facts = self.successResultOf(answer)
        self.assertEqual((facts["oldPid"], facts["newPid"]), (first.pid, bench.run.pid))

    def test_a_restart_during_a_start_that_fails_starts_at_once(self) -> None:
        bench = self.bench()
        bench.lifecycle.begin()
        bench.run.begin()
        answer = bench.lifecycle.restart()
        bench.run.crash()
        bench.run.begin()
        bench.run.settle()
        self.assertEqual(self.successResultOf(answer)["newPid"], bench.run.pid)

    def test_a_worker_that_ends_at_once_fails_the_request_with_its_last_words(self) -> None:
        bench = self.bench()
        answer = bench.lifecycle.start()
        bench.run.begin()
        bench.run.last_stderr = ["Traceback", "SyntaxError: bad"]
        bench.run.crash(code=1)
        error = self.failureResultOf(answer, FailedAtOnceError).value
        self.assertIn("SyntaxError: bad", error.details)
        self.assertIn("code 1", error.details)
        self.assertEqual(bench.state, "backoff")

    def test_a_worker_that_can_not_be_launched_fails_the_request_with_the_reason(self) -> None:
        bench = self.bench()
        answer = bench.lifecycle.start()
        bench.run.error = LaunchError("main.py is missing", "there is no file")
        bench.run.crash(code=None, failure="main.py is missing", permanent=True)
        self.assertEqual(self.failureResultOf(answer).value, bench.run.error)
        self.assertEqual(bench.state, "fatal")

    # -- start and stop ---------------------------------------------------------------

    def test_a_start_while_one_runs_is_answered_at_once(self) -> None:
        bench = self.bench()
        run = bench.up()
        self.assertEqual(self.successResultOf(bench.lifecycle.start()), {"pid": run.pid})
        self.assertEqual(len(bench.world.runs), 1)

    def test_a_start_joins_one_that_is_under_way(self) -> None:
        bench = self.bench()
        answers = [bench.lifecycle.start(), bench.lifecycle.start()]
        bench.run.begin()
        bench.run.settle()
        for answer in answers:
            self.assertEqual(self.successResultOf(answer), {"pid": bench.run.pid})

    def test_a_stop_is_answered_when_the_tree_is_gone(self) -> None:
        bench = self.bench()
        run = bench.up()
        answer = bench.lifecycle.stop()
        run.die(code=0)
        self.assertNoResult(answer)
        run.reap()
        self.assertEqual(self.successResultOf(answer)["oldPid"], run.pid)
        self.assertEqual(bench.state, "stopped")

    def test_a_stop_without_a_worker_is_answered_at_once(self) -> None:
        bench = self.bench()
        self.assertEqual(self.successResultOf(bench.lifecycle.stop()), {})
        bench.up().crash()
        self.assertEqual(bench.state, "backoff")
        self.assertEqual(self.successResultOf(bench.lifecycle.stop()), {})
        bench.time.advance(1000)
        self.assertEqual(len(bench.world.runs), 1)

    def test_a_later_stop_fails_those_who_wait_for_a_start(self) -> None:
        bench = self.bench()
        run = bench.up()
        restart = bench.lifecycle.restart()
        stop = bench.lifecycle.stop()
        self.failureResultOf(restart, SupersededError)
        run.crash()
        self.successResultOf(stop)
        self.assertEqual((bench.state, len(bench.world.runs)), ("stopped", 1))

    def test_a_later_restart_starts_after_a_stop_and_both_are_answered(self) -> None:
        bench = self.bench()
        run = bench.up()
        stop, restart = bench.lifecycle.stop(), bench.lifecycle.restart()
        run.crash()
        self.successResultOf(stop)
        bench.run.begin()
        bench.run.settle()
        self.assertEqual(self.successResultOf(restart)["oldPid"], run.pid)

    def test_a_restart_after_a_crash_doesnt_wait_for_the_pause(self) -> None:
        bench = self.bench()
        run = bench.up()
        run.die()
        answer = bench.lifecycle.restart()
        run.reap()
        bench.run.begin()
        bench.run.settle()
        self.assertEqual(self.successResultOf(answer)["oldPid"], run.pid)

    def test_a_restart_in_backoff_or_fatal_starts_at_once(self) -> None:
        for changes in ({}, {"fatal_after": 1}):
            bench = self.bench(**changes)
            bench.up().crash()
            answer = bench.lifecycle.restart()
            bench.run.begin()
            bench.run.settle()
            self.assertIsNone(self.successResultOf(answer)["oldPid"])
            bench.time.advance(1000)
            self.assertEqual(len(bench.world.runs), 2)

    def test_after_shutdown_nothing_is_started(self) -> None:
        bench = self.bench()
        run = bench.up()
        answers = [bench.lifecycle.shut_down(), bench.lifecycle.shut_down()]
        for ask in (bench.lifecycle.start, bench.lifecycle.restart):
            self.assertRaises(GoingDownError, ask)
        bench.lifecycle.renew("a file changed", states=(Running, Stopping))
        bench.lifecycle.kill()
        self.assertTrue(run.killed)
        run.crash()
        for answer in answers:
            self.successResultOf(answer)
        self.assertEqual((bench.state, len(bench.world.runs)), ("stopped", 1))

    def test_a_worker_that_nothing_ends_is_told(self) -> None:
        bench = self.bench()
        run = bench.up()
        stop, restart = bench.lifecycle.stop(), bench.lifecycle.restart()
        bench.time.advance(35 + 5 + bench.settings.patience_strays + STUCK)
        for answer in (stop, restart):
            self.assertEqual(
                self.failureResultOf(answer, WorkerError).value.details, run.stuck_details
            )
        later = bench.lifecycle.restart()
        bench.time.advance(STUCK)
        self.failureResultOf(later, WorkerError)
        self.assertEqual((bench.state, len(bench.world.runs)), ("stopping", 1))
        last = bench.lifecycle.restart()
        run.crash()
        bench.run.begin()
        bench.run.settle()
        self.successResultOf(last)

    def test_a_request_does_not_prolong_the_time_in_which_what_is_left_must_be_gone(self) -> None:
        bench = self.bench()
        run = bench.up()
        run.die(code=1)
        bench.time.advance(bench.settings.patience_strays)
        answer = bench.lifecycle.restart()
        bench.time.advance(STUCK)
        self.assertEqual(self.failureResultOf(answer, WorkerError).value.details, run.stuck_details)
        run.reap()
        bench.time.advance(100)
        self.assertEqual((bench.state, bench.time.getDelayedCalls()), ("starting", []))

    # -- by itself ----------------------------------------------------------------------

    def test_a_crash_is_followed_by_a_start_after_a_pause(self) -> None:
        bench = self.bench()
        bench.up().crash()
        self.assertEqual(bench.state, "backoff")
        self.assertEqual(bench.next_start, (bench.time.wall() + 0.5, 0.5))
        bench.time.advance(0.49)
        self.assertEqual(len(bench.world.runs), 1)
        bench.time.advance(0.01)
        self.assertEqual((bench.state, len(bench.world.runs)), ("starting", 2))

    def test_every_change_is_told(self) -> None:
        bench = self.bench(fatal_after=2)
        bench.up().crash()
        bench.time.advance(0.5)
        bench.run.begin()
        bench.run.crash()
        self.assertEqual(
            ", ".join(bench.told),
            "starting, running, exit of 1, backoff, starting, exit of 2, fatal",
        )

    def test_the_exit_of_an_old_generation_changes_nothing(self) -> None:
        bench = self.bench()
        old = bench.up()
        bench.lifecycle.restart()
        old.crash()
        bench.run.begin()
        old.settle()
        self.assertEqual(bench.state, "starting")
        bench.run.settle()
        for late in (old.die, old.reap, old.settle):
            late()
        bench.lifecycle.reports.started(old)
        self.assertEqual((bench.state, bench.run.alive), ("running", True))
        self.assertEqual(bench.limits.used, 2)

    def test_machines_respect_states_people_chose(self) -> None:
        bench = self.bench()
        bench.lifecycle.renew("scheduled", states=(Running, Fatal))
        self.assertEqual(bench.world.runs, [])
        run = bench.up()
        bench.lifecycle.renew("scheduled", states=(Running, Fatal))
        self.assertIsNotNone(run.asked_at)

    def test_a_schedule_in_fatal_tries_once(self) -> None:
        bench = self.bench(fatal_after=1)
        bench.up().crash()
        for tries in (2, 3):
            bench.lifecycle.renew("scheduled", states=(Running, Fatal))
            bench.run.begin()
            bench.run.crash()
            self.assertEqual((bench.state, len(bench.world.runs)), ("fatal", tries))

    # -- what raises ----------------------------------------------------------------------

    def raising(self, thing: object, name: str) -> None:
        """The next call of that raises, and no other."""
        call = getattr(thing, name)

        def once(*arguments: object) -> object:
            setattr(thing, name, call)
            raise OSError(24, "Too many open files")

        setattr(thing, name, once)

    def test_an_end_that_could_not_be_asked_for_is_asked_for_again_soon(self) -> None:
        bench = self.bench()
        run = bench.up()
        self.raising(run, "end")
        bench.lifecycle.stop()
        self.assertEqual((bench.state, run.asked_at), ("stopping", None))
        bench.time.advance(AGAIN)
        self.assertIsNotNone(run.asked_at)

    def test_an_exit_that_could_not_be_judged_is_followed_by_a_start(self) -> None:
        bench = self.bench()
        run = bench.up()
        self.raising(bench.backoff, "verdict")
        run.crash()
        self.assertEqual((bench.state, bench.next_start[1]), ("backoff", RETRY))

    def test_a_pause_that_could_not_be_noted_hides_no_exit(self) -> None:
        bench = self.bench()
        run = bench.up()
        self.raising(bench.limits, "record_error")
        run.crash("ban")
        self.assertEqual((bench.told[-2:], bench.state), (["exit of 1", "backoff"], "backoff"))
