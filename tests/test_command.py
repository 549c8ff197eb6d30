"""The test command counts what trial says."""

from twisted.trial.unittest import SynchronousTestCase

from tests.__main__ import counts


class CountsTests(SynchronousTestCase):
    def test_trials_last_line_is_counted(self) -> None:
        for line, expected in [
            ("PASSED (successes=3)", (3, 0, 0)),
            ("PASSED (skips=2, expectedFailures=1, successes=3)", (4, 0, 2)),
            ("FAILED (failures=1, errors=2, unexpectedSuccesses=1, successes=3)", (3, 4, 0)),
            ("PASSED", (0, 0, 0)),
            ("PASSED, or so it says", (0, 0, 0)),
            ("", (0, 0, 0)),
        ]:
            found = counts(line)
            self.assertEqual((found["passed"], found["failed"], found["skipped"]), expected, line)
