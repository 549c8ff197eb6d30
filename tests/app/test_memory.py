"""When memory is given back."""

from unittest.mock import patch

from twisted.trial.unittest import SynchronousTestCase

from gateway.app import process
from gateway.app.process import MemoryTrimmer, trim_now


class GivesBackTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.count = self.given = 0
        self.gives = MemoryTrimmer(lambda: self.count, self.give_back)

    def give_back(self) -> None:
        self.given += 1

    def looks(self, *counts: int) -> int:
        """How often memory is given back while there are so many clients at each look."""
        before = self.given
        for self.count in counts:
            self.gives.look()
        return self.given - before

    def test_when_half_of_a_crowd_has_left(self) -> None:
        self.assertEqual(self.looks(0, 100, 60, 51), 0)
        self.assertEqual(self.looks(50), 1)
        self.assertEqual(self.looks(50, 49, 30), 0)
        self.assertEqual(self.looks(25), 1)
        self.assertEqual(self.looks(0, 0, 0), 0)

    def test_not_for_a_few_that_come_and_go(self) -> None:
        self.assertEqual(self.looks(*(49, 0) * 10), 0)

    def test_not_while_as_many_come_as_go(self) -> None:
        self.assertEqual(self.looks(1000, 900, 1100, 800, 1000, 600), 0)

    def test_a_c_library_without_it_does_no_harm(self) -> None:
        trim_now()
        with patch.object(process.ctypes, "CDLL", lambda _: object()):
            trim_now()
