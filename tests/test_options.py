"""Another name for `tests.options.test_table`, for commands that name it."""

from twisted.trial.runner import TestLoader, TestSuite


def testSuite() -> TestSuite:
    return TestLoader().loadByName("tests.options.test_table")
