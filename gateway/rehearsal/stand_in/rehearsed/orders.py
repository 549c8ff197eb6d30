"""Orders of a rehearsal: accepted, filled whole at the recorded best price, told by the callback.

A market order is filled at once, at the best price of the other side, or at the last one where no
bid or ask was recorded.  A limit order is filled when that price is as good as its own, now or
later; IOC and FOK that are not filled at once are cancelled.  No thread of its own: `place` and
`quote` return what is to be told.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from rehearsed.record import Record, plain, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rehearsed.contracts import Contract

Told = tuple[str, dict[str, Any]]
"""An event for the order callback: such as `FuturesDeal`, and its message."""


class Orders:
    """All orders of one login.  `best(codes, action)` is the price at which it would be filled.

    None: there is none yet.  `now()` gives the recording's time, in seconds since 1970.
    """

    def __init__(
        self, best: Callable[[set[str], str], float | None], now: Callable[[], float]
    ) -> None:
        self._best = best
        self._now = now
        self._numbers: Iterator[int] = itertools.count(1)
        self.trades: list[Any] = []
        self._waiting: list[Any] = []

    def place(self, contract: Contract, order: Any) -> tuple[Any, list[Told]]:
        """Accept an order: its trade, and what is told of it.  Raises ValueError."""
        if int(order.quantity) < 1:
            raise ValueError("an order needs a quantity of 1 or more")
        number = next(self._numbers)
        order.id, order.seqno, order.ordno = f"{number:08x}", f"{number:06}", f"R{number:04}"
        status = Record(
            id=order.id,
            status="Submitted",
            status_code="00",
            msg="",
            order_quantity=int(order.quantity),
            deal_quantity=0,
            cancel_quantity=0,
            modified_price=0.0,
            deals=[],
        )
        trade = Record(contract=contract, order=order, status=status)
        self.trades.append(trade)
        self._waiting.append(trade)
        told = [self._operation(trade, "New"), *self._try(trade)]
        if text(order.order_type) in {"IOC", "FOK"} and status.status == "Submitted":
            told += self.cancel(trade)
        return trade, told

    def cancel(self, trade: Any) -> list[Told]:
        """Cancel what waits; nothing is told where nothing does."""
        if trade.status.status != "Submitted":
            return []
        trade.status.status = "Cancelled"
        trade.status.cancel_quantity = trade.status.order_quantity
        return [self._operation(trade, "Cancel")]

    def update(self, trade: Any, price: float | None, quantity: int | None) -> list[Told]:
        """Give it another price, or take `quantity` off; what is left at 0 is cancelled."""
        if trade.status.status != "Submitted":
            return []
        if quantity:
            trade.order.quantity = max(0, int(trade.order.quantity) - quantity)
            trade.status.order_quantity = trade.order.quantity
            if not trade.order.quantity:
                return self.cancel(trade)
            told = [self._operation(trade, "UpdateQty")]
        else:
            trade.order.price = trade.status.modified_price = float(price or trade.order.price)
            told = [self._operation(trade, "UpdatePrice")]
        return told + self._try(trade)

    def quote(self, code: str) -> list[Told]:
        """A quote of `code` has come: what is filled by it."""
        self._waiting = [each for each in self._waiting if each.status.status == "Submitted"]
        return [
            told
            for trade in self._waiting
            if code in codes_of(trade.contract)
            for told in self._try(trade)
        ]

    def positions(self, *, stocks: bool) -> list[Any]:
        """What was bought and not sold, by code; of stocks, or of futures and options."""
        net: dict[str, int] = {}
        spent: dict[str, float] = {}
        for trade in self.trades:
            if (trade.contract.kind == "Stocks") is not stocks:
                continue
            sign = 1 if text(trade.order.action) == "Buy" else -1
            for deal in trade.status.deals:
                code = trade.contract.target_code or trade.contract.code
                net[code] = net.get(code, 0) + sign * deal.quantity
                spent[code] = spent.get(code, 0.0) + sign * deal.quantity * deal.price
        held = [(code, quantity) for code, quantity in net.items() if quantity]
        return [
            Record(
                id=number,
                code=code,
                direction="Buy" if quantity > 0 else "Sell",
                quantity=abs(quantity),
                price=spent[code] / quantity,
                last_price=self._best({code}, "Last") or 0.0,
                pnl=((self._best({code}, "Last") or 0.0) * quantity - spent[code]),
            )
            for number, (code, quantity) in enumerate(held)
        ]

    def _try(self, trade: Any) -> list[Told]:
        """Fill it, where the market is there."""
        order = trade.order
        buys = text(order.action) == "Buy"
        best = self._best(codes_of(trade.contract), text(order.action))
        if best is None:
            return []
        limit = float(order.price)
        if text(order.price_type) == "LMT" and (best > limit if buys else best < limit):
            return []
        quantity = int(order.quantity)
        deal = Record(seq=order.seqno, price=best, quantity=quantity, ts=self._now())
        trade.status.deals.append(deal)
        trade.status.status, trade.status.deal_quantity = "Filled", quantity
        return [self._deal(trade, deal)]

    def _deal(self, trade: Any, deal: Any) -> Told:
        contract, order = trade.contract, trade.order
        account = order.account
        told = {
            "trade_id": order.id,
            "seqno": order.seqno,
            "ordno": order.ordno,
            "exchange_seq": order.seqno,
            "broker_id": account.broker_id,
            "account_id": account.account_id,
            "action": text(order.action),
            "code": contract.category or contract.code,
            "price": deal.price,
            "quantity": deal.quantity,
            "ts": deal.ts,
            "web_id": "137",
            "custom_field": text(getattr(order, "custom_field", "")),
        }
        if contract.kind == "Stocks":
            more = {"code": contract.code, "order_cond": "Cash", "order_lot": "Common"}
            return "StockDeal", {**told, **more}
        full = contract.target_code or contract.code
        return "FuturesDeal", {**told, "full_code": full, "security_type": contract.security_type}

    def _operation(self, trade: Any, kind: str) -> Told:
        order, contract = trade.order, trade.contract
        names = ("id", "seqno", "ordno", "action", "price", "quantity", "order_type", "price_type")
        told = {
            "operation": {"op_type": kind, "op_code": "00", "op_msg": ""},
            "order": {
                **{name: plain(getattr(order, name)) for name in names},
                "account": vars(order.account).copy(),
            },
            "status": {
                "id": order.id,
                "exchange_ts": self._now(),
                "modified_price": trade.status.modified_price,
                "cancel_quantity": trade.status.cancel_quantity,
                "order_quantity": trade.status.order_quantity,
                "web_id": "137",
            },
            "contract": {
                "code": contract.code,
                "exchange": plain(contract.exchange),
                "security_type": contract.security_type,
                "symbol": contract.symbol,
                "name": contract.name,
            },
        }
        return ("StockOrder" if contract.kind == "Stocks" else "FuturesOrder"), told


def codes_of(contract: Contract) -> set[str]:
    """The codes under which it is quoted."""
    return {contract.code, contract.target_code} - {""}
