"""均線與下單的例子：一分鐘收盤價由下往上穿過五分鐘均線時，模擬買進一口。
A moving average and an order: when the close of a minute rises above the average of five, it buys
one contract, once, in simulation.

    SIMULATION=true twistd -n sjgateway --main examples/indicator_worker.py

每根 K 棒送出一個 `indicator` 事件，下單與成交則送出 `order`。
Each bar is told as the event `indicator`, orders and deals as `order`.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from typing import Any

from gateway.client.rule import Rule
from gateway.client.run import run

CODE = "TXFR1"
BARS = 5


class Average(Rule):
    """五分鐘均線。 The average of five minutes."""

    def __init__(self) -> None:
        self._closes: deque[float] = deque(maxlen=BARS)
        self._above: bool | None = None
        self._has_bought = False

    def subscribe(self) -> list[str]:
        self.api.set_order_callback(self._told)
        return [CODE]

    def on_bar(self, bar: dict[str, Any]) -> None:
        self._closes.append(bar["close"])
        if len(self._closes) < BARS:
            return
        average = sum(self._closes) / BARS
        rises = self._above is False and bar["close"] > average
        self._above = bar["close"] > average
        told = {"code": bar["code"], "time": bar["time"], "close": bar["close"]}
        self.gateway.emit("indicator", {**told, "average": average, "buys": rises})
        if rises and not self._has_bought:
            self._has_bought = True
            self._buy(bar["close"])

    def _buy(self, price: float) -> None:
        """限價買進一口；只在模擬帳號。 Buy one contract at `price`, in simulation only."""
        if self.api is None or os.environ.get("SIMULATION") != "true":
            return
        order = self.api.Order(
            action="Buy",
            price=price,
            quantity=1,
            price_type="LMT",
            order_type="ROD",
            octype="Auto",
            account=self.api.futopt_account,
        )
        trade = self.api.place_order(self.api.Contracts.Futures[CODE], order)
        self.gateway.emit("order", {"state": "placed", "id": trade.order.id, "price": price})

    def _told(self, state: Any, message: Any) -> None:
        """委託與成交回報，在 Shioaji 的執行緒上。 What becomes of it, on a thread of Shioaji's."""
        deal = {key: message[key] for key in ("code", "price", "quantity") if key in message}
        self.gateway.emit("order", {"state": str(getattr(state, "value", state)), **deal})


if __name__ == "__main__":
    sys.exit(run(Average(), sys.argv[1:]))
