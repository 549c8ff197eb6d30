"""Bounds that many share, and places for names."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.common.shares import MAX_LENGTH, OTHER, Places, Shares

STRANGER = "192.0.2.1"


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


class PlacesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.places = Places(("tick",), 10)

    def placed(self, owner: str, *names: str) -> list[str]:
        return [name for name in names if self.places.of(name, owner) == name]

    def test_known_names_always_have_one(self) -> None:
        for number in range(100):
            self.places.of(f"{number}", "" if number % 2 else STRANGER)
        for owner in ("", STRANGER):
            self.assertEqual(self.places.of("tick", owner), "tick")

    def test_so_many_further_ones_of_the_trusted(self) -> None:
        names = [f"{number}" for number in range(12)]
        self.assertEqual(self.placed("", *names), names[:10])
        self.assertEqual(self.places.of("10", ""), OTHER)
        self.assertEqual(self.placed("", *names), names[:10])

    def test_of_strangers_each_address_has_a_share(self) -> None:
        for number in range(10):
            names = [f"{number}.{n}" for n in range(3)]
            share = names[:2] if number < 5 else []
            self.assertEqual(self.placed(f"192.0.2.{number}", *names), share)

    def test_a_name_that_a_stranger_was_first_to_use_becomes_the_trusted_ones(self) -> None:
        self.assertEqual(self.placed(STRANGER, "a", "b"), ["a", "b"])
        names = [f"{number}" for number in range(9)]
        self.assertEqual(self.placed("", "a", *names), ["a", *names])
        self.assertEqual(self.placed("", "b", "c"), ["b"], "there is no room, but it has one")

    def test_long_names_have_none(self) -> None:
        for owner in ("", STRANGER):
            self.assertEqual(self.places.of("x" * (MAX_LENGTH + 1), owner), OTHER)
