"""A stand-in for shioaji 1.2: its signatures and types, without a broker.

Prices are Decimal, callbacks take (exchange, quote), a contract that does not exist is
None, and the contracts are there after `login` fetched them.
"""

from decimal import Decimal
from enum import StrEnum
from types import SimpleNamespace

from stand_in_broker import (
    Broker,
    WithKbars,
    bidask_fields,
    contracts_of,
    journal,
    snapshots,
    tick_fields,
)

__version__ = "1.2.9"


class Exchange(StrEnum):
    TSE = "TSE"
    OTC = "OTC"
    TAIFEX = "TAIFEX"


class QuoteType(StrEnum):
    Tick = "tick"
    BidAsk = "bidask"


constant = SimpleNamespace(Exchange=Exchange, QuoteType=QuoteType)


class SystemMaintenance(Exception):
    def __init__(self, code, message):
        super().__init__(f"StatusCode: {code}, Detail: {message}")
        self.code = code


def too_many_connections(_):
    return Exception(
        {"status": {"status_code": 451}, "response": {"detail": "Too Many Connections."}}
    )


def timeout(api_key):
    return TimeoutError(f"Topic: api/v1/auth/token_login, Client: PYAPI/{api_key[:10]}/1123")


ERRORS = {
    "451": too_many_connections,
    "503": lambda _: SystemMaintenance(503, "Service is under maintenance."),
    "connection": timeout,
}


class Group:
    """The contracts of one exchange or product."""

    def __init__(self, contracts):
        self._contracts = contracts

    def __iter__(self):
        return iter(self._contracts)

    def __getitem__(self, key):
        return next((c for c in self._contracts if key in (c.code, c.symbol)), None)


class Category(Group):
    """The contracts of one kind, with a group for each product."""

    def __getattr__(self, name):
        return Group([c for c in self._contracts if c.code.startswith(name)])

    def __getitem__(self, key):
        group = [c for c in self._contracts if c.code.startswith(key)]
        return super().__getitem__(key) or (Group(group) if group else None)


class Quote:
    def __init__(self, broker):
        self._broker = broker

    def subscribe(self, contract, quote_type=QuoteType.Tick, intraday_odd=False, version=None):
        self._broker.subscribe(contract, QuoteType(quote_type).value)

    def set_callback(self, name, func):
        self._broker.callbacks[name] = lambda quote: func(quote.exchange_enum, quote)

    def set_on_tick_fop_v1_callback(self, func, bind=False):
        self.set_callback("tick_fop_v1", func)

    def set_on_tick_stk_v1_callback(self, func, bind=False):
        self.set_callback("tick_stk_v1", func)

    def set_on_bidask_fop_v1_callback(self, func, bind=False):
        self.set_callback("bidask_fop_v1", func)

    def set_on_bidask_stk_v1_callback(self, func, bind=False):
        self.set_callback("bidask_stk_v1", func)


class Shioaji(WithKbars):
    def __init__(self, simulation=False, proxies=None, currency="NTD", vpn=False):
        journal("Shioaji", simulation=simulation)
        self._broker = Broker(self)
        self.quote = Quote(self._broker)

    def login(
        self,
        api_key,
        secret_key,
        fetch_contract=True,
        contracts_timeout=0,
        contracts_cb=None,
        subscribe_trade=True,
        receive_window=30000,
    ):
        self._broker.log_in(api_key, secret_key, ERRORS)
        if fetch_contract:
            journal("fetch_contracts", timeout=contracts_timeout)
            kinds = {
                kind: Category(contracts_of(kind)) for kind in ("Stocks", "Futures", "Options")
            }
            self.Contracts = SimpleNamespace(**kinds)
        return []

    def logout(self):
        self._broker.log_out()
        return True

    def activate_ca(self, ca_path, ca_passwd, person_id="", store=0):
        journal("activate_ca", ca_path=ca_path, ca_passwd=ca_passwd)
        return True

    def snapshots(self, contracts, timeout=30000, cb=None):
        return snapshots(contracts)

    def set_session_down_callback(self, func):
        self._broker.session_down = func

    def on_tick_fop_v1(self, bind=False):
        return self._decorator(self.quote.set_on_tick_fop_v1_callback)

    def on_tick_stk_v1(self, bind=False):
        return self._decorator(self.quote.set_on_tick_stk_v1_callback)

    def on_bidask_fop_v1(self, bind=False):
        return self._decorator(self.quote.set_on_bidask_fop_v1_callback)

    def on_bidask_stk_v1(self, bind=False):
        return self._decorator(self.quote.set_on_bidask_stk_v1_callback)

    def _decorator(self, register):
        def decorate(func):
            register(func)
            return func

        return decorate

    # What the broker sends.

    def make_tick(self, contract, number):
        return self._quote(contract, tick_fields(contract, number, self._price))

    def make_bidask(self, contract, number):
        return self._quote(contract, bidask_fields(contract, number, self._price))

    def _quote(self, contract, fields):
        return SimpleNamespace(exchange_enum=Exchange(contract.exchange), **fields)

    def _price(self, number):
        return Decimal(str(number))
