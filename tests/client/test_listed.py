"""How many strikes an option's expiry has, by what each version of the library has."""

from datetime import date
from types import SimpleNamespace

from twisted.trial.unittest import SynchronousTestCase

from gateway.client.listed import ListedStrikes

DECEMBER, JANUARY = "2026-12-16", "2027-01-20"


def option(strike, day):
    return SimpleNamespace(strike_price=strike, delivery_date=day)


class Once:
    """Contracts that can be gone through once: a product has thousands."""

    def __init__(self, *contracts):
        self._contracts = iter(contracts)

    def __iter__(self):
        return self._contracts


def facts(code="TXO23000L6", **more):
    told = {"code": code, "category": "TXO", "delivery_date": DECEMBER, "strike_price": 23000.0}
    return told | more


class ListedStrikesTests(SynchronousTestCase):
    def listed(self, **products):
        options = SimpleNamespace(**products)
        return ListedStrikes(SimpleNamespace(Contracts=SimpleNamespace(Options=options)))

    def test_a_call_and_a_put_are_one_strike_of_their_day(self) -> None:
        listed = self.listed(
            TXO=Once(
                option(22900, "2026/12/16"),  # as 1.2 has it
                option(23000.0, date(2026, 12, 16)),
                option(23000, DECEMBER),
                option(23000, JANUARY),
            )
        )
        self.assertEqual(listed.event(facts())["listed_strikes"], 2)
        self.assertEqual(listed.event(facts(delivery_date=JANUARY))["listed_strikes"], 1)

    def test_what_is_no_option_stays_as_it_is(self) -> None:
        listed = self.listed(TXO=Once(option(23000, DECEMBER)))
        future = {"code": "TXFL6", "category": "TXF", "delivery_date": DECEMBER}
        self.assertEqual(listed.event(future), future)

    def test_where_the_library_does_not_tell_nothing_is_told(self) -> None:
        for listed in (
            self.listed(),
            self.listed(TXO=Once(SimpleNamespace(strike_price=None))),
            self.listed(TXO=Once(option(23000, JANUARY))),
            ListedStrikes(None),
        ):
            self.assertEqual(listed.event(facts()), facts())
