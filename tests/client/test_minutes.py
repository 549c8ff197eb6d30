"""Bars of one minute, by the market's time."""

from twisted.trial.unittest import SynchronousTestCase

from gateway.client.minutes import GRACE, Minutes


def tick(clock: str, price: float, volume: int = 1, code: str = "TXFL6", **more: object) -> dict:
    at = f"2026-11-30T{clock}+08:00"
    return {"code": code, "datetime": at, "price": price, "volume": volume, **more}


class MinutesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.now = 0.0
        self.minutes = Minutes(lambda: self.now)

    def test_the_next_minute_ends_a_bar(self) -> None:
        for clock, price, volume in (("09:00:01", 5, 1), ("09:00:30", 8, 2), ("09:00:59", 6, 3)):
            self.assertIsNone(self.minutes.add(tick(clock, price, volume)))
        self.assertIsNone(self.minutes.add(tick("09:01:00", 1, code="2330")))
        bar = self.minutes.add(tick("09:01:00", 7, 4))
        prices = {"open": 5, "high": 8, "low": 5, "close": 6, "volume": 6}
        time = "2026-11-30T09:00:00+08:00"
        self.assertEqual(bar, {"code": "TXFL6", "time": time, **prices})

    def test_a_bar_ends_by_itself_a_little_after_its_minute(self) -> None:
        self.minutes.add(tick("09:00:50", 5))
        self.now = 10 + GRACE - 0.1
        self.assertEqual(self.minutes.over(), [])
        self.now += 0.2
        self.assertEqual([bar["close"] for bar in self.minutes.over()], [5])
        self.assertEqual(self.minutes.over(), [])

    def test_what_comes_late_changes_nothing(self) -> None:
        self.minutes.add(tick("09:00:50", 5))
        self.now = 100
        self.minutes.over()
        self.assertIsNone(self.minutes.add(tick("09:00:59", 9)))
        self.assertIsNone(self.minutes.add(tick("09:02:00", 6)))
        self.assertIsNone(self.minutes.add(tick("09:01:59", 9)))
        bar = self.minutes.add(tick("09:03:00", 7))
        self.assertEqual((bar["time"][11:16], bar["high"], bar["volume"]), ("09:02", 6, 1))

    def test_a_trial_match_is_no_trade(self) -> None:
        self.assertIsNone(self.minutes.add(tick("08:59:00", 9, simtrade=True)))
        self.minutes.add(tick("09:00:00", 5))
        self.assertEqual(self.minutes.add(tick("09:01:00", 7))["high"], 5)
