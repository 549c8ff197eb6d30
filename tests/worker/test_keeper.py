"""The keeper: who asks gets the truth, and there is one worker."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from twisted.trial.unittest import SynchronousTestCase

from gateway.worker.errors import (
    FailedAtOnceError,
    GoingDownError,
    LaunchError,
    PausedError,
    SupersededError,
    WorkerError,
)
from gateway.worker.governor import Governor
from gateway.worker.keeper import STUCK, Keeper
from gateway.worker.ledger import Ledger
from gateway.worker.policy import Policy

from .fakes import FakeRun, Time, World, settings


class Bench:
    """A keeper with a fake world, and a note of what observers were told."""

    def __init__(self, folder, **changes: object) -> None:
        self.time = Time()
        self.told: list[str] = []
        self.settings = settings(state_dir=folder, **changes)
        self.world = World()
        self.ledger = Ledger(self.settings.state_dir, self.told.append)
        self.governor = Governor(
            self.settings, self.ledger, clock=self.time.seconds, wall=self.time.wall
        )
        self.keeper = Keeper(
            self.time,
            self.settings,
            launch=self.launch,
            governor=self.governor,
            policy=Policy(self.settings, lambda: 0.0),
            observer=self,
            wall=self.time.wall,
        )

    def launch(self, generation: int, keeper: Keeper) -> FakeRun:
        run = FakeRun(generation, keeper, self.time, self.settings, self.world)
        self.world.runs.append(run)
        return run

    def changed(self) -> None:
        self.told.append(self.keeper.state)

    def exited(self, run: FakeRun) -> None:
        self.told.append(f"exit of {run.generation}")

    @property
    def run(self) -> FakeRun:
        return self.world.runs[-1]

    def up(self) -> FakeRun:
        """A running worker."""
        self.keeper.begin()
        self.run.begin()
        self.run.settle()
        return self.run


class KeeperTests(SynchronousTestCase):
    def bench(self, **changes: object) -> Bench:
        return Bench(Path(self.mktemp()), **changes)

    # -- restarts ---------------------------------------------------------------------

    def test_a_restart_tells_old_end_and_new(self) -> None:
        bench = self.bench()
        old = bench.up()
        answer = bench.keeper.restart()
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
        bench.keeper.restart()
        old.die(code=0)
        bench.time.advance(9)
        self.assertEqual(len(bench.world.runs), 1)
        old.reap()
        self.assertEqual(len(bench.world.runs), 2)

    def test_fifty_restarts_at_once_are_one(self) -> None:
        bench = self.bench()
        old = bench.up()
        answers = [bench.keeper.restart() for _ in range(50)]
        old.crash()
        bench.run.begin()
        bench.run.settle()
        told = [self.successResultOf(answer) for answer in answers]
        self.assertEqual(len(bench.world.runs), 2)
        self.assertEqual({facts["newPid"] for facts in told}, {bench.run.pid})

    def test_a_restart_during_a_start_gets_a_newer_worker(self) -> None:
        """It may bring new keys; but an interpreter that starts is not interrupted."""
        bench = self.bench()
        bench.keeper.begin()
        first = bench.run
        first.begin()
        answer = bench.keeper.restart()
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
        bench.keeper.begin()
        bench.run.begin()
        answer = bench.keeper.restart()
        bench.run.crash()
        bench.run.begin()
        bench.run.settle()
        self.assertEqual(self.successResultOf(answer)["newPid"], bench.run.pid)

    def test_a_worker_that_ends_at_once_fails_the_request_with_its_last_words(self) -> None:
        bench = self.bench()
        answer = bench.keeper.start()
        bench.run.begin()
        bench.run.last_words = ["Traceback", "SyntaxError: bad"]
        bench.run.crash(code=1)
        error = self.failureResultOf(answer, FailedAtOnceError).value
        self.assertIn("SyntaxError: bad", error.details)
        self.assertIn("code 1", error.details)
        self.assertEqual(bench.keeper.state, "backoff")

    def test_a_worker_that_can_not_be_launched_fails_the_request_with_the_reason(self) -> None:
        bench = self.bench()
        answer = bench.keeper.start()
        bench.run.error = LaunchError("main.py is missing", "there is no file")
        bench.run.crash(code=None, failure="main.py is missing", hopeless=True)
        self.assertEqual(self.failureResultOf(answer).value, bench.run.error)
        self.assertEqual(bench.keeper.state, "fatal")

    # -- start and stop ---------------------------------------------------------------

    def test_a_start_while_one_runs_is_answered_at_once(self) -> None:
        bench = self.bench()
        run = bench.up()
        self.assertEqual(self.successResultOf(bench.keeper.start()), {"pid": run.pid})
        self.assertEqual(len(bench.world.runs), 1)

    def test_a_start_joins_one_that_is_under_way(self) -> None:
        bench = self.bench()
        answers = [bench.keeper.start(), bench.keeper.start()]
        bench.run.begin()
        bench.run.settle()
        for answer in answers:
            self.assertEqual(self.successResultOf(answer), {"pid": bench.run.pid})

    def test_a_stop_is_answered_when_the_tree_is_gone(self) -> None:
        bench = self.bench()
        run = bench.up()
        answer = bench.keeper.stop()
        run.die(code=0)
        self.assertNoResult(answer)
        run.reap()
        self.assertEqual(self.successResultOf(answer)["oldPid"], run.pid)
        self.assertEqual(bench.keeper.state, "stopped")

    def test_a_stop_without_a_worker_is_answered_at_once(self) -> None:
        bench = self.bench()
        self.assertEqual(self.successResultOf(bench.keeper.stop()), {})
        bench.up().crash()
        self.assertEqual(bench.keeper.state, "backoff")
        self.assertEqual(self.successResultOf(bench.keeper.stop()), {})
        bench.time.advance(1000)
        self.assertEqual(len(bench.world.runs), 1)

    def test_a_later_stop_fails_those_who_wait_for_a_start(self) -> None:
        bench = self.bench()
        run = bench.up()
        restart = bench.keeper.restart()
        stop = bench.keeper.stop()
        self.failureResultOf(restart, SupersededError)
        run.crash()
        self.successResultOf(stop)
        self.assertEqual((bench.keeper.state, len(bench.world.runs)), ("stopped", 1))

    def test_a_later_restart_starts_after_a_stop_and_both_are_answered(self) -> None:
        bench = self.bench()
        run = bench.up()
        stop, restart = bench.keeper.stop(), bench.keeper.restart()
        run.crash()
        self.successResultOf(stop)
        bench.run.begin()
        bench.run.settle()
        self.assertEqual(self.successResultOf(restart)["oldPid"], run.pid)

    def test_a_restart_after_a_crash_doesnt_wait_for_the_pause(self) -> None:
        bench = self.bench()
        run = bench.up()
        run.die()
        answer = bench.keeper.restart()
        run.reap()
        bench.run.begin()
        bench.run.settle()
        self.assertEqual(self.successResultOf(answer)["oldPid"], run.pid)

    def test_a_restart_in_backoff_or_fatal_starts_at_once(self) -> None:
        for changes in ({}, {"fatal_after": 1}):
            bench = self.bench(**changes)
            bench.up().crash()
            answer = bench.keeper.restart()
            bench.run.begin()
            bench.run.settle()
            self.assertIsNone(self.successResultOf(answer)["oldPid"])
            bench.time.advance(1000)
            self.assertEqual(len(bench.world.runs), 2)

    def test_after_shutdown_nothing_is_started(self) -> None:
        bench = self.bench()
        run = bench.up()
        answers = [bench.keeper.shut_down(), bench.keeper.shut_down()]
        for ask in (bench.keeper.start, bench.keeper.restart):
            self.assertRaises(GoingDownError, ask)
        bench.keeper.renew("a file changed", states=("running", "stopping"))
        bench.keeper.kill()
        self.assertTrue(run.killed)
        run.crash()
        for answer in answers:
            self.successResultOf(answer)
        self.assertEqual((bench.keeper.state, len(bench.world.runs)), ("stopped", 1))

    def test_a_worker_that_nothing_ends_is_told(self) -> None:
        bench = self.bench()
        run = bench.up()
        stop, restart = bench.keeper.stop(), bench.keeper.restart()
        bench.time.advance(35 + 5 + 1 + STUCK)
        for answer in (stop, restart):
            self.assertIn("SIGKILL", self.failureResultOf(answer, WorkerError).value.details)
        later = bench.keeper.restart()
        bench.time.advance(STUCK)
        self.failureResultOf(later, WorkerError)
        self.assertEqual((bench.keeper.state, len(bench.world.runs)), ("stopping", 1))
        last = bench.keeper.restart()
        run.crash()
        bench.run.begin()
        bench.run.settle()
        self.successResultOf(last)

    # -- by itself ----------------------------------------------------------------------

    def test_a_crash_is_followed_by_a_start_after_a_pause(self) -> None:
        bench = self.bench()
        bench.up().crash()
        self.assertEqual(bench.keeper.state, "backoff")
        self.assertEqual(bench.keeper.next_start, (bench.time.wall() + 0.5, 0.5))
        bench.time.advance(0.49)
        self.assertEqual(len(bench.world.runs), 1)
        bench.time.advance(0.01)
        self.assertEqual((bench.keeper.state, len(bench.world.runs)), ("starting", 2))

    def test_every_change_is_told(self) -> None:
        bench = self.bench(fatal_after=2)
        bench.up().crash()
        bench.time.advance(0.5)
        bench.run.begin()
        bench.run.crash()
        self.assertEqual(
            ", ".join(bench.told),
            "starting, running, exited, exit of 1, backoff, starting, exited, exit of 2, fatal",
        )

    def test_the_exit_of_an_old_generation_changes_nothing(self) -> None:
        bench = self.bench()
        old = bench.up()
        bench.keeper.restart()
        old.crash()
        bench.run.begin()
        old.settle()
        self.assertEqual(bench.keeper.state, "starting")
        bench.run.settle()
        for late in (old.die, old.reap, old.settle):
            late()
        bench.keeper.run_started(old)
        self.assertEqual((bench.keeper.state, bench.run.alive), ("running", True))
        self.assertEqual(bench.governor.used, 2)

    def test_machines_respect_states_people_chose(self) -> None:
        bench = self.bench()
        bench.keeper.renew("scheduled", states=("running", "fatal"))
        self.assertEqual(bench.world.runs, [])
        run = bench.up()
        bench.keeper.renew("scheduled", states=("running", "fatal"))
        self.assertIsNotNone(run.asked_at)

    def test_a_schedule_in_fatal_tries_once(self) -> None:
        bench = self.bench(fatal_after=1)
        bench.up().crash()
        for tries in (2, 3):
            bench.keeper.renew("scheduled", states=("running", "fatal"))
            bench.run.begin()
            bench.run.crash()
            self.assertEqual((bench.keeper.state, len(bench.world.runs)), ("fatal", tries))

    # -- the broker -----------------------------------------------------------------------

    def test_a_pause_refuses_restarts_and_the_worker_runs_on(self) -> None:
        bench = self.bench()
        run = bench.up()
        bench.governor.notice("ban", 1)
        error = self.assertRaises(PausedError, bench.keeper.restart)
        self.assertEqual(error.next_start, "2024-03-04T00:01:00.000Z")
        self.assertTrue(run.alive and run.asked_at is None)
        bench.keeper.renew("scheduled", states=("running",))
        self.assertIsNone(run.asked_at)

    def test_force_overrides_a_pause(self) -> None:
        bench = self.bench()
        run = bench.up()
        bench.governor.notice("ban", 1)
        answer = bench.keeper.restart(force=True)
        run.crash()
        bench.run.begin()
        bench.run.settle()
        self.successResultOf(answer)

    def test_a_forced_restart_during_a_start_is_kept_in_a_pause(self) -> None:
        bench = self.bench()
        bench.keeper.begin()
        bench.run.begin()
        bench.governor.notice("ban", 1)
        bench.keeper.restart(force=True)
        bench.run.crash(cause="ban")
        self.assertEqual((bench.keeper.state, len(bench.world.runs)), ("starting", 2))

    def test_a_pause_that_comes_while_someone_waits_is_told_and_kept(self) -> None:
        bench = self.bench()
        bench.keeper.begin()
        bench.run.begin()
        answer = bench.keeper.restart()
        bench.governor.notice("too-many-connections", 1)
        bench.run.crash(cause="too-many-connections")
        self.failureResultOf(answer, PausedError)
        self.assertEqual(bench.keeper.next_start[1], 60)
        bench.time.advance(60)
        self.assertEqual(bench.keeper.state, "starting")

    def test_a_pause_in_backoff_postpones_the_start(self) -> None:
        bench = self.bench()
        bench.up().crash()
        bench.governor.notice("ban", 1)
        bench.keeper.imposed()
        self.assertEqual(bench.keeper.next_start[1], 60)
        bench.time.advance(59)
        self.assertEqual(len(bench.world.runs), 1)
        bench.time.advance(1)
        self.assertEqual(len(bench.world.runs), 2)

    def test_a_pause_that_grew_while_the_timer_ran_is_kept(self) -> None:
        bench = self.bench()
        bench.up().crash()
        bench.governor.notice("ban", 1)
        bench.time.advance(0.5)
        self.assertEqual((bench.keeper.state, bench.keeper.next_start[1]), ("backoff", 59.5))

    def test_a_spent_budget_waits_for_the_next_day_unless_a_person_asks(self) -> None:
        bench = self.bench(budget=1)
        bench.up().crash()
        self.assertEqual(bench.keeper.next_start[1], 24 * 3600)
        answer = bench.keeper.restart()
        bench.run.begin()
        bench.run.settle()
        self.successResultOf(answer)
        bench.run.crash()
        bench.time.advance(24 * 3600)
        self.assertEqual(bench.keeper.state, "starting")

    def test_a_gateway_that_starts_within_a_pause_waits(self) -> None:
        folder = Path(self.mktemp())
        Bench(folder).governor.notice("ban", 1)
        bench = Bench(folder)
        bench.keeper.begin()
        self.assertEqual((bench.keeper.state, bench.keeper.next_start[1]), ("backoff", 60))

    def test_a_day_of_crashing_stays_within_the_budget(self) -> None:
        """A worker that crashes every 40 s after its login, for 24 hours."""
        for cause in ("network", "other", "ban"):
            with self.subTest(cause=cause):
                bench = self.bench(fast=30, budget=50)
                bench.keeper.begin()
                for _ in range(24 * 360 - 1):
                    run = bench.run
                    if run.exit is None:
                        if run.pid is None:
                            run.begin()
                            run.settle()
                        elif run.vitals.lived >= 40:
                            bench.governor.notice(cause, run.generation)
                            run.crash(cause)
                    bench.time.advance(10)
                used = bench.ledger.starts("2024-03-04")
                self.assertTrue(20 < used <= 50, used)


class Keeping(RuleBasedStateMachine):
    """People, processes and time, in any order.

    Never two live workers; the keys of the last start are those that were posted last
    before it; every request is answered once the world comes to rest.
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.bench = Bench(Path(self.folder.name), budget=10_000)
        self.keeper = self.bench.keeper
        self.answers = []
        self.posted = 0
        self.keys_of = {}
        launch = self.bench.launch

        def noting(generation, keeper):
            self.keys_of[generation] = self.posted
            return launch(generation, keeper)

        self.keeper._launch = noting
        self.keeper.begin()

    @property
    def run(self):
        return self.bench.run

    def ask(self, what, *arguments, **words) -> None:
        try:
            answer = what(*arguments, **words)
        except WorkerError:
            return None
        outcome = []
        answer.addCallbacks(outcome.append, lambda failure: outcome.append(failure.value))
        self.answers.append(outcome)
        return outcome

    @rule(force=st.booleans())
    def restart(self, force) -> None:
        self.ask(self.keeper.restart, force=force)

    @rule()
    def start(self) -> None:
        self.ask(self.keeper.start)

    @rule()
    def stop(self) -> None:
        self.ask(self.keeper.stop)

    @rule()
    def post_keys(self) -> None:
        self.posted += 1
        wanted = self.posted
        outcome = self.ask(self.keeper.restart)
        if outcome is not None:

            def has_the_keys():
                if outcome and isinstance(outcome[0], dict):
                    pid = outcome[0]["newPid"]
                    run = next(run for run in self.bench.world.runs if run.pid == pid)
                    assert self.keys_of[run.generation] >= wanted
                    return True
                return False

            self.pending_keys = [*getattr(self, "pending_keys", []), has_the_keys]

    @rule(state=st.sampled_from(["running", "fatal", "backoff", "starting"]))
    def renew(self, state) -> None:
        self.keeper.renew("a test", states=(state,))

    @rule(cause=st.sampled_from(["ban", "too-many-connections"]))
    def impose(self, cause) -> None:
        self.bench.governor.notice(cause, self.keeper.generation)
        self.keeper.imposed()

    @rule(seconds=st.sampled_from([0.1, 0.5, 5, 61, 700]))
    def wait(self, seconds) -> None:
        self.bench.time.advance(seconds)

    @rule(seconds=st.sampled_from([-3600, 3600]))
    def jump(self, seconds) -> None:
        """Somebody sets the clock."""
        before = self.keeper.state, self.keeper.generation
        self.bench.time.offset += seconds
        assert (self.keeper.state, self.keeper.generation) == before

    @precondition(lambda self: self.run.exit is None and self.run.pid is None)
    @rule()
    def process_begins(self) -> None:
        self.run.begin()

    @precondition(lambda self: self.run.alive and not self.run.settled)
    @rule()
    def process_settles(self) -> None:
        self.run.settle()

    @precondition(lambda self: self.run.exit is None)
    @rule(cause=st.sampled_from(["other", "network", "ban"]))
    def process_dies(self, cause) -> None:
        self.run.die(cause, code=1)

    @precondition(lambda self: self.run.exit is not None and not self.run.reaped)
    @rule()
    def process_is_reaped(self) -> None:
        self.run.reap()

    @precondition(lambda self: len(self.bench.world.runs) > 1)
    @rule(word=st.sampled_from(["settle", "die", "reap"]))
    def old_process_says_something_late(self, word) -> None:
        getattr(self.bench.world.runs[-2], word)()

    @invariant()
    def never_two_live_workers(self) -> None:
        self.bench.world.check()
        assert sum(run.alive for run in self.bench.world.runs) <= 1

    @invariant()
    def the_state_is_true(self) -> None:
        state, run = self.keeper.state, self.run
        if state in ("stopped", "backoff", "fatal"):
            assert not run.alive
        if state == "running":
            assert run.alive and run.settled
        if state == "exited":
            assert run.exit is not None
        assert (self.keeper.next_start is not None) == (state == "backoff")

    def teardown(self) -> None:
        """Let the processes do what they are asked; then nobody waits any more."""
        for _ in range(1000):
            run = self.run
            if run.exit is not None and not run.reaped:
                run.reap()
            elif run.asked_at is not None and run.exit is None:
                run.die(code=0)
            elif run.exit is None and run.pid is None:
                run.begin()
            elif run.alive and not run.settled:
                run.settle()
            elif self.keeper.state == "backoff" and not all(self.answers):
                self.bench.time.advance(60)
            else:
                break
        assert all(len(outcome) == 1 for outcome in self.answers), self.keeper.state
        for check in getattr(self, "pending_keys", []):
            check()
        self.folder.cleanup()


Keeping.TestCase.settings = hypothesis_settings(
    max_examples=80, stateful_step_count=40, deadline=None
)


class StatefulKeeperTests(SynchronousTestCase):
    def test_any_order_of_requests_exits_timers_and_keys(self) -> None:
        case = Keeping.TestCase("runTest")
        case.settings = Keeping.TestCase.settings
        case.runTest()
