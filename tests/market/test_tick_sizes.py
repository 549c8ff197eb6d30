"""The steps of prices, by code and price."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gateway.market.tick_sizes import tick_sizes

NOT_KNOWN = None


def step(code: str, price: float, **told: Any) -> float | None:
    """The step of `price`, as a reader of `tick` finds it."""
    sizes = tick_sizes({"code": code, **told})
    if sizes is None:
        return NOT_KNOWN
    return next(size for below, size in sizes if below is None or abs(price) < below)


class TickSizeTests(SynchronousTestCase):
    def check(self, code: str, *steps: tuple[float, float | None]) -> None:
        found = [(price, step(code, price)) for price, _ in steps]
        self.assertEqual(found, list(steps), code)

    def test_stocks_have_six_steps(self) -> None:
        below = [(9.99, 0.01), (49.95, 0.05), (99.9, 0.1), (499.5, 0.5), (999, 1)]
        above = [(10, 0.05), (50, 0.1), (100, 0.5), (500, 1), (1000, 5), (12_350, 5)]
        for code in ("2330", "6488", "9105", "2881A"):
            self.check(code, *below, *above)

    def test_funds_have_two_steps(self) -> None:
        for code in ("0050", "00878", "00632R", "006208", "01001T", "020000", "02001L"):
            self.check(code, (9.99, 0.01), (49.99, 0.01), (50, 0.05), (1234, 0.05))

    def test_options_go_by_their_premium(self) -> None:
        steps = [(9.9, 0.1), (10, 0.5), (50, 1), (500, 5), (1000, 10)]
        for code in ("TXO31300L6", "TX131300L6", "TXU31300X6"):
            self.check(code, *steps)
        stocks = [(4.99, 0.01), (5, 0.05), (15, 0.1), (50, 0.5), (150, 1), (1000, 5)]
        self.check("CDO01000L6", *stocks)

    def test_futures_have_one_step_at_any_price(self) -> None:
        for code in ("TXFR1", "TXFL6", "MXFA7", "TMFR2"):
            self.check(code, (0.5, 1), (31_268, 1), (-42, 1))
        self.check("EXFL6", (1500, 0.05))
        self.check("FXFL6", (2500, 0.2))

    def test_a_spread_has_the_step_of_its_legs(self) -> None:
        self.check("TXFL6/TXFA7", (-42, 1))
        self.check("TXFL6/EXFL6", (-42, NOT_KNOWN))

    def test_a_future_on_a_security_goes_by_the_security(self) -> None:
        self.assertEqual(step("CDFL6", 2015, underlying_code="2330"), 5)
        self.assertEqual(step("NYFL6", 78.35, underlying_code="0050"), 0.05)
        self.assertEqual(step("CDFL6", 2015), NOT_KNOWN)
        self.assertEqual(step("CDFL6", 2015, underlying_code=["2330"]), NOT_KNOWN)

    def test_what_is_not_published_here_is_not_known(self) -> None:
        for code in ("030001", "TEO01500L6", "BTCUSDT", "", "weather", "TXFL", "/"):
            self.check(code, (100, NOT_KNOWN))

    def test_the_worker_knows_better(self) -> None:
        self.assertEqual(step("2330", 2015, tick_size=1), 1)
        for nonsense in (0, -1, True, "1", None, 1e9):
            self.assertEqual(step("2330", 2015, tick_size=nonsense), 5)
