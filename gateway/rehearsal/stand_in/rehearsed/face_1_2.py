"""shioaji 1.2, in a rehearsal: its signatures and types.

Prices are Decimal, callbacks take (exchange, quote) and are registered at `api.quote`, a contract
that does not exist is None, and the contracts are there after `login` fetched them.  An index is
given to `on_quote`, in the form that all quotes had before v1: a topic and a dictionary.
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from types import SimpleNamespace
from typing import Any, Callable

from rehearsed.broker import Broker
from rehearsed.client import Client, Order
from rehearsed.contracts import CONTRACTS, Contract
from rehearsed.groups import KINDS, groups
from rehearsed.record import Record
from rehearsed.topics import topic
from rehearsed.values import FIELDS, STREAMS, old_index_fields

__version__ = "1.2.9"


class Text(str, Enum):
    """An enumeration whose members are texts, as they were in 1.2."""

    __str__ = str.__str__


class Exchange(Text):
    TSE = "TSE"
    OTC = "OTC"
    OES = "OES"
    TAIFEX = "TAIFEX"


class SecurityType(Text):
    Index = "IND"
    Stock = "STK"
    Future = "FUT"
    Option = "OPT"


class QuoteType(Text):
    Tick = "tick"
    BidAsk = "bidask"
    Quote = "quote"


class QuoteVersion(Text):
    v1 = "v1"


class Action(Text):
    Buy = "Buy"
    Sell = "Sell"


class StockPriceType(Text):
    LMT = "LMT"
    MKT = "MKT"


class FuturesPriceType(Text):
    LMT = "LMT"
    MKT = "MKT"
    MKP = "MKP"


class OrderType(Text):
    ROD = "ROD"
    IOC = "IOC"
    FOK = "FOK"


class FuturesOCType(Text):
    Auto = "Auto"
    New = "New"
    Cover = "Cover"
    DayTrade = "DayTrade"


class StockOrderLot(Text):
    Common = "Common"
    Odd = "Odd"
    IntradayOdd = "IntradayOdd"
    Fixing = "Fixing"


class StockOrderCond(Text):
    Cash = "Cash"
    MarginTrading = "MarginTrading"
    ShortSelling = "ShortSelling"


class OptionRight(Text):
    Call = "C"
    Put = "P"


class OrderState(Text):
    StockOrder = "SORDER"
    StockDeal = "SDEAL"
    FuturesOrder = "FORDER"
    FuturesDeal = "FDEAL"


_TYPES = (Exchange, QuoteType, QuoteVersion, Action, StockPriceType, FuturesPriceType, OrderType)
_MORE = (FuturesOCType, StockOrderLot, StockOrderCond, OptionRight, OrderState, SecurityType)
constant = SimpleNamespace(**{each.__name__: each for each in (*_TYPES, *_MORE)})


def on_quote(func: Callable[..., Any]) -> Callable[..., Any]:
    """`@shioaji.on_quote`: marks a function that is registered later."""
    return func


on_event = on_quote


class TokenError(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"StatusCode: {code}, Detail: {message}")


class SystemMaintenance(TokenError):
    pass


error = SimpleNamespace(TokenError=TokenError, SystemMaintenance=SystemMaintenance)

_REFUSED = {"status": {"status_code": 451}, "response": {"detail": "Too Many Connections."}}
ERRORS: dict[str, Callable[[str], Exception]] = {
    "451": lambda _: Exception(_REFUSED),
    "503": lambda _: SystemMaintenance(503, "Service is under maintenance."),
    "token": lambda _: TokenError(401, "Token is expired."),
    "login": lambda _: TokenError(401, "please log in first."),
    "subscriptions": lambda _: Exception("Subscribe failed: over the limit of 200 subscriptions"),
}


TickSTKv1 = TickFOPv1 = BidAskSTKv1 = BidAskFOPv1 = Record
QuoteSTKv1 = QuoteFOPv1 = Record
BaseContract = Stock = Future = Option = Index = Contract
INDEXES = (
    {"code": "001", "name": "加權指數", "exchange": "TSE"},
    {"code": "101", "name": "櫃買指數", "exchange": "OTC"},
)
MODULES = {
    "constant": vars(constant),
    "error": vars(error),
    "order": {"Order": Order, "OrderState": OrderState},
    "contracts": dict.fromkeys(CONTRACTS, Contract),
    "stream_data_type": dict.fromkeys(STREAMS, Record),
}


class QuoteApi:
    """`api.quote`."""

    def __init__(self, client: Shioaji) -> None:
        self._client = client

    def subscribe(
        self,
        contract: Any,
        quote_type: Any = QuoteType.Tick,
        intraday_odd: bool = False,
        version: Any = QuoteVersion.v1,
    ) -> None:
        self._client.broker.subscribe(contract, QuoteType(quote_type).value)

    def unsubscribe(
        self,
        contract: Any,
        quote_type: Any = QuoteType.Tick,
        intraday_odd: bool = False,
        version: Any = QuoteVersion.v1,
    ) -> None:
        self._client.broker.unsubscribe(contract, QuoteType(quote_type).value)

    def set_on_tick_stk_v1_callback(self, func: Callable[..., Any], bind: bool = False) -> None:
        self._client.register("tick_stk_v1", func, bind)

    def set_on_tick_fop_v1_callback(self, func: Callable[..., Any], bind: bool = False) -> None:
        self._client.register("tick_fop_v1", func, bind)

    def set_on_bidask_stk_v1_callback(self, func: Callable[..., Any], bind: bool = False) -> None:
        self._client.register("bidask_stk_v1", func, bind)

    def set_on_bidask_fop_v1_callback(self, func: Callable[..., Any], bind: bool = False) -> None:
        self._client.register("bidask_fop_v1", func, bind)

    def set_on_quote_stk_v1_callback(self, func: Callable[..., Any], bind: bool = False) -> None:
        self._client.register("quote_stk_v1", func, bind)

    def set_on_quote_fop_v1_callback(self, func: Callable[..., Any], bind: bool = False) -> None:
        self._client.register("quote_fop_v1", func, bind)

    def set_quote_callback(self, func: Callable[[str, dict[str, Any]], object]) -> None:
        self._client.broker.callbacks["tick_idx_v1"] = lambda quote: func(*quote)

    def on_quote(self, func: Callable[..., Any]) -> Callable[..., Any]:
        self.set_quote_callback(func)
        return func

    def set_event_callback(self, func: Callable[[int, int, str, str], object]) -> None:
        self._client.set_event_callback(func)

    def on_event(self, func: Callable[..., Any]) -> Any:
        return self._client.on_event(func)

    def set_session_down_callback(self, func: Callable[[], object]) -> None:
        self._client.set_session_down_callback(func)

    def on_session_down(self, func: Callable[..., Any]) -> Any:
        return self._client.on_session_down(func)


class Shioaji(Client):
    broker_type = Broker
    errors = ERRORS
    indexes = INDEXES

    def __init__(
        self,
        simulation: bool = False,
        proxies: Any = None,
        currency: str = "NTD",
        vpn: bool = False,
    ) -> None:
        self.broker = self.broker_type(self)
        self.quote = QuoteApi(self)
        self.context: Any = None

    def login(
        self,
        api_key: str,
        secret_key: str,
        fetch_contract: bool = True,
        contracts_timeout: int = 0,
        contracts_cb: Any = None,
        subscribe_trade: bool = True,
        receive_window: int = 30000,
    ) -> list[Any]:
        accounts = self.broker.log_in(api_key, secret_key)
        if fetch_contract:
            self.fetch_contracts(contracts_cb=contracts_cb)
        return accounts

    def logout(self) -> bool:
        self.broker.log_out()
        return True

    def fetch_contracts(
        self, contract_download: bool = False, contracts_timeout: int = 0, contracts_cb: Any = None
    ) -> None:
        for contract in self.broker.contracts.values():
            contract.exchange = Exchange(contract.exchange)
        self.Contracts = groups(self.broker.contracts.values(), strict=False)
        for kind in KINDS if contracts_cb is not None else ():
            contracts_cb(kind)

    def register(self, kind: str, callback: Callable[..., Any], bind: bool) -> None:
        def deliver(quote: Any) -> None:
            before = (self.context,) if bind else ()
            callback(*before, Exchange(quote.exchange), quote)

        self.broker.callbacks[kind] = deliver

    def on_quote(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return self.quote.on_quote(func)

    def make(self, kind: str, contract: Contract, event: dict[str, Any]) -> Any:
        if contract.kind == "Indexs":
            return topic(kind, contract), old_index_fields(event)
        return Record(exchange=contract.exchange, **FIELDS[kind](event, _price))

    def order_state(self, name: str) -> OrderState:
        return OrderState[name]


def _price(number: Any) -> Decimal:
    return Decimal(str(number))
