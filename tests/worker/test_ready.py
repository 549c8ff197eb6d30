"""Those who wait until a worker is ready."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.worker.errors import NotReadyError, SupersededError
from gateway.worker.lifecycle.classification import (
    AUTHENTICATION,
    BAN,
    DEPENDENCY,
    QUOTA,
    TOO_MANY,
    VERSION,
)
from gateway.worker.lifecycle.exits import Exit
from gateway.worker.ready import ReadyWaiters


class ReadyTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.waiters = ReadyWaiters(self.clock, 90.0)

    def tearDown(self) -> None:
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_ready_answers_its_own_generation(self) -> None:
        first, second = self.waiters.wait(1), self.waiters.wait(2)
        self.waiters.ready(2)
        self.assertNoResult(first)
        self.successResultOf(second)
        self.waiters.ready(1)
        self.successResultOf(first)

    def test_one_that_was_ready_before_anybody_waited(self) -> None:
        self.waiters.ready(3)
        self.successResultOf(self.waiters.wait(3))

    def test_an_exit_fails_with_the_last_words(self) -> None:
        answer = self.waiters.wait(1)
        self.waiters.exited(1, Exit(pid=5, code=2), "exited with code 2; the words")
        error = self.failureResultOf(answer, NotReadyError).value
        self.assertEqual(error.details, "exited with code 2; the words")

    def test_an_exit_that_was_asked_for_is_somebody_elses_wish(self) -> None:
        answer = self.waiters.wait(1)
        self.waiters.exited(1, Exit(pid=5, code=0, asked=True), "")
        self.failureResultOf(answer, SupersededError)

    def test_errors_that_may_pass_are_waited_out(self) -> None:
        answer = self.waiters.wait(1)
        for cause in ("network", "maintenance", "launch", "other", "native-crash", None):
            self.waiters.complained(1, cause, "words")
        self.assertNoResult(answer)
        self.waiters.complained(2, "authentication", "words")
        self.assertNoResult(answer)
        self.waiters.complained(1, "ban", "words")
        self.assertEqual(self.failureResultOf(answer, NotReadyError).value.details, "words")

    def test_errors_with_which_no_login_succeeds_fail(self) -> None:
        hopeless = (AUTHENTICATION, BAN, DEPENDENCY, QUOTA, TOO_MANY, VERSION)
        for generation, cause in enumerate(hopeless):
            answer = self.waiters.wait(generation + 1)
            self.waiters.complained(generation + 1, cause, "words")
            self.failureResultOf(answer, NotReadyError)

    def test_nobody_waits_for_ever(self) -> None:
        answer = self.waiters.wait(1)
        self.clock.advance(89)
        self.assertNoResult(answer)
        self.clock.advance(1)
        self.assertIn("90 s", self.failureResultOf(answer, NotReadyError).value.details)
