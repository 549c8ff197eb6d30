"""Another name for `tests.app.test_layer_settings`, for commands that name it."""

from twisted.trial.runner import TestLoader, TestSuite


def testSuite() -> TestSuite:
    return TestLoader().loadByName("tests.app.test_layer_settings")
