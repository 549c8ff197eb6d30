"""The guardian as the reactor sees it, with pipes that hold what the test puts there."""

from __future__ import annotations

import json
from signal import SIGCONT, SIGKILL
from types import SimpleNamespace
from typing import ClassVar

from twisted.internet.error import ProcessDone
from twisted.internet.main import CONNECTION_DONE
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from gateway.worker.process.command import Command
from gateway.worker.process.guarded import (
    DRAIN_READS,
    ORDER_TIMEOUT,
    START_TIMEOUT,
    STATUS,
    STDERR,
    STDOUT,
    WAKE_INTERVAL,
    GuardedProcess,
)
from gateway.worker.process.guarding.words import LOCK


class FakePipe:
    """What is left to read of one descriptor."""

    def __init__(self, fd: int, process: GuardedProcess) -> None:
        self.fd = fd
        self.process = process
        self.data: list[bytes] = []
        self.closed = False
        self.reads = 0

    def doRead(self) -> Exception | None:
        self.reads += 1
        if self.data:
            self.process.childDataReceived(self.fd, self.data.pop(0))
        elif self.closed:
            return CONNECTION_DONE
        return None


class FakeTransport(SimpleNamespace):
    """Notes what is written to the lifeline."""

    def __init__(self, process: GuardedProcess) -> None:
        super().__init__(pid=77, said=[], closed=[])
        self.pipes = {fd: FakePipe(fd, process) for fd in (STDOUT, STDERR, STATUS)}
        self.pipes[0] = None

    def writeToChild(self, fd: int, data: bytes) -> None:
        self.said.append(data.decode())

    def closeChildFD(self, fd: int) -> None:
        self.closed.append(fd)


class ProcessTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.told: list[tuple[object, ...]] = []
        command = Command(["python", "臺.py"], "/tmp", {"KEY": "\udcff"})
        self.process = GuardedProcess(command, (1.0, 2.0, 3.0), self)
        self.transport = FakeTransport(self.process)
        self.process.makeConnection(self.transport)
        self.pipes = self.transport.pipes

    def __getattr__(self, name: str):
        """As the listener: note what is told."""
        if name not in ("started", "failed", "sent", "expired", "output", "exited", "ended"):
            raise AttributeError(name)
        return lambda *words: self.told.append((name, *words))

    def report(self, *lines: str) -> None:
        self.process.childDataReceived(STATUS, "".join(f"{line}\n" for line in lines).encode())

    def test_the_guardian_is_told_what_to_run_as_bytes(self) -> None:
        (line,) = self.transport.said
        self.assertEqual(
            json.loads(line),
            {
                "argv": ["python", "臺.py".encode().decode("latin-1")],
                "cwd": "/tmp",
                "env": {"KEY": "\xff"},
                "patience": [1.0, 2.0, 3.0],
                "identity": {},
                "keep": 0.0,
                "note": None,
                "system": "linux",
            },
        )

    def test_reports(self) -> None:
        self.report("started 5", "expired", "sent SIGINT")
        self.process.childDataReceived(STATUS, b"exi")
        self.process.childDataReceived(STATUS, b"ted 9\nfailed 2 No such file\n")
        self.assertEqual(
            self.told,
            [
                ("started", 5),
                ("expired",),
                ("sent", "SIGINT"),
                ("exited", 9),
                ("failed", 2, "No such file"),
            ],
        )

    def test_the_last_words_are_told_before_the_exit(self) -> None:
        self.pipes[STDERR].data = [b"last ", b"words"]
        self.pipes[STDOUT].data = [b"out"]
        self.report("exited 256")
        self.assertEqual(
            self.told,
            [
                ("output", STDOUT, b"out"),
                ("output", STDERR, b"last "),
                ("output", STDERR, b"words"),
                ("exited", 256),
            ],
        )

    def test_a_grandchild_that_goes_on_writing_holds_nothing_up(self) -> None:
        self.pipes[STDOUT].data = [b"x"] * 1000
        self.report("exited 0")
        self.assertEqual(len(self.told), DRAIN_READS + 1)
        self.pipes[STDERR].closed = True
        self.pipes[STDERR].reads = 0
        self.report("exited 0")
        self.assertEqual(self.pipes[STDERR].reads, 1)

    def test_reports_that_the_end_of_the_guardian_overtook_are_read(self) -> None:
        self.pipes[STATUS].data = [b"started 5\nexited 0\n"]
        self.process.processExited(Failure(ProcessDone(0)))
        self.assertEqual(self.told, [("started", 5), ("exited", 0), ("ended",)])

    def test_commands(self) -> None:
        self.transport.said.clear()
        self.process.be_patient((10.0, 5.0, 1.0))
        self.process.stop()
        self.process.kill()
        self.process.extend(43.5)
        self.assertEqual(
            self.transport.said, ["patience 10.0 5.0 1.0\n", "stop\n", "kill\n", "lease 43.5\n"]
        )

    def test_commands_to_a_guardian_that_is_gone_are_lost(self) -> None:
        self.transport.said.clear()
        del self.pipes[0]
        self.process.stop()
        self.assertEqual(self.transport.said, [])

    def test_all_pipes_are_let_go(self) -> None:
        self.process.close()
        self.assertEqual(self.transport.closed, [0, STDOUT, STDERR, STATUS])
        self.assertEqual(self.process.guardian, 77)

    def test_a_worker_whose_guardian_was_killed_before_it_told_of_it_is_known(self) -> None:
        self.report("forked 5")
        self.assertEqual(self.told, [])
        self.process.processExited(Failure(ProcessDone(0)))
        self.assertEqual(self.told, [("started", 5), ("ended",)])

    def test_a_process_that_could_not_become_the_worker_is_not_one(self) -> None:
        self.report("forked 5", "failed 2 No such file")
        self.process.processExited(Failure(ProcessDone(0)))
        self.assertEqual(self.told, [("failed", 2, "No such file"), ("ended",)])


class FakeReactor(Clock):
    """Makes no process."""

    def spawnProcess(self, protocol: GuardedProcess, *_: object, **how: object) -> None:
        self.how = how


class FakeLock:
    """A lock that is there."""

    descriptors: ClassVar = {LOCK: 31}

    def __init__(self) -> None:
        self.told: list[str] = []

    def lent(self) -> None:
        self.told.append("lent")

    def returned(self) -> None:
        self.told.append("returned")


class ObedienceTests(SynchronousTestCase):
    """A guardian that was stopped by a signal."""

    def setUp(self) -> None:
        self.clock = FakeReactor()
        self.lock = FakeLock()
        listener = SimpleNamespace(
            sent=lambda _: None, exited=lambda _: None, ended=lambda: None, started=lambda _: None
        )
        self.process = GuardedProcess(Command([], "/", {}), (1.0,), listener, self.lock)
        self.transport = FakeTransport(self.process)
        self.signals: list[int] = []
        self.transport.signalProcess = self.signals.append
        self.process.spawn(self.clock)
        self.process.makeConnection(self.transport)

    def test_it_is_woken_to_obey(self) -> None:
        self.process.stop()
        self.assertEqual(self.signals, [SIGCONT])
        self.process.childDataReceived(STATUS, b"sent SIGINT\n")
        self.clock.pump([WAKE_INTERVAL] * int(2 * ORDER_TIMEOUT))
        self.assertEqual(set(self.signals), {SIGCONT}, "for it may be stopped again")

    def test_one_that_is_stopped_before_it_starts_anything_is_woken_too(self) -> None:
        self.clock.advance(WAKE_INTERVAL)
        self.assertEqual(self.signals, [SIGCONT])
        self.process.childDataReceived(STATUS, b"started 5\n")
        self.clock.pump([WAKE_INTERVAL] * int(2 * START_TIMEOUT))
        self.assertEqual(set(self.signals), {SIGCONT}, "for it may be stopped at any time")

    def test_one_that_never_starts_anything_is_killed(self) -> None:
        self.clock.pump([WAKE_INTERVAL] * int(START_TIMEOUT - 1))
        self.assertNotIn(SIGKILL, self.signals)
        self.clock.pump([WAKE_INTERVAL] * 2)
        self.assertIn(SIGKILL, self.signals)

    def test_it_is_killed_when_it_does_not_answer(self) -> None:
        self.process.childDataReceived(STATUS, b"started 5\n")
        self.process.stop()
        self.clock.pump([WAKE_INTERVAL] * (int(ORDER_TIMEOUT) - 1))
        self.assertNotIn(SIGKILL, self.signals)
        self.clock.advance(WAKE_INTERVAL)
        self.assertIn(SIGKILL, self.signals)

    def test_nothing_is_left_when_it_is_gone(self) -> None:
        self.process.kill()
        self.process.processExited(Failure(ProcessDone(0)))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_the_lock_is_handed_on_and_back(self) -> None:
        self.assertEqual(self.clock.how["childFDs"][LOCK], 31)
        self.assertEqual(self.lock.told, ["lent"])
        self.process.close()
        self.assertEqual(self.lock.told, ["lent", "returned"])
