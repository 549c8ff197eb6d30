"""Those who wait until a worker is ready."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.contract import NotReadyError, SupersededError
from gateway.worker.lifecycle.classification import PREVENTS_LOGIN

from .bench import Bench


class ReadyTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.bench = Bench(Path(self.mktemp()))
        self.run_ = self.bench.up()
        self.answer = self.bench.lifecycle.until_ready()

    def complain(self, cause: str | None) -> None:
        self.bench.lifecycle.reports.complained(self.run_, cause, "words")

    def get_ready(self) -> None:
        self.run_.vitals.heard("shioaji_ready")
        self.bench.lifecycle.reports.became_ready(self.run_)

    def test_who_waits_is_answered_and_no_timer_is_left(self) -> None:
        self.assertNoResult(self.answer)
        self.get_ready()
        self.successResultOf(self.answer)
        self.assertEqual(self.bench.time.getDelayedCalls(), [])

    def test_one_that_was_ready_before_anybody_waited(self) -> None:
        self.get_ready()
        self.successResultOf(self.bench.lifecycle.until_ready())

    def test_an_exit_fails_with_the_last_words(self) -> None:
        self.run_.last_stderr = ["the words"]
        self.run_.die(code=2)
        error = self.failureResultOf(self.answer, NotReadyError).value
        self.assertEqual(error.details, "exited with code 2; the words")

    def test_an_exit_that_was_asked_for_is_somebody_elses_wish(self) -> None:
        self.bench.lifecycle.stop()
        self.run_.die(code=0)
        self.failureResultOf(self.answer, SupersededError)

    def test_errors_that_may_pass_are_waited_out(self) -> None:
        for cause in ("network", "maintenance", "launch", "other", "native-crash", None):
            self.complain(cause)
        self.assertNoResult(self.answer)
        self.complain("ban")
        self.assertEqual(self.failureResultOf(self.answer, NotReadyError).value.details, "words")

    def test_errors_with_which_no_login_succeeds_fail(self) -> None:
        for cause in PREVENTS_LOGIN:
            answer = self.bench.lifecycle.until_ready()
            self.complain(cause)
            self.failureResultOf(answer, NotReadyError)
        self.failureResultOf(self.answer, NotReadyError)

    def test_the_words_of_an_older_worker_concern_nobody(self) -> None:
        self.get_ready()
        self.bench.lifecycle.restart()
        old, self.run_.exit = self.run_, None
        self.run_.crash(code=0)
        self.run_ = self.bench.run
        self.run_.begin()
        self.run_.settle()
        answer = self.bench.lifecycle.until_ready()
        self.bench.lifecycle.reports.became_ready(old)
        self.bench.lifecycle.reports.complained(old, "authentication", "words")
        self.assertNoResult(answer)
        self.get_ready()
        self.successResultOf(answer)

    def test_nobody_waits_for_ever(self) -> None:
        self.bench.time.advance(89)
        self.assertNoResult(self.answer)
        self.bench.time.advance(1)
        self.assertIn("90 s", self.failureResultOf(self.answer, NotReadyError).value.details)
