"""Signed private ids."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.relay.journal import Offset
from gateway.relay.pids import Pid, Pids

PID = Pid("a_sid-of-it", Offset("E", 17))


class PidTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.pids = Pids(lambda: b"k" * 32, "/")
        self.text = self.pids.sign(PID)

    def test_it_says_who_it_is(self) -> None:
        self.assertEqual(self.pids.read(self.text), PID)

    def test_any_other_process_with_the_key_believes_it(self) -> None:
        self.assertEqual(Pids(lambda: b"k" * 32, "/").read(self.text), PID)

    def test_nobody_else_does(self) -> None:
        for key, namespace in ((b"l" * 32, "/"), (b"k" * 32, "/chat")):
            self.assertEqual(Pids(lambda key=key: key, namespace).read(self.text), None)  # type: ignore[misc]

    def test_a_change_of_any_character_is_noticed(self) -> None:
        for index, character in enumerate(self.text):
            other = "x" if character != "x" else "y"
            changed = self.text[:index] + other + self.text[index + 1 :]
            self.assertEqual(self.pids.read(changed), None, changed)

    def test_what_is_none_is_nothing_to_stumble_over(self) -> None:
        for text in ("", ".", "..", "a.E-1", "密", "x" * 10_000, self.text + "=", "\0"):
            self.assertEqual(self.pids.read(text), None, text)
