"""What both versions of the library have: orders, accounts, questions, decorators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rehearsed.record import Record, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rehearsed.broker import Broker


class Order(Record):
    """What `api.Order(...)` makes; missing fields have the library's defaults."""

    def __init__(self, **fields: Any) -> None:
        if "time_in_force" in fields:
            fields.setdefault("order_type", fields["time_in_force"])
        given = {"order_type": "ROD", "price_type": "LMT", "account": None, **fields}
        missing = [name for name in ("action", "price", "quantity") if name not in given]
        if missing:
            raise TypeError(f"Order: {', '.join(missing)} missing")
        super().__init__(**given)


class Client:
    """A logged-in session, as far as it is the same in 1.2 and 1.7."""

    Order = Order
    broker: Broker
    broker_type: Callable[..., Broker]
    """Makes the other end, given this one."""

    # -- Accounts and questions.

    @property
    def stock_account(self) -> Any:
        return self.broker.accounts[0]

    @property
    def futopt_account(self) -> Any:
        return self.broker.accounts[1]

    def list_accounts(self) -> list[Any]:
        return list(self.broker.accounts)

    def set_default_account(self, account: Any) -> None:
        """There is one of each kind."""

    def subscribe_trade(self, account: Any, timeout: int = 30000) -> bool:
        return True

    def activate_ca(
        self, ca_path: str, ca_passwd: str, person_id: str = "", store: int = 0
    ) -> bool:
        return True

    def usage(self, timeout: int = 30000, cb: Any = None) -> Any:
        return self._answer(self.broker.usage(), timeout, cb)

    def snapshots(self, contracts: Sequence[Any], timeout: int = 30000, cb: Any = None) -> Any:
        return self._answer(self.broker.snapshots(contracts), timeout, cb)

    def kbars(
        self,
        contract: Any,
        start: str | None = None,
        end: str | None = None,
        timeout: int = 30000,
        cb: Any = None,
    ) -> Any:
        return self._answer(self.broker.kbars(contract, start, end), timeout, cb)

    # -- Callbacks of the session; `@api.on_event` and `@api.on_event()` are the same.

    def set_session_down_callback(self, callback: Callable[[], object]) -> None:
        self.broker.told.session_down = callback

    def on_session_down(self, callback: Any = None) -> Any:
        return _decorated(self.set_session_down_callback, callback)

    def set_event_callback(self, callback: Callable[[int, int, str, str], object]) -> None:
        """Have `callback(response, code, info, text)` called when the session goes up or down."""
        self.broker.told.event = callback

    def on_event(self, callback: Any = None) -> Any:
        return _decorated(self.set_event_callback, callback)

    # -- Orders.

    def place_order(self, contract: Any, order: Any, timeout: int = 5000, cb: Any = None) -> Any:
        return self._answer(self.broker.place(contract, order), timeout, cb)

    def cancel_order(self, trade: Any, timeout: int = 5000, cb: Any = None) -> Any:
        return self._answer(self.broker.cancel(trade), timeout, cb)

    def update_order(
        self,
        trade: Any,
        price: float | None = None,
        qty: int | None = None,
        timeout: int = 5000,
        cb: Any = None,
    ) -> Any:
        return self._answer(self.broker.update(trade, price, qty), timeout, cb)

    def update_status(
        self, account: Any = None, trade: Any = None, timeout: int = 5000, cb: Any = None
    ) -> None:
        """Trades are always up to date here."""
        if cb is not None:
            cb(self.list_trades())

    def list_trades(self) -> list[Any]:
        return list(self.broker.orders.trades)

    def list_positions(
        self, account: Any = None, unit: Any = None, timeout: int = 5000, cb: Any = None
    ) -> Any:
        stocks = plain(getattr(account, "account_type", "S")) == "S"
        return self._answer(self.broker.orders.positions(stocks=stocks), timeout, cb)

    def set_order_callback(self, callback: Callable[[Any, Any], object]) -> None:
        self.broker.told.order = callback

    def on_order(self, callback: Any = None) -> Any:
        return _decorated(self.set_order_callback, callback)

    # -- Callbacks of quotes.

    def on_tick_stk_v1(self, bind: bool = False) -> Callable[..., Any]:
        return self._decorator("tick_stk_v1", bind)

    def on_tick_fop_v1(self, bind: bool = False) -> Callable[..., Any]:
        return self._decorator("tick_fop_v1", bind)

    def on_bidask_stk_v1(self, bind: bool = False) -> Callable[..., Any]:
        return self._decorator("bidask_stk_v1", bind)

    def on_bidask_fop_v1(self, bind: bool = False) -> Callable[..., Any]:
        return self._decorator("bidask_fop_v1", bind)

    def on_quote_stk_v1(self, bind: bool = False) -> Callable[..., Any]:
        return self._decorator("quote_stk_v1", bind)

    def on_quote_fop_v1(self, bind: bool = False) -> Callable[..., Any]:
        return self._decorator("quote_fop_v1", bind)

    def set_context(self, context: Any) -> None:
        """`context` comes first in the callbacks that were registered with `bind=True`."""
        self.context = context

    def register(self, kind: str, callback: Callable[..., Any], bind: bool) -> None:
        """Have `callback` called for quotes of a kind."""
        raise NotImplementedError

    def _decorator(self, kind: str, bind: bool) -> Callable[..., Any]:
        def decorate(callback: Callable[..., Any]) -> Callable[..., Any]:
            self.register(kind, callback, bind)
            return callback

        return decorate

    def _answer(self, value: Any, timeout: int, cb: Any) -> Any:
        """An answer is there at once, or handed to `cb` where nobody waits (`timeout` 0)."""
        if cb is not None:
            cb(value)
        return value


def _decorated(register: Callable[[Any], None], callback: Any) -> Any:
    """Register `callback` and return it; None: return what does that."""
    if callback is None:
        return lambda given: _decorated(register, given)
    register(callback)
    return callback
