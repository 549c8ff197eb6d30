"""Places for names."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.relay.shares import MAX_LENGTH, OTHER, Places

STRANGER = "192.0.2.1"


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
