"""The demonstration: its walk, its rate, what it tells."""

import random
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gateway.client.convert import bidask_event
from gateway.client.demo import Demo, instruments
from tests.client.told import Told
from tests.untraced import untraced


class WalkTests(SynchronousTestCase):
    def walk(self, seed: int, number: int) -> list[tuple[str, float]]:
        told = Told()
        demo = Demo(told, rate=1, seed=seed, codes=[])
        events = [next(demo._events) for _ in range(number)]
        return [(data["code"], data["price"]) for name, data in events if name == "market_tick"]

    def test_the_seed_decides_the_walk(self) -> None:
        self.assertEqual(self.walk(1, 200), self.walk(1, 200))
        self.assertNotEqual(self.walk(1, 200), self.walk(2, 200))

    @untraced
    @settings(deadline=None, max_examples=20)
    @given(seed=st.integers(min_value=0, max_value=2**32), which=st.integers(0, 5))
    def test_a_price_stays_within_the_daily_limit_and_on_its_ticks(
        self, seed: int, which: int
    ) -> None:
        one = instruments(date(2026, 11, 23))[which]
        rng = random.Random(seed)
        volumes = 0
        for _ in range(1500):
            one.trade(rng)
            volumes += one.volume
            self.assertLessEqual(abs(one.close - one.reference), one.reference * 0.1 + one.tick)
            self.assertLessEqual(one.low, one.close)
            self.assertGreaterEqual(one.high, one.close)
            steps = (one.close - one.reference) / one.tick
            self.assertAlmostEqual(steps, round(steps), places=6)
        self.assertEqual(one.total_volume, volumes)

    def test_a_quote_lies_around_the_last_price(self) -> None:
        one = instruments(date(2026, 11, 23))[0]
        one.trade(random.Random(1))
        event, last = bidask_event(one), one.close
        self.assertEqual(event["bid_price"], [last, last - 1, last - 2, last - 3, last - 4])
        self.assertEqual(event["ask_price"], [last + 1, last + 2, last + 3, last + 4, last + 5])
        self.assertEqual((len(event["bid_volume"]), len(event["ask_volume"])), (5, 5))

    def test_the_options_are_of_the_month(self) -> None:
        for month, codes in (
            (1, ["TXO23000A6", "TXO23000M6"]),
            (12, ["TXO23000L6", "TXO23000X6"]),
        ):
            found = [one.code for one in instruments(date(2026, month, 1))]
            self.assertEqual([code for code in found if code.startswith("TXO")], codes)


class DemoTests(SynchronousTestCase):
    def demo(self, rate: float, codes: list[str] | None = None) -> tuple[Demo, Told]:
        told = Told()
        return Demo(told, rate=rate, seed=1, codes=codes or []), told

    def test_it_is_ready_at_once_and_says_what_is_coming(self) -> None:
        demo, told = self.demo(10)
        list(demo.open())
        names = ["shioaji_ready", "python_status", "contracts_loaded"]
        self.assertEqual(told.names, [*["market_contract"] * 6, *names])
        ready, _, contracts = (data for _, data in told.events[6:])
        future = told.events[0][1]
        self.assertEqual((future["code"], future["reference"]), ("TXFR1", 23000))
        self.assertEqual((ready["status"], ready["service_type"]), ("ready", "market_data"))
        self.assertEqual(contracts["count"], 6)
        self.assertTrue(contracts["sample"].startswith("TXFR1 臺股期貨近月, "))
        self.assertEqual(demo.state()["subscribed_contracts"], 6)
        self.assertEqual(demo.state()["current_price"], 23000)

    def test_the_rate_is_kept(self) -> None:
        for rate in (10, 4000):
            demo, told = self.demo(rate)
            now = demo._due
            for _ in range(100):
                due = demo.step(now)
                self.assertGreater(due, now)
                now += 0.01
            self.assertTrue(abs(told.published.qsize() - rate * 0.99) <= 1 + rate * 0.01)

    def test_a_standstill_is_not_made_up_for(self) -> None:
        demo, told = self.demo(1000)
        demo.step(demo._due + 3600)
        self.assertLessEqual(told.published.qsize(), 251)

    def test_a_tick_and_a_quote_of_the_same_contract_take_turns(self) -> None:
        demo, told = self.demo(1000, ["TXFR1", "9999", "ZZF"])
        demo.step(demo._due + 0.1)
        events = [told.published.get() for _ in range(100)]
        self.assertEqual({name for name, _ in events[::2]}, {"market_tick"})
        self.assertEqual({name for name, _ in events[1::2]}, {"market_bidask"})
        codes = [data["code"] for _, data in events]
        self.assertEqual(codes[::2], codes[1::2])
        self.assertEqual(set(codes), {"TXFR1", "9999", "ZZF"})

    def test_a_snapshot_of_each_contract(self) -> None:
        demo, told = self.demo(10, ["2330", "2317"])
        demo.snapshot()
        (name, first), (_, second) = (told.published.get() for _ in range(2))
        self.assertEqual((name, first["name"]), ("market_snapshot", "台積電"))
        fields = {"code", "name", "open", "high", "low", "close", "volume", "amount"}
        known = {"exchange", "total_volume", "reference", "limit_up", "limit_down"}
        self.assertEqual(set(second), {*fields, *known})
