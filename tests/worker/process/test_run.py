"""What one generation says of itself."""

from __future__ import annotations

from types import SimpleNamespace

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from gateway.worker.process.command import Command
from gateway.worker.process.guarded import STDERR, GuardedProcess
from gateway.worker.process.note import Note
from gateway.worker.process.run import Run
from gateway.worker.process.tenure import UNSHARED
from tests.system.this import SYSTEM
from tests.worker.fakes import Time, settings


class StuckTests(SynchronousTestCase):
    """A worker that does not end: only what was reported is said."""

    def setUp(self) -> None:
        listener = SimpleNamespace(started=lambda _: None)
        self.run_ = Run(
            1,
            listener,
            reactor=Time(),
            settings=settings(settle=60),
            vitals=SimpleNamespace(changes=0),
            streams={},
            claim=SimpleNamespace(),
            system=SYSTEM,
            tenure=UNSHARED,
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


class EarlyStopTests(SynchronousTestCase):
    def test_a_worker_that_is_stopped_before_its_command_is_known_ends_at_once(self) -> None:
        clock, told = Time(), []
        run = Run(
            1,
            SimpleNamespace(exited=told.append, reaped=told.append),
            reactor=clock,
            settings=settings(),
            vitals=SimpleNamespace(lived=0.0, ready_for=None, changes=0),
            streams={STDERR: SimpleNamespace(flush=lambda: None, last=lambda *_: [])},
            claim=SimpleNamespace(),
            system=SYSTEM,
            tenure=UNSHARED,
        )
        command: Deferred[Command] = Deferred()
        run.launch(command)
        run.end()
        self.assertEqual(told, [], "not while whoever asks is still at it")
        clock.advance(0)
        self.assertEqual(told, [run, run])
        self.assertEqual(str(run.exit), "was not started: it was stopped before")
        command.callback(Command([], "", {}))  # nobody waits for it any more


class AdoptedTests(SynchronousTestCase):
    def test_when_an_end_was_that_is_told_later(self) -> None:
        self.patch(GuardedProcess, "adopt", lambda *_: None)
        run = Run(
            1,
            SimpleNamespace(),
            reactor=Time(),
            settings=settings(),
            vitals=SimpleNamespace(was_ready=True, changes=0),
            streams={},
            claim=SimpleNamespace(),
            system=SYSTEM,
            tenure=UNSHARED,
        )
        handed = SimpleNamespace(worker=5, age=60.0, gone=7.0, accept=lambda: None)
        run.adopt(handed, Note(generation=1))
        self.assertEqual((run.pid, run.adopted, run.told_late), (5, 60.0, 7.0))
