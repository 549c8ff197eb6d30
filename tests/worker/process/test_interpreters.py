"""What a Python says of itself."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import CancelledError
from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase, TestCase

from gateway.worker.process.interpreters import TIMEOUT, interrogate


class World(Clock):
    """A clock with one process, which the test ends."""

    def __init__(self, error: OSError | None = None) -> None:
        super().__init__()
        self.error = error
        self.signals: list[str] = []

    def spawnProcess(self, protocol, *_: object, **__: object) -> None:
        if self.error is not None:
            raise self.error
        self.protocol = protocol
        protocol.makeConnection(self)

    def signalProcess(self, name: str) -> None:
        self.signals.append(name)

    def loseConnection(self) -> None:
        pass

    def end(self, said: bytes, status: int = 0) -> None:
        self.protocol.outReceived(said)
        why = ProcessTerminated(status) if status else ProcessDone(0)
        self.protocol.processEnded(Failure(why))


class InterrogateTests(SynchronousTestCase):
    def ask(self, world: World):
        return interrogate(world, "python3", {"socketio"}, {})

    def test_an_answer(self) -> None:
        world = World()
        answer = self.ask(world)
        world.end(b'{"version": "3.11.0", "missing": ["socketio"], "shioaji": "1.7"}')
        found = self.successResultOf(answer)
        said = (found.version, found.missing, found.shioaji)
        self.assertEqual(said, ("3.11.0", ("socketio",), "1.7"))
        self.assertEqual(world.getDelayedCalls(), [])

    def test_one_that_says_something_else_or_fails_does_not_run(self) -> None:
        for said, status in ((b"", 0), (b"[]", 0), (b"{}", 0), (b"\xff", 0), (b"{}", 1)):
            world = World()
            answer = self.ask(world)
            world.end(said, status)
            self.assertIsNone(self.successResultOf(answer), (said, status))

    def test_one_that_does_not_answer_is_killed(self) -> None:
        world = World()
        answer = self.ask(world)
        world.advance(TIMEOUT)
        self.assertEqual(world.signals, ["KILL"])
        world.end(b"", 9)
        self.assertIsNone(self.successResultOf(answer))

    def test_who_asks_no_more_ends_it_and_its_late_answer_reaches_nobody(self) -> None:
        world = World()
        answer = self.ask(world)
        answer.cancel()
        self.failureResultOf(answer, CancelledError)
        self.assertEqual((world.signals, world.getDelayedCalls()), (["KILL"], []))
        world.end(b"{}")

    def test_one_that_is_missing_does_not_run_and_a_shortage_says_nothing_about_it(self) -> None:
        self.assertIsNone(self.successResultOf(self.ask(World(FileNotFoundError()))))
        answer = self.ask(World(OSError(errno.EAGAIN, "no process")))
        self.failureResultOf(answer, OSError)


class RealTests(TestCase):
    def setUp(self) -> None:
        beside = Path("only_beside.py")
        beside.touch()
        self.addCleanup(beside.unlink)

    async def test_the_working_directory_is_not_searched(self) -> None:
        wanted = {"twisted", "only_beside"}
        found = await interrogate(reactor, sys.executable, wanted, os.environ)
        self.assertEqual(found.missing, ("only_beside",))
        self.assertEqual(found.version, ".".join(map(str, sys.version_info[:3])))
