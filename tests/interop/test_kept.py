"""The end of a gateway that many tests use is noticed, and costs one of them."""

import signal
import tempfile
from pathlib import Path
from unittest import TestResult

from twisted.trial.unittest import SynchronousTestCase

from tests.interop.kept import Kept
from tests.interop.service import Service, started


class KeptTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.started: list[Service] = []
        self.addCleanup(self.close_all)
        self.pids: list[int] = []
        self.gateway = Kept(self.start)

    def start(self) -> Service:
        service = started(Path(tempfile.mkdtemp(dir=self.folder)), "--no-worker")
        self.started.append(service)
        return service

    def close_all(self) -> None:
        """Before the folder is removed in which they write."""
        for service in self.started:
            service.close()

    def using(self, use) -> TestResult:
        """The result of a test that does this with the gateway."""

        class UsingTests(SynchronousTestCase):
            def test_use(test) -> None:
                service = self.gateway(test)
                self.addCleanup(service.close)
                self.pids.append(service.process.pid)
                use(service)

        result = TestResult()
        UsingTests("test_use").run(result)
        return result

    def kill(self, service: Service) -> None:
        service.stop(signal.SIGKILL)

    def test_the_test_that_kills_it_fails_with_its_log_and_the_next_has_another(self) -> None:
        killed = self.using(self.kill)
        ((_, told),) = [*killed.failures, *killed.errors]
        self.assertIn("the gateway has ended with -9", told)
        self.assertIn("Listening on", told)
        after = [self.using(lambda service: service.request("/health")) for _ in range(2)]
        self.assertTrue(all(each.wasSuccessful() for each in after), after)
        first, second, third = self.pids
        self.assertNotEqual(first, second)
        self.assertEqual(second, third)

    def test_who_finds_it_gone_is_told_and_the_next_has_another(self) -> None:
        self.using(lambda _: None)
        service = self.gateway(self)
        self.kill(service)
        self.assertRaises(AssertionError, self.gateway, self)
        self.assertNotEqual(self.gateway(self).process.pid, service.process.pid)
