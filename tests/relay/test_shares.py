"""Bounds that many share."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.relay.shares import Shares


class SharesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.shares: Shares[int, str] = Shares(10)

    def left(self, *keys: int) -> list[int]:
        return [key for key in keys if self.shares.pop(key) is not None]

    def test_a_value_is_found_once(self) -> None:
        self.shares.put("a", 1, "one")
        self.assertEqual((self.shares.get(1), self.shares.get(2)), ("one", None))
        self.assertEqual((self.shares.pop(1), self.shares.pop(1)), ("one", None))
        self.assertEqual(len(self.shares), 0)

    def test_who_has_the_most_loses_its_oldest(self) -> None:
        for key in range(3):
            self.shares.put("quiet", key, "")
        for key in range(100, 200):
            self.shares.put("loud", key, "")
        self.assertEqual(len(self.shares), 10)
        self.assertEqual(self.left(0, 1, 2), [0, 1, 2])
        self.assertEqual(self.left(*range(100, 200)), list(range(193, 200)))

    def test_one_alone_may_have_everything(self) -> None:
        for key in range(10):
            self.shares.put("a", key, "")
        self.assertEqual(len(self.left(*range(10))), 10)

    def test_a_value_that_is_put_again_counts_once_and_as_new(self) -> None:
        for key in range(10):
            self.shares.put("a", key, "")
        self.shares.put("b", 0, "again")
        self.assertEqual(len(self.shares), 10)
        self.shares.put("b", 99, "")
        self.assertEqual(self.left(0, 1, 2, 99), [0, 2, 99])
