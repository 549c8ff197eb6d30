"""How a worker ended."""

from __future__ import annotations

import signal

from twisted.trial.unittest import SynchronousTestCase

from gateway.worker.lifecycle.exits import EXITS_KEPT, Exit, LastExits, decode


class ExitTests(SynchronousTestCase):
    def test_wait_statuses(self) -> None:
        self.assertEqual(decode(0), (0, None))
        self.assertEqual(decode(3 << 8), (3, None))
        self.assertEqual(decode(signal.SIGSEGV), (None, "SIGSEGV"))
        self.assertEqual(decode(signal.SIGABRT | 0x80), (None, "SIGABRT"))
        self.assertEqual(decode(40), (None, "signal 40"))

    def test_a_clean_end_is_zero_or_the_signals_own(self) -> None:
        for how, clean in (
            ({"code": 0}, True),
            ({"code": 130}, True),
            ({"code": 143}, True),
            ({"signal": "SIGINT"}, True),
            ({"signal": "SIGTERM"}, True),
            ({"code": 1}, False),
            ({"signal": "SIGKILL"}, False),
            ({"signal": "SIGSEGV"}, False),
        ):
            self.assertEqual(Exit(pid=1, asked=True, **how).clean, clean, how)
            self.assertFalse(Exit(pid=1, asked=False, **how).clean, how)

    def test_what_a_shell_tells_of_a_signal(self) -> None:
        for how, name in (
            ({"code": 128 + signal.SIGKILL}, "SIGKILL"),
            ({"code": 128 + signal.SIGSEGV}, "SIGSEGV"),
            ({"signal": "SIGABRT"}, "SIGABRT"),
            ({"code": 128}, None),
            ({"code": 255}, None),
            ({"code": 1}, None),
            ({}, None),
        ):
            self.assertEqual(Exit(pid=1, **how).fatal_signal, name, how)

    def test_in_words(self) -> None:
        for how, words in (
            ({"code": 3}, "exited with code 3"),
            ({"signal": "SIGKILL"}, "ended by SIGKILL"),
            ({"failure": "main.py is missing"}, "was not started: main.py is missing"),
            ({}, "ended, nobody knows how"),
        ):
            self.assertEqual(str(Exit(pid=1, **how)), words)


class LastExitsTests(SynchronousTestCase):
    def test_the_newest_exits_are_kept_and_come_first(self) -> None:
        exits = LastExits()
        for pid in range(EXITS_KEPT + 5):
            exits.add(pid, Exit(pid=pid, code=pid), None)
        self.assertEqual([ending.end.pid for ending in exits], list(range(14, 4, -1)))

    def test_proof_is_of_the_very_process(self) -> None:
        exits = LastExits()
        for pid, code in ((None, None), (5, 1), (6, 2), (5, 3)):
            exits.add(0, Exit(pid=pid, code=code), None)
        self.assertEqual(exits.proof(5)["exitCode"], 3)
        self.assertEqual(exits.proof(6)["exitCode"], 2)
        self.assertIsNone(exits.proof(7))
        self.assertIsNone(exits.proof(None))
