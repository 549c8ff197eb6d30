"""Events of what the broker's library gives."""

from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace

from twisted.trial.unittest import SynchronousTestCase

from gateway.client.convert import bidask_event, contract_event, tick_event

TIME = datetime(2026, 11, 23, 9, 0, 0, 500000)


class ConversionTests(SynchronousTestCase):
    def tick(self, price, **more):
        prices = {"open": price("1"), "high": price("3"), "low": price("0.5"), "close": price("2")}
        volumes = {"volume": 4, "total_volume": 9}
        return SimpleNamespace(code="TXFL6", datetime=TIME, **prices, **volumes, **more)

    def test_a_tick_of_1_2_and_of_1_7_make_the_same_event(self) -> None:
        exchange = SimpleNamespace(value="TAIFEX")
        expected = {
            "exchange": "TAIFEX",
            "code": "TXFL6",
            "datetime": "2026-11-23T09:00:00.500000+08:00",
            "open": 1.0,
            "high": 3.0,
            "low": 0.5,
            "close": 2.0,
            "price": 2.0,
            "volume": 4,
            "total_volume": 9,
        }
        self.assertEqual(tick_event(exchange, self.tick(Decimal)), expected)
        self.assertEqual(tick_event(self.tick(str, exchange="TAIFEX")), expected)

    def test_what_the_broker_gives_is_passed_on(self) -> None:
        fields = {
            "simtrade": True,
            "tick_type": 2,
            "chg_type": 4,
            "price_chg": "-1.5",
            "pct_chg": Decimal("-0.5"),
        }
        more = {
            "avg_price": "2.25",
            "underlying_price": "",
            "bid_side_total_vol": 7,
            "intraday_odd": False,
        }
        event = tick_event(self.tick(str, exchange="TAIFEX", **fields, **more))
        for name, value in {
            **fields,
            "price_chg": -1.5,
            "pct_chg": -0.5,
            "avg_price": 2.25,
        }.items():
            self.assertEqual(event[name], value)
        self.assertIs(event["simtrade"], True)
        self.assertNotIn("underlying_price", event)

    def test_a_time_that_has_a_zone_keeps_it(self) -> None:
        tick = self.tick(str, exchange="TSE")
        tick.datetime = TIME.replace(tzinfo=UTC)
        self.assertEqual(tick_event(tick)["datetime"], "2026-11-23T09:00:00.500000+00:00")

    def test_a_future_of_1_7_has_other_names(self) -> None:
        future = SimpleNamespace(code="TXFL6", root="TXF", multiplier=200.0, name=None)
        told = {"code": "TXFL6", "category": "TXF", "unit": 200.0}
        self.assertEqual(contract_event(future), told)

    def test_what_1_7_does_not_know_of_a_contract_it_says_as_0(self) -> None:
        unknown = dict.fromkeys(("reference", "limit_up", "limit_down", "strike_price"), 0.0)
        future = SimpleNamespace(code="TXFL6", unit=0.0, multiplier=200.0, **unknown)
        self.assertEqual(contract_event(future), {"code": "TXFL6", "unit": 200.0})

    def test_a_contract_of_an_option(self) -> None:
        right = SimpleNamespace(value="C")
        facts = {
            "name": "臺指選擇權",
            "exchange": SimpleNamespace(value="TAIFEX"),
            "category": "TXO",
        }
        option = SimpleNamespace(
            code="TXO23000L6",
            target_code=None,
            strike_price=23000,
            option_right=right,
            delivery_date=date(2026, 12, 16),
            limit_up=Decimal("500.5"),
            **facts,
        )
        self.assertEqual(
            contract_event(option),
            {
                "code": "TXO23000L6",
                "name": "臺指選擇權",
                "exchange": "TAIFEX",
                "category": "TXO",
                "delivery_date": "2026-12-16",
                "option_right": "C",
                "limit_up": 500.5,
                "strike_price": 23000.0,
            },
        )

    def test_a_quote(self) -> None:
        quote = SimpleNamespace(
            exchange="TSE",
            code="2330",
            datetime=TIME,
            bid_price=["99.5", "99"],
            bid_volume=[1, 2],
            ask_price=[Decimal("100"), Decimal("100.5")],
            ask_volume=[3, 4],
        )
        event = bidask_event(quote)
        self.assertEqual((event["bid_price"], event["bid_volume"]), ([99.5, 99.0], [1, 2]))
        self.assertEqual((event["ask_price"], event["ask_volume"]), ([100.0, 100.5], [3, 4]))
