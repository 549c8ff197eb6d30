"""The steps of a hand-over, one by one; the program, the ports and systemd are stand-ins."""

import os
import signal
from functools import partial
from typing import Any, ClassVar

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.app import hand_over as module
from gateway.app.hand_over import LINGER, HandOver
from gateway.app.image import refusal
from gateway.app.process import Step
from gateway.contract import GoingDownError, HandOverError
from gateway.system.memory_file import written

TURN = 1e-6
"""Seconds that stand for one turn of the reactor."""


class World(Clock):
    """Notes what is done, in its order: it is image, ports, systemd and reactor."""

    sockets: ClassVar = [("127.0.0.1", 7)]

    def __init__(self) -> None:
        super().__init__()
        self.done: list[str] = []
        self.checks: list[Deferred[None]] = []
        self.fault: Exception | None = None
        self.running: list[Any] = []
        self.memos: list[bytes] = []
        self.polling = False

    def callLater(self, delay: float, *call: Any, **more: Any) -> Any:
        return super().callLater(max(delay, TURN), *call, **more)

    def check(self, reactor: Any, sockets: Any, *, has_worker: bool) -> Deferred[None]:
        assert has_worker
        self.done.append("check")
        self.checks.append(Deferred())
        return self.checks[-1]

    def replace(self, sockets: Any, memo: int) -> None:
        assert sockets == self.sockets
        self.memos.append(os.pread(memo, 100, 0))
        self.done.append("replace")
        if self.fault:
            raise self.fault

    def part(self) -> bool:
        if self.polling:
            self.done.append("part")
        return self.polling

    def pause(self) -> None:
        self.done.append("pause")

    def resume(self) -> None:
        self.done.append("resume")

    def reloading(self) -> None:
        self.done.append("reloading")

    def ready(self) -> None:
        self.done.append("ready")

    def callWhenRunning(self, call: Any) -> None:
        self.running.append(call)

    def callFromThread(self, call: Any) -> None:
        self.callLater(0, call)


BEGUN = ["reloading", "check"]
REPLACED = [*BEGUN, "pause", "flush", "replace"]
STAYS = ["resume", "ready"]


class HandOverTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.addCleanup(signal.signal, signal.SIGUSR2, signal.getsignal(signal.SIGUSR2))
        self.world: Any = World()
        self.hand_over = self.make(self.world)
        self.told: list[Any] = []

    def make(self, image: Any) -> HandOver:
        made = HandOver(
            self.world,
            image,
            self.world,
            [Step("Breaking", self.breaks), self.flush()],
            partial(written, b"keys"),
            part=self.world.part,
            has_worker=lambda: True,
        )
        made.listeners = self.world
        made.startService()
        return made

    def flush(self) -> Step:
        return Step("Flushing", lambda: self.world.done.append("flush"))

    def breaks(self) -> None:
        raise OSError(28, "No space left on device")

    def ask(self) -> None:
        self.hand_over.ask().addBoth(self.told.append)

    def passes(self) -> None:
        self.world.checks[-1].callback(None)

    def replace(self) -> None:
        """Let all the time pass that a hand-over takes."""
        self.world.advance(LINGER)
        self.world.advance(TURN)

    def error(self) -> Any:
        (failure,) = self.told
        return failure.value

    def test_the_steps_and_the_answer_before_connections_close(self) -> None:
        self.ask()
        self.assertEqual((self.world.done, self.told), (BEGUN, []))
        self.passes()
        self.assertEqual((self.world.done, self.told), ([*BEGUN, "pause"], [None]))
        self.replace()
        self.assertEqual(self.world.done[:5], REPLACED)
        self.assertEqual(self.world.memos, [b"keys"])

    def test_who_polls_has_a_moment_to_hear_of_it_while_ports_are_open(self) -> None:
        self.world.polling = True
        self.ask()
        self.passes()
        self.assertEqual((self.world.done, self.told), ([*BEGUN, "part"], [None]))
        self.world.advance(LINGER)
        self.assertEqual(self.world.done, [*BEGUN, "part", "pause"])
        self.replace()
        self.assertEqual(self.world.done[3:6], ["pause", "flush", "replace"])

    def test_a_check_that_fails_changes_nothing(self) -> None:
        self.ask()
        self.world.checks[-1].errback(refusal("port 1 is in use"))
        self.assertEqual(self.world.done, [*BEGUN, "ready"])
        self.assertEqual(self.error().details, "port 1 is in use")
        self.replace()
        self.assertEqual(self.world.done, [*BEGUN, "ready"])

    def test_who_asks_again_waits_for_the_same(self) -> None:
        self.ask()
        self.ask()
        self.passes()
        self.assertEqual(self.told, [None, None])
        self.assertEqual(self.world.done.count("check"), 1)

    def test_it_can_be_asked_for_again_after_a_failure(self) -> None:
        self.ask()
        self.world.checks[-1].errback(refusal("no"))
        self.told.clear()
        self.ask()
        self.passes()
        self.assertEqual(self.told, [None])

    def test_a_program_that_can_not_be_run_leaves_all_as_it_was(self) -> None:
        self.world.fault = FileNotFoundError(2, "No such file", "/gone/python")
        self.ask()
        self.passes()
        self.replace()
        self.assertEqual(self.world.done, [*REPLACED, *STAYS])
        self.world.fault = None
        self.ask()
        self.passes()
        self.replace()
        self.assertEqual(self.world.done[7:12], REPLACED)

    def test_a_stop_ends_it_wherever_it_is(self) -> None:
        self.ask()
        self.hand_over.stopService()
        self.assertIsInstance(self.error(), GoingDownError)
        self.replace()
        self.assertEqual(self.world.done, BEGUN)
        self.assertRaises(GoingDownError, self.hand_over.ask)

    def test_so_when_connections_are_about_to_close(self) -> None:
        for wait in (0.0, LINGER):
            self.world.done.clear()
            self.hand_over = self.make(self.world)
            self.ask()
            self.passes()
            self.world.advance(wait)
            self.hand_over.stopService()
            self.replace()
            self.assertEqual(self.world.done, [*BEGUN, "pause", "resume"])

    def test_a_signal_that_another_thread_took_keeps_the_program(self) -> None:
        heard: list[int] = []
        before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
        self.addCleanup(signal.signal, signal.SIGTERM, before)
        self.ask()
        self.passes()
        self.world.advance(LINGER)
        signal.getsignal(signal.SIGTERM)(signal.SIGTERM, None)  # type: ignore[operator,misc]
        self.assertEqual(heard, [])
        self.replace()
        self.assertEqual(heard, [signal.SIGTERM])
        self.assertEqual(self.world.done, [*BEGUN, "pause", "flush", *STAYS])

    def test_a_bug_is_logged_and_not_told(self) -> None:
        self.ask()
        self.world.checks[-1].errback(ZeroDivisionError("secret"))
        self.assertIsInstance(self.error(), HandOverError)
        self.assertNotIn("secret", str(self.error()))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_the_signal_asks_and_is_no_error_while_it_stops(self) -> None:
        signal.raise_signal(signal.SIGUSR2)
        self.world.advance(TURN)
        self.assertEqual(self.world.done, BEGUN)
        self.world.checks[-1].errback(refusal("no"))
        self.hand_over.stopService()
        signal.raise_signal(signal.SIGUSR2)
        self.world.advance(TURN)
        self.assertEqual(self.world.done, [*BEGUN, "ready"])

    def test_signals_that_waited_are_heeded_when_the_reactor_runs(self) -> None:
        self.assertEqual(self.world.running, [module.heed_signals])

    def test_in_another_application_it_is_refused_and_the_signal_is_not_taken(self) -> None:
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)
        self.hand_over = self.make(None)
        self.assertEqual(signal.getsignal(signal.SIGUSR2), signal.SIG_IGN)
        error = self.assertRaises(HandOverError, self.hand_over.ask)
        self.assertIn("another application", str(error))
