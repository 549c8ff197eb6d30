"""A stand-in for shioaji 1.7: its signatures and types, without a broker.

`login` lost `fetch_contract` and its like, prices are str, callbacks take the quote alone
(or, deprecated, two arguments), a contract that does not exist is a KeyError, and nothing
but `login` can be called before it.
"""

import inspect
import warnings
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

__version__ = "1.7.9"


class Enumeration:
    def __init__(self, value):
        self.value = value

    def __str__(self):
        return self.value


class ShioajiError(Exception):
    pass


class AuthError(ShioajiError):
    pass


class SystemMaintenance(ShioajiError):
    pass


class ServerError(ShioajiError):
    pass


class ShioajiConnectionError(ShioajiError, ConnectionError):
    pass


ERRORS = {
    "451": lambda _: ServerError("StatusCode: 451, Detail: Too Many Connections."),
    "503": lambda _: SystemMaintenance("StatusCode: 503, Detail: Service is under maintenance."),
    "connection": lambda _: ShioajiConnectionError("login: connection error"),
}


class Group:
    def __init__(self, contracts):
        self._contracts = contracts

    def __iter__(self):
        return iter(self._contracts)

    def __getitem__(self, key):
        for contract in self._contracts:
            if key in (contract.code, contract.symbol):
                return contract
        raise KeyError(key)

    def get(self, key, default=None):
        try:
            return self[key]
        except KeyError:
            return default


class Category(Group):
    def __getattr__(self, name):
        return Group([c for c in self._contracts if c.code.startswith(name)])


class Contracts:
    """Each kind is downloaded when it is first asked for."""

    def __getattr__(self, kind):
        journal("download", kind=kind)
        return Category(contracts_of(kind))


class QuoteProxy:
    """`api.quote`, deprecated: everything moved to the client itself."""

    def __init__(self, client):
        self._client = client

    def __getattr__(self, name):
        message = f"api.quote.{name} is deprecated, use api.{name} directly"
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        return getattr(self._client, name)


class Shioaji(WithKbars):
    def __init__(self, simulation=None, proxy=None, vpn=None):
        journal("Shioaji", simulation=simulation)
        self._broker = Broker(self)

    @property
    def quote(self):
        return QuoteProxy(self)

    @property
    def Contracts(self):
        self._authenticated()
        return Contracts()

    def login(
        self, api_key, secret_key, subscribe_trade=True, receive_window=30000, force_refresh=False
    ):
        self._broker.log_in(api_key, secret_key, ERRORS)
        return []

    def logout(self):
        self._authenticated()
        self._broker.log_out()

    def activate_ca(self, ca_path, ca_passwd, person_id=None):
        self._authenticated()
        journal("activate_ca", ca_path=ca_path, ca_passwd=ca_passwd)
        return True

    def subscribe(self, contract, quote_type="tick", intraday_odd=False, version=None):
        self._authenticated()
        self._broker.subscribe(contract, getattr(quote_type, "value", quote_type))

    def snapshots(self, contracts, timeout=30000, cb=None):
        self._authenticated()
        return snapshots(contracts)

    def set_session_down_callback(self, callback):
        self._broker.session_down = callback

    def set_on_tick_fop_v1_callback(self, callback, bind=False):
        self._register("tick_fop_v1", callback)

    def set_on_tick_stk_v1_callback(self, callback, bind=False):
        self._register("tick_stk_v1", callback)

    def set_on_bidask_fop_v1_callback(self, callback, bind=False):
        self._register("bidask_fop_v1", callback)

    def set_on_bidask_stk_v1_callback(self, callback, bind=False):
        self._register("bidask_stk_v1", callback)

    def on_tick_fop_v1(self, bind=False):
        return self._decorator("tick_fop_v1")

    def on_tick_stk_v1(self, bind=False):
        return self._decorator("tick_stk_v1")

    def on_bidask_fop_v1(self, bind=False):
        return self._decorator("bidask_fop_v1")

    def on_bidask_stk_v1(self, bind=False):
        return self._decorator("bidask_stk_v1")

    def _decorator(self, name):
        def decorate(callback):
            self._register(name, callback)
            return callback

        return decorate

    def _register(self, name, callback):
        if len(inspect.signature(callback).parameters) == 2:
            message = f"2-argument callback for set_on_{name}_callback is deprecated"
            warnings.warn(message, DeprecationWarning, stacklevel=3)
            self._broker.callbacks[name] = lambda quote: callback(quote.exchange, quote)
        else:
            self._broker.callbacks[name] = callback

    def _authenticated(self):
        if not self._broker.logged_in:
            raise AuthError("Not authenticated")

    # What the broker sends.

    def make_tick(self, contract, number):
        return self._quote(contract, tick_fields(contract, number, str))

    def make_bidask(self, contract, number):
        return self._quote(contract, bidask_fields(contract, number, str))

    def _quote(self, contract, fields):
        return SimpleNamespace(exchange=Enumeration(contract.exchange), **fields)
