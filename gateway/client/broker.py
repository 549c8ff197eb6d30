"""Shioaji as a source: its login, its contracts, its quotes; 1.2 to 1.7."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from gateway.client.backfill import Backfill
from gateway.client.console import log
from gateway.client.convert import bidask_event, contract_event, snapshot_event, tick_event
from gateway.client.listed import ListedStrikes
from gateway.client.settings import MAX_CODES
from gateway.client.source import MissingPackage, SessionLost, Source, ignore, tell_ready

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from gateway.client.backfill import Quota
    from gateway.client.connection import Gateway
    from gateway.client.events import Event
    from gateway.client.rule import Rule
    from gateway.client.settings import Credentials

CONTRACTS_TIMEOUT = 10_000
"""Milliseconds in which `login` of shioaji 1.2 may fetch the contracts."""
SNAPSHOT_TIMEOUT = 2_000
"""Milliseconds for the snapshots of all contracts."""
CONTRACTS_EVERY = 60.0
"""Seconds between two looks whether a contract has changed: its limits, its target."""


def login(api: Any, credentials: Credentials) -> None:
    """Log in; shioaji before 1.7 fetches the contracts then and there, if given the time."""
    accepted: Iterable[str] = ()
    with suppress(TypeError, ValueError):  # a native method need not have a signature
        accepted = inspect.signature(api.login).parameters
    extra = {"contracts_timeout": CONTRACTS_TIMEOUT} if "contracts_timeout" in accepted else {}
    api.login(api_key=credentials.api_key, secret_key=credentials.secret_key, **extra)


class Broker(Source):
    """Shioaji, 1.2 to 1.7.  `lost` is called, on any thread, when its session is gone."""

    service = "shioaji"

    def __init__(
        self,
        gateway: Gateway,
        credentials: Credentials,
        lost: Callable[[Exception], None],
        *,
        simulation: bool,
        rule: Rule,
        codes: Sequence[str] = (),
        quota: Quota,
        hear: Callable[[Event], None] = ignore,
    ) -> None:
        """`codes` win over those that `rule` subscribes to; `hear` gets each tick."""
        self._connected = False
        self._rule = rule
        self._hear = hear
        self._quota = quota
        self._backfill: Backfill | None = None
        self._price: float | None = None
        self._gateway = gateway
        self._credentials = credentials
        self._lost = lost
        self._simulation = simulation
        self._codes = codes
        self._api: Any = None
        self._contracts: list[Any] = []
        self._facts: dict[str, Event] = {}
        self._listed = ListedStrikes(self._api)
        self._looked = 0.0

    def open(self) -> Iterator[None]:
        if self._api is not None:
            raise RuntimeError("one process logs in once")
        if importlib.util.find_spec("shioaji") is None:
            hint = f"{sys.executable} -m pip install shioaji"
            raise MissingPackage(f"No module named 'shioaji': {hint}")
        shioaji = importlib.import_module("shioaji")
        self._gateway.tell("python_status", {"status": "logging in"})
        self._api = shioaji.Shioaji(simulation=self._simulation)
        login(self._api, self._credentials)
        self._connected = True
        log.info("logged in (shioaji %s, simulation=%s)", shioaji.__version__, self._simulation)
        yield
        # A login is dear, so what goes wrong from here on is told and does not end it.
        if self._credentials.ca_path and self._credentials.ca_password:
            self._attempt("certificate", self._activate_certificate)
        yield
        self._rule.api = self._api
        self._listed = ListedStrikes(self._api)
        self._attempt("callbacks", self._register_callbacks)
        self._attempt("subscribe", self._choose)
        for code in self._codes:
            self._attempt("contracts", partial(self._subscribe, code))
            yield
        version = {"version": shioaji.__version__, "simulation": self._simulation}
        tell_ready(self._gateway, version, self._contracts)
        self._begin_backfill()

    def snapshot(self) -> None:
        if self._contracts and self._connected:
            if time.monotonic() - self._looked > CONTRACTS_EVERY:
                self._attempt("contracts", self._tell_contracts)
            self._attempt("snapshots", self._publish_snapshots)

    def state(self) -> Event:
        return {
            "shioaji_connected": self._connected,
            "current_price": self._price,
            "subscribed_contracts": len(self._contracts),
        }

    def close(self) -> None:
        if self._api is None:
            return
        was_connected, self._connected = self._connected, False
        if self._backfill is not None:
            self._backfill.stop()
        try:
            self._api.logout()
            log.info("logged out")
        except Exception:
            if was_connected:
                raise  # else it only says that nobody is logged in

    def _attempt(self, service: str, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception as error:
            log.warning("%s: %s: %s", service, type(error).__name__, error)
            self._gateway.complain(error, service)

    def _choose(self) -> None:
        """Ask the rule for its codes, where the options name none."""
        if not self._codes:
            wanted = list(dict.fromkeys(self._rule.subscribe()))
            self._codes = wanted[:MAX_CODES]
            if len(wanted) > MAX_CODES:
                raise ValueError(f"at most {MAX_CODES} contracts, not {len(wanted)}")

    def _begin_backfill(self) -> None:
        ask = getattr(self._api, "kbars", None)
        if ask is None:
            log.info("bars: this shioaji has none")
        elif self._contracts:
            by_code = {contract.code: contract for contract in self._contracts}
            self._backfill = Backfill(self._gateway, ask, by_code, self._quota)
            self._backfill.start()

    def _activate_certificate(self) -> None:
        path, password = self._credentials.ca_path, self._credentials.ca_password
        if self._api.activate_ca(ca_path=path, ca_passwd=password) is False:
            raise RuntimeError("the broker did not accept the certificate")

    def _register_callbacks(self) -> None:
        api = self._api
        api.on_tick_fop_v1()(self._callback("market_tick", tick_event))
        api.on_tick_stk_v1()(self._callback("market_tick", tick_event))
        api.on_bidask_fop_v1()(self._callback("market_bidask", bidask_event))
        api.on_bidask_stk_v1()(self._callback("market_bidask", bidask_event))
        api.set_session_down_callback(self._session_down)

    def _callback(self, name: str, convert: Callable[..., Event]) -> Callable[..., None]:
        # One variadic parameter: 1.7 looks at the number of parameters and passes the quote
        # alone, 1.2 passes two.
        def deliver(*arguments: Any) -> None:
            try:
                event = convert(*arguments)
                trade = name == "market_tick" and not event.get("simtrade")
                if trade and event["code"] in self._first_codes():
                    self._price = event["price"]
                self._gateway.publish(name, event)
                if name == "market_tick":
                    self._hear(event)
            # Must not unwind into the library's native thread, whose panics are no Exception.
            except BaseException:
                log.exception("dropped a %s", name)

        return deliver

    def _first_codes(self) -> tuple[str, ...]:
        # A continuous contract (TXFR1) trades under the code of its target (TXFL6).
        first = self._contracts[:1]
        return tuple(c for f in first for c in (f.code, getattr(f, "target_code", "")) if c)

    def _subscribe(self, code: str) -> None:
        contract = find_contract(self._api.Contracts, code)
        self._tell_contract(contract)  # before its ticks, which may come under another code
        subscribe = getattr(self._api, "subscribe", None) or self._api.quote.subscribe
        self._contracts.append(contract)  # its first tick may come before the call returns
        try:
            for quote_type in ("tick", "bidask"):
                subscribe(contract, quote_type=quote_type)
        except BaseException:
            self._contracts.pop()
            raise

    def _tell_contracts(self) -> None:
        """Tell what is new about the contracts; the library renews them day by day."""
        self._looked = time.monotonic()
        self._listed = ListedStrikes(self._api)
        for contract in self._contracts:
            self._tell_contract(find_contract(self._api.Contracts, contract.code))

    def _tell_contract(self, contract: Any) -> None:
        facts = self._listed.event(contract_event(contract))
        if self._facts.get(contract.code) != facts:
            self._facts[contract.code] = facts
            self._gateway.tell("market_contract", facts)

    def _publish_snapshots(self) -> None:
        for snapshot in self._api.snapshots(self._contracts, timeout=SNAPSHOT_TIMEOUT):
            event = snapshot_event(snapshot, self._facts.get(snapshot.code, {}))
            self._gateway.publish("market_snapshot", event)

    def _session_down(self, *_: object) -> None:
        if self._connected:
            self._connected = False
            self._lost(SessionLost("session down: the broker is gone"))


def find_contract(contracts: Any, code: str) -> Any:
    """The contract of `code`.  LookupError where there is none.

    1.7 downloads a kind of contracts when it is first asked for, so only the likely ones are.
    """
    kinds = ("Stocks",) if code[0].isdigit() else ("Futures", "Options")
    for kind in kinds:
        found = None
        with suppress(KeyError, AttributeError):
            found = getattr(contracts, kind)[code]
        if isinstance(getattr(found, "code", None), str):  # else a group, such as TXF
            return found
    raise LookupError(f"no contract {code} among {' and '.join(kinds)}")
