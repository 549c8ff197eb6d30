"""What goes on though a part of it raises."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.common import attempt as module
from gateway.common.attempt import AGAIN, Attempts, Countdown, Look, Periodic, Reading, attempt
from gateway.engineio.deadlines import Deadlines


class AttemptCase(SynchronousTestCase):
    def errors(self) -> int:
        """Exceptions that were logged since the last call."""
        return len(self.flushLoggedErrors(RuntimeError))


def fail(*_: object) -> Any:
    raise RuntimeError("as asked")


class AttemptTests(AttemptCase):
    def test_an_exception_becomes_a_reason(self) -> None:
        self.assertIsNone(attempt("a", int))
        self.assertEqual((attempt("b", fail), self.errors()), ("as asked", 1))

    def test_the_reason_of_the_system_names_the_file(self) -> None:
        lines: list[str] = []
        said = SimpleNamespace(error=lambda text, **words: lines.append(text.format(**words)))
        self.patch(module, "_log", said)
        why = attempt("Opening it", lambda: open("/no/such/file"))  # noqa: PTH123, SIM115
        self.assertEqual(why, "No such file or directory: /no/such/file")
        self.assertEqual(lines, [f"Opening it failed: {why}"])


class AttemptsTests(AttemptCase):
    def test_says_whether_it_went_well(self) -> None:
        done: list[int] = []
        attempt = Attempts()
        self.assertTrue(attempt("a", done.append, 1))
        self.assertFalse(attempt("b", fail))
        self.assertEqual((done, self.errors()), ([1], 1))

    def test_what_fails_all_the_time_does_not_fill_the_log(self) -> None:
        attempt = Attempts()
        for _ in range(1000):
            attempt("a", fail)
        self.assertEqual(self.errors(), 10)
        attempt("b", fail)
        self.assertEqual(self.errors(), 1)


class LookTests(AttemptCase):
    def test_a_failure_is_logged_once_until_it_has_passed(self) -> None:
        broken = True
        look = Look("a look", lambda: fail() if broken else None)
        self.assertEqual([look(), look(), self.errors()], [False, False, 1])
        broken = False
        self.assertTrue(look())
        broken = True
        self.assertEqual([look(), self.errors()], [False, 1])

    def test_a_reading_comes_as_far_as_it_can(self) -> None:
        def read() -> Any:
            yield 1
            fail()

        self.assertEqual((Reading("a", read)(), self.errors()), ([1], 1))


class PeriodicTests(AttemptCase):
    def test_it_looks_again_whatever_a_look_raised(self) -> None:
        clock, looks = Clock(), []

        def look() -> None:
            looks.append(clock.seconds())
            fail()

        deadlines = Deadlines(clock.seconds)
        Periodic(deadlines, 5, "a look", look)
        for _ in range(12):
            clock.advance(1)
            deadlines.advance()
        self.assertEqual((looks, self.errors()), ([5, 10], 2))


class CountdownTests(AttemptCase):
    def test_a_callback_that_raised_is_called_again(self) -> None:
        clock, calls = Clock(), []

        def call() -> None:
            calls.append(clock.seconds())
            if len(calls) == 1:
                fail()

        Countdown(clock, "a call", call).begin(5)
        clock.pump([5, AGAIN, AGAIN])
        self.assertEqual((calls, self.errors()), ([5, 5 + AGAIN], 1))

    def test_one_at_a_time_and_none_once_it_is_cancelled(self) -> None:
        clock, calls = Clock(), []
        countdown = Countdown(clock, "a call", lambda: calls.append(clock.seconds()))
        countdown.begin(5)
        countdown.begin(2)
        clock.advance(9)
        self.assertEqual((calls, countdown.active), ([9], False))
        countdown.begin(1)
        countdown.cancel()
        clock.advance(9)
        self.assertEqual(calls, [9])
