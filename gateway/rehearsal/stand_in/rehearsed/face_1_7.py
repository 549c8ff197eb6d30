"""shioaji 1.7, in a rehearsal: its signatures and types.

`login` lost `fetch_contract` and its like, prices are str, callbacks take the quote alone (or,
deprecated, two arguments), everything of `api.quote` moved to the client itself, a contract that
does not exist is a KeyError, and nothing but `login` can be called before it.  Quotes of before v1
are gone: an index has a callback of its own.
"""

from __future__ import annotations

import inspect
import re
import warnings
from functools import partial
from types import SimpleNamespace
from typing import Any, Callable

from rehearsed.broker import Broker
from rehearsed.client import Client, Order
from rehearsed.contracts import CONTRACTS, Contract
from rehearsed.contracts_api import ContractsApi
from rehearsed.groups import KINDS, groups
from rehearsed.record import Record
from rehearsed.values import FIELDS, STREAMS, index_fields

__version__ = "1.7.9"


class Enumeration:
    """A member of an enumeration of the native library."""

    def __init__(self, value: str, name: str = "") -> None:
        self.value = value
        self.name = name or value

    def __str__(self) -> str:
        return self.value

    def __eq__(self, other: object) -> bool:
        return getattr(other, "value", other) == self.value

    def __hash__(self) -> int:
        return hash(self.value)


def _members(**values: str) -> Any:
    """An enumeration: its members by name, and called with a value."""
    members = {name: Enumeration(value, name) for name, value in values.items()}

    class Members(SimpleNamespace):
        def __call__(self, value: str) -> Enumeration:
            return next(each for each in members.values() if value in (each.value, each.name))

    return Members(**members)


Exchange = _members(TSE="TSE", OTC="OTC", OES="OES", TAIFEX="TAIFEX")
QuoteType = _members(Tick="tick", BidAsk="bidask", Quote="quote")
QuoteVersion = _members(v1="v1")
SecurityType = _members(Index="IND", Stock="STK", Future="FUT", Option="OPT")
Action = _members(Buy="Buy", Sell="Sell")
StockPriceType = _members(LMT="LMT", MKT="MKT")
FuturesPriceType = _members(LMT="LMT", MKT="MKT", MKP="MKP")
OrderType = TimeInForce = _members(ROD="ROD", IOC="IOC", FOK="FOK")
FuturesOCType = _members(Auto="Auto", New="New", Cover="Cover", DayTrade="DayTrade")
StockOrderLot = _members(Common="Common", Odd="Odd", IntradayOdd="IntradayOdd", Fixing="Fixing")
StockOrderCond = _members(Cash="Cash", MarginTrading="MarginTrading", ShortSelling="ShortSelling")
OptionRight = _members(Call="C", Put="P")
OrderState = _members(
    StockOrder="SORDER", StockDeal="SDEAL", FuturesOrder="FORDER", FuturesDeal="FDEAL"
)
constant = SimpleNamespace(
    **{
        name: globals()[name]
        for name in (
            *("Exchange", "QuoteType", "QuoteVersion", "Action", "StockPriceType", "OrderType"),
            *("FuturesPriceType", "TimeInForce", "FuturesOCType", "StockOrderLot"),
            *("StockOrderCond", "OptionRight", "OrderState", "SecurityType"),
        )
    }
)
StockOrder = FuturesOrder = Order


class ShioajiError(Exception):
    pass


class AuthError(ShioajiError):
    pass


class TokenError(AuthError):
    pass


class SystemMaintenance(ShioajiError):
    pass


class ServerError(ShioajiError):
    pass


class SubscribeError(ShioajiError):
    pass


error = SimpleNamespace(
    ShioajiError=ShioajiError,
    AuthError=AuthError,
    TokenError=TokenError,
    SystemMaintenance=SystemMaintenance,
    ServerError=ServerError,
)
ERRORS: dict[str, Callable[[str], Exception]] = {
    "451": lambda _: ServerError("StatusCode: 451, Detail: Too Many Connections."),
    "503": lambda _: SystemMaintenance("StatusCode: 503, Detail: Service is under maintenance."),
    "token": lambda _: TokenError("StatusCode: 401, Detail: Token is expired."),
    "login": lambda _: AuthError("Not authenticated"),
    "subscriptions": lambda _: SubscribeError("over the limit of 200 subscriptions"),
}


TickSTKv1 = TickFOPv1 = BidAskSTKv1 = BidAskFOPv1 = Record
QuoteSTKv1 = QuoteFOPv1 = QuoteIdxV1 = Record
BaseContract = Stock = Future = Option = Index = Contract
StockInfo = FuturesInfo = OptionInfo = IndexInfo = Contract
INDEXES = (
    {"code": "IX0001", "name": "加權指數", "exchange": "TSE"},
    {"code": "IX0043", "name": "櫃買指數", "exchange": "OTC"},
)
MODULES = {
    "constant": vars(constant),
    "error": vars(error),
    "order": {"Order": Order, "StockOrder": Order, "FuturesOrder": Order},
    "contracts": dict.fromkeys(CONTRACTS, Contract),
    "stream_data_type": dict.fromkeys(STREAMS, Record),
}


_CLEAR = re.compile(r"clear_on_((?:tick|bidask|quote)_(?:stk|fop|idx)_v1)_callback")


class QuoteApi:
    """`api.quote`, deprecated."""

    def __init__(self, client: Shioaji) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        message = f"api.quote.{name} is deprecated, use api.{name} directly"
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        return getattr(self._client, name)


class Shioaji(Client):
    broker_type = Broker
    errors = ERRORS
    indexes = INDEXES

    def __init__(
        self, simulation: bool | None = None, proxy: str | None = None, vpn: bool | None = None
    ) -> None:
        self.broker = self.broker_type(self)
        self.context: Any = None

    @property
    def quote(self) -> QuoteApi:
        return QuoteApi(self)

    @property
    def Contracts(self) -> Any:
        return groups(self.broker.contracts.values(), strict=True)

    @property
    def contracts(self) -> ContractsApi:
        return ContractsApi(self.broker.contracts)

    def fetch_contracts(
        self, contract_download: bool = False, contracts_timeout: int = 0, contracts_cb: Any = None
    ) -> Any:
        for kind in KINDS if contracts_cb is not None else ():
            contracts_cb(kind)
        return self.Contracts

    def login(
        self,
        api_key: str,
        secret_key: str,
        subscribe_trade: bool = True,
        receive_window: int = 30000,
        force_refresh: bool = False,
    ) -> list[Any]:
        return self.broker.log_in(api_key, secret_key)

    def logout(self) -> None:
        if not self.broker.logged_in:
            raise AuthError("Not authenticated")
        self.broker.log_out()

    def subscribe(
        self,
        contract: Any,
        quote_type: Any = "tick",
        intraday_odd: bool = False,
        version: Any = None,
    ) -> None:
        self.broker.subscribe(contract, _kind(contract, quote_type))

    def unsubscribe(
        self,
        contract: Any,
        quote_type: Any = "tick",
        intraday_odd: bool = False,
        version: Any = None,
    ) -> None:
        self.broker.unsubscribe(contract, _kind(contract, quote_type))

    def set_on_tick_stk_v1_callback(self, callback: Callable[..., Any], bind: bool = False) -> None:
        self.register("tick_stk_v1", callback, bind)

    def set_on_tick_fop_v1_callback(self, callback: Callable[..., Any], bind: bool = False) -> None:
        self.register("tick_fop_v1", callback, bind)

    def set_on_bidask_stk_v1_callback(
        self, callback: Callable[..., Any], bind: bool = False
    ) -> None:
        self.register("bidask_stk_v1", callback, bind)

    def set_on_bidask_fop_v1_callback(
        self, callback: Callable[..., Any], bind: bool = False
    ) -> None:
        self.register("bidask_fop_v1", callback, bind)

    def set_on_quote_stk_v1_callback(
        self, callback: Callable[..., Any], bind: bool = False
    ) -> None:
        self.register("quote_stk_v1", callback, bind)

    def set_on_quote_fop_v1_callback(
        self, callback: Callable[..., Any], bind: bool = False
    ) -> None:
        self.register("quote_fop_v1", callback, bind)

    def set_on_quote_idx_v1_callback(
        self, callback: Callable[..., Any], bind: bool = False
    ) -> None:
        self.register("quote_idx_v1", callback, bind)

    def on_quote_idx_v1(self, bind: bool = False) -> Callable[..., Any]:
        return self._decorator("quote_idx_v1", bind)

    def clear_order_callback(self) -> None:
        self.broker.told.order = None

    def clear_event_callback(self) -> None:
        self.broker.told.event = None

    def clear_session_down_callback(self) -> None:
        self.broker.told.session_down = None

    def __getattr__(self, name: str) -> Callable[[], object]:
        """`clear_on_tick_stk_v1_callback` and its like."""
        if found := _CLEAR.fullmatch(name):
            return partial(self.broker.callbacks.pop, found[1], None)
        raise AttributeError(f"'Shioaji' object has no attribute {name!r}")

    def register(self, kind: str, callback: Callable[..., Any], bind: bool) -> None:
        before = (self.context,) if bind else ()
        if len(inspect.signature(callback).parameters) == 2 + len(before):
            message = f"2-argument callback for set_on_{kind}_callback is deprecated"
            warnings.warn(message, DeprecationWarning, stacklevel=3)
            self.broker.callbacks[kind] = lambda quote: callback(*before, quote.exchange, quote)
        else:
            self.broker.callbacks[kind] = lambda quote: callback(*before, quote)

    def make(self, kind: str, contract: Contract, event: dict[str, Any]) -> Record:
        fields = (
            index_fields(event, contract.reference, str)
            if contract.kind == "Indexs"
            else FIELDS[kind](event, str)
        )
        return Record(exchange=Exchange(str(contract.exchange)), **fields)

    def order_state(self, name: str) -> Any:
        return getattr(OrderState, name)


def _kind(contract: Contract, quote_type: Any) -> str:
    """`tick`, `bidask` or `quote`, which is the only one of an index."""
    kind = "quote" if contract.kind == "Indexs" else str(getattr(quote_type, "value", quote_type))
    return "bidask" if kind == "bid_ask" else kind
