"""What one generation says of itself."""

from __future__ import annotations

from types import SimpleNamespace

from twisted.trial.unittest import SynchronousTestCase

from gateway.worker.process.run import Run
from tests.worker.fakes import Time, settings


class PlightTests(SynchronousTestCase):
    """A worker that does not end: only what was reported is said."""

    def setUp(self) -> None:
        listener = SimpleNamespace(started=lambda _: None)
        self.run_ = Run(
            1,
            listener,
            reactor=Time(),
            settings=settings(settle=60),
            vitals=SimpleNamespace(),
            streams={},
            claim=SimpleNamespace(),
        )
        self.run_.pid = 5

    def test_no_signal_is_claimed_that_was_not_sent(self) -> None:
        self.assertIn("it got no signal", self.run_.stuck_details)
        self.assertNotIn("SIGKILL", self.run_.stuck_details)

    def test_the_last_one_that_was_sent_is_named(self) -> None:
        self.run_.sent("SIGTERM")
        self.assertIn("SIGTERM", self.run_.stuck_details)
        self.run_.sent("SIGKILL")
        self.assertEqual(self.run_.stuck_details, "process 5 did not even die of SIGKILL")
