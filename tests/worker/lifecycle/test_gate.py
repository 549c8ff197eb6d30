"""One gate before every start: nothing passes it by."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.contract import HeldError, PausedError
from gateway.worker.lifecycle.gate import RECHECK, Gate, Hold
from gateway.worker.lifecycle.states import Running
from gateway.worker.lifecycle.transitions import RETRY

from .bench import Bench


class GateTests(SynchronousTestCase):
    def test_without_reasons_it_is_open(self) -> None:
        self.assertIsNone(Gate([]).hold())
        self.assertIsNone(Gate([lambda **_: None]).hold())

    def test_the_longest_reason_counts_and_checks_may_be_added(self) -> None:
        gate = Gate([lambda **_: Hold("short", 1.0)])
        gate.checks.append(lambda **_: Hold("long", 2.0))
        self.assertEqual(gate.hold(), Hold("long", 2.0))

    def test_each_check_hears_who_asks(self) -> None:
        asked = []
        Gate([lambda **who: asked.append(who)]).hold(person=True, force=True)
        self.assertEqual(asked, [{"person": True, "force": True}])

    def test_a_check_that_raises_is_asked_again_soon(self) -> None:
        def broken(**_: bool) -> None:
            raise OSError(24, "Too many open files")

        hold = Gate([broken]).hold(person=True, force=True)
        self.assertEqual(hold.seconds, RECHECK)
        self.assertIn("Too many open files", hold.reason)


class EveryStartTests(SynchronousTestCase):
    """Each way to a start, with a reason that comes before it and goes later."""

    def setUp(self) -> None:
        self.bench = Bench(Path(self.mktemp()))
        self.hold: Hold | None = None
        self.bench.gate.checks.append(lambda **_: self.hold)

    def shut(self, seconds: float = 60.0, **kind: bool) -> None:
        self.hold = Hold("a test", seconds, **kind)

    def assertHeld(self, runs: int, state: str = "backoff") -> None:
        self.assertEqual((self.bench.state, len(self.bench.world.runs)), (state, runs))

    def assertStartsWhenOpen(self, runs: int) -> None:
        self.assertHeld(runs - 1)
        self.hold = None
        self.bench.time.advance(60)
        self.assertHeld(runs, "starting")

    def test_the_first_start(self) -> None:
        self.shut()
        self.bench.lifecycle.begin()
        self.assertStartsWhenOpen(1)

    def test_the_end_of_a_pause(self) -> None:
        self.bench.up().crash()
        self.shut()
        self.bench.time.advance(10)
        self.assertStartsWhenOpen(2)

    def test_a_persons_request_is_refused_with_the_reason(self) -> None:
        run = self.bench.up()
        self.shut()
        error = self.assertRaises(HeldError, self.bench.lifecycle.restart)
        self.assertIn("a test", error.details)
        self.assertTrue(error.next_start)
        self.assertIsNone(run.asked_at)

    def test_a_machines_restart_is_not_begun(self) -> None:
        run = self.bench.up()
        self.shut()
        self.bench.lifecycle.renew("scheduled", states=(Running,))
        self.assertIsNone(run.asked_at)

    def test_what_is_heard_while_the_old_worker_ends_holds_for_that_restart(self) -> None:
        for ask in (self.bench.lifecycle.restart, self.renewed):
            run = self.bench.run if self.bench.world.runs else self.bench.up()
            answer = ask()
            self.shut(imposed=True)
            run.die(code=0)
            runs = len(self.bench.world.runs)
            run.reap()
            if answer is not None:
                self.failureResultOf(answer, PausedError)
            self.assertStartsWhenOpen(runs + 1)
            self.bench.run.begin()
            self.bench.run.settle()

    def renewed(self) -> None:
        self.bench.lifecycle.renew("scheduled", states=(Running,))

    def test_a_crash_with_someone_waiting(self) -> None:
        run = self.bench.up()
        run.die()
        answer = self.bench.lifecycle.restart()
        self.shut()
        run.reap()
        self.failureResultOf(answer, HeldError)
        self.assertStartsWhenOpen(2)

    def test_a_restart_that_waited_for_a_start_to_settle_keeps_that_worker(self) -> None:
        self.bench.lifecycle.begin()
        run = self.bench.run
        run.begin()
        answer = self.bench.lifecycle.restart()
        self.shut(imposed=True)
        run.settle()
        self.failureResultOf(answer, PausedError)
        self.assertHeld(1, "running")
        self.assertIsNone(run.asked_at)

    def test_a_plan_that_was_brought_forward_is_not_looked_at_again(self) -> None:
        self.shut(5)
        self.bench.lifecycle.begin()
        self.hold = None
        self.bench.lifecycle.reconsider()
        self.bench.run.die()
        self.shut(float("inf"))
        self.bench.time.advance(5)
        self.assertHeld(1, "exited")

    def test_a_stop_ends_the_waiting(self) -> None:
        self.shut()
        self.bench.lifecycle.begin()
        self.bench.lifecycle.stop()
        self.hold = None
        self.bench.time.advance(1000)
        self.assertHeld(0, "stopped")

    def test_a_reason_that_only_a_person_ends_is_fatal(self) -> None:
        self.shut(float("inf"))
        self.bench.lifecycle.begin()
        self.assertHeld(0, "fatal")
        self.assertIsNone(self.bench.next_start)
        self.hold = None
        self.bench.lifecycle.start()
        self.assertHeld(1, "starting")

    def test_a_planned_start_moves_with_its_reason_and_is_told(self) -> None:
        """Such as the end of the trading day, when somebody sets the clock."""
        self.shut(3600)
        self.bench.lifecycle.begin()
        told = len(self.bench.told)
        self.shut(60)
        self.bench.time.advance(30)
        self.assertEqual(self.bench.next_start[1], 60)
        self.assertEqual(self.bench.told[told:], ["backoff"])

    def test_what_goes_on_to_stand_against_a_start_is_told_once(self) -> None:
        lifecycle, told = self.bench.lifecycle, self.bench.told
        self.shut(5)
        lifecycle.begin()
        since = self.bench.since
        self.bench.time.pump([5] * 100)
        self.assertEqual(told, ["backoff"])
        self.hold = Hold("another reason", 5)
        self.bench.time.pump([5] * 100)
        self.assertEqual((told, self.bench.since), (["backoff"] * 2, since))
        self.shut(60, imposed=True)
        lifecycle.reconsider()
        self.shut(120, imposed=True)  # the broker said it again
        lifecycle.reconsider()
        self.assertEqual(told, ["backoff"] * 4)

    def test_a_start_that_can_not_be_made_is_told_once_with_the_reason(self) -> None:
        lifecycle, told, working = self.bench.lifecycle, self.bench.told, self.bench.launch
        for number in (24, 5):

            def launch(*_: object, number: int = number) -> None:
                raise OSError(number, os.strerror(number))

            self.patch(self.bench, "launch", launch)
            lifecycle.begin()
            self.bench.time.pump([RETRY] * 100)
            self.assertIn(os.strerror(number), self.bench.held_by)
        self.assertEqual(told, ["backoff"] * 2)
        self.patch(self.bench, "launch", working)
        self.bench.time.pump([RETRY])
        self.assertEqual((self.bench.state, self.bench.held_by), ("starting", ""))

    def test_a_request_of_a_person_overrides_what_only_machines_are_held_by(self) -> None:
        bench = Bench(Path(self.mktemp()), budget=1)
        run = bench.up()
        answer = bench.lifecycle.restart()
        run.crash()
        bench.run.begin()
        bench.run.settle()
        self.successResultOf(answer)
