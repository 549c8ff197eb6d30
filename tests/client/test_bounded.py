"""Work that may take no longer than it should."""

import threading

from twisted.trial.unittest import SynchronousTestCase

from gateway.client.bounded import bounded
from gateway.client.console import log
from tests.patience import PATIENCE


class BoundedTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.said: list[str] = []
        self.patch(log, "error", lambda text, *args: self.said.append(text % args))

    def test_work_that_ends_in_time(self) -> None:
        self.assertTrue(bounded("logging out", lambda: False, PATIENCE))
        self.assertEqual(self.said, [])

    def test_work_that_fails(self) -> None:
        self.assertFalse(bounded("logging out", lambda: 1 / 0, PATIENCE))
        self.assertEqual(self.said, ["logging out failed: ZeroDivisionError: division by zero"])

    def test_work_that_does_not_end(self) -> None:
        never = threading.Event()
        self.addCleanup(never.set)
        self.assertFalse(bounded("logging out", never.wait, 0.01))
        self.assertEqual(self.said, ["logging out did not end within 0.01 s"])
