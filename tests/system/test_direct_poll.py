"""The reactor's loop calls what is ready directly, and contains what fails there."""

import socket
from types import FunctionType
from typing import Any

from twisted.internet.abstract import FileDescriptor
from twisted.internet.epollreactor import EPollReactor
from twisted.internet.selectreactor import SelectReactor
from twisted.python import log
from twisted.trial.unittest import SynchronousTestCase

from gateway.system.direct_poll import poll_directly
from gateway.system.turn_end import TurnEnd


class End(FileDescriptor):
    """One end of a pair of sockets; `read` is what reading it does."""

    def __init__(self, reactor: Any, read: Any, lost: Any = None) -> None:
        super().__init__(reactor)
        self._read = read
        self._lost = lost
        self.socket, self.other = socket.socketpair()
        self.why: Any = None
        self.startReading()
        self.other.send(b"x")

    def fileno(self) -> int:
        return self.socket.fileno()

    def doRead(self) -> Any:
        self.socket.recv(1)
        return self._read()

    def connectionLost(self, reason: Any) -> None:
        super().connectionLost(reason)
        self.why = reason.value
        if self._lost:
            self._lost()


class DirectTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor: Any = EPollReactor()
        self.turn_end = TurnEnd(self.reactor)
        poll_directly(self.reactor, self.turn_end)
        self.read: list[str] = []
        self.contexts: list[str] = []
        self.patch(log, "callWithLogger", lambda *_: self.contexts.append("made"))

    def tearDown(self) -> None:
        for each in self.reactor.removeAll():
            each.socket.close()
            each.other.close()
        for each in self.reactor._internalReaders:
            each.connectionLost(None)
        self.reactor._poller.close()

    def test_what_is_ready_is_read_without_a_context_for_logs(self) -> None:
        for name in "ab":
            End(self.reactor, lambda name=name: self.read.append(name))
        self.reactor.doIteration(0)
        self.assertEqual((sorted(self.read), self.contexts), (["a", "b"], []))
        self.reactor.doIteration(0)
        self.assertEqual(len(self.read), 2)

    def test_a_read_that_raises_ends_its_connection_and_no_other(self) -> None:
        bad = End(self.reactor, lambda: 1 / 0)
        End(self.reactor, lambda: self.read.append("good"))
        self.reactor.doIteration(0)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertIsInstance(bad.why, ZeroDivisionError)
        self.assertEqual(self.read, ["good"])
        bad.socket.close()
        bad.other.close()

    def test_what_is_read_is_followed_by_the_end_of_the_turn(self) -> None:
        def read() -> None:
            self.read.append("read")
            self.turn_end.call(lambda: self.read.append("end"))

        for _ in "ab":
            End(self.reactor, read)
        self.reactor.doIteration(0)
        self.assertEqual(self.read, ["read", "read", "end", "end"])

    def test_an_end_that_raises_keeps_nobody_else_from_being_read(self) -> None:
        bad = [End(self.reactor, lambda: OSError("gone"), lambda: 1 / 0) for _ in "ab"]
        End(self.reactor, lambda: self.read.append("good"))
        self.reactor.doIteration(0)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)
        self.assertEqual(self.read, ["good"])
        for each in bad:
            each.socket.close()
            each.other.close()


class OtherTests(SynchronousTestCase):
    def test_another_reactor_stays_as_it_is(self) -> None:
        reactor = object.__new__(SelectReactor)
        poll_directly(reactor, TurnEnd(reactor))
        self.assertEqual(vars(reactor), {})

    def test_it_is_twisteds_own_function(self) -> None:
        polls: list[Any] = []
        turn_end = TurnEnd(None)
        self.patch(turn_end, "around", polls.append)
        poll_directly(object.__new__(EPollReactor), turn_end)
        function = polls[0].__func__
        self.assertIsInstance(function, FunctionType)
        self.assertIs(function.__code__, EPollReactor.doPoll.__code__)
