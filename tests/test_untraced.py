"""The tracer is off for a test, and on again after it."""

import sys

from twisted.trial.unittest import SynchronousTestCase

from tests.untraced import untraced


class UntracedTests(SynchronousTestCase):
    def test_the_tracer_is_off_meanwhile_whatever_happens(self) -> None:
        def trace(*_: object) -> None:
            """Notes nothing."""

        self.addCleanup(sys.settrace, sys.gettrace())
        sys.settrace(trace)
        self.assertIs(untraced(sys.gettrace)(), None)
        self.assertIs(sys.gettrace(), trace)
        self.assertRaises(ZeroDivisionError, untraced(lambda: 1 / 0))
        self.assertIs(sys.gettrace(), trace)
