"""The broker of a rehearsal: the other end of one `Shioaji`, in this process, without a network.

Three threads beside the worker's own: `feed` goes through the recording, `faults` through the
script, and a third one is that of `Telling`.  `Face` is what the version of the library adds.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import traceback
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from rehearsed import native
from rehearsed.clock import Plan
from rehearsed.day import Day
from rehearsed.orders import Orders, codes_of
from rehearsed.record import Record
from rehearsed.told import Telling
from rehearsed.topics import topic

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rehearsed.contracts import Contract
    from rehearsed.faults import Fault

LIMIT = 200
"""Subscriptions of one login."""
DAILY_BYTES = 500 << 20
MARKETS = {"Stocks": "stk", "Indexs": "idx"}
"""In the names of callbacks; all others are `fop`."""
OVERDUE = 2.0
"""Seconds after a login in which nothing goes wrong that should have gone wrong before."""
ANSWER = 10.0
"""Seconds that a worker has to end or to log in again when its session is lost."""
NEEDS_LOGIN = ("session-down", "login", "token-expired")
"""After these `login` is no empty call, and mends what they did."""


class Face(Protocol):
    """What the two versions of the library do differently."""

    @property
    def errors(self) -> Mapping[str, Callable[[str], Exception]]:
        """By `451`, `503`, `token` and `subscriptions`: makes what is raised, of the API key."""

    @property
    def indexes(self) -> Sequence[dict[str, Any]]:
        """Facts of the indexes that the broker has every day."""

    def make(self, kind: str, contract: Contract, event: dict[str, Any]) -> Any:
        """What the callback for `tick`, `bidask` or `quote` of a contract gets of an event."""

    def order_state(self, name: str) -> Any: ...


class Broker:
    """One login; `callbacks` by names such as `tick_fop_v1`."""

    def __init__(self, face: Face) -> None:
        self._face = face
        self._plan = Plan()
        self._api_key = ""
        self._is_expired = False
        self._is_lost = False
        self._has_session = threading.Event()
        """It was not lost since the last login."""
        self._silent_until = 0.0
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._subscribed: dict[tuple[str, str], Contract] = {}
        self._heard: dict[tuple[str, str], Contract] = {}
        """The same, by each code under which a contract is quoted."""
        self._bytes = 0
        self._day: Day | None = None
        self.logged_in = False
        self.callbacks: dict[str, Callable[[Any], object]] = {}
        self.told = Telling(face.order_state)
        self.orders = Orders(self._best, self._plan.now)
        self.accounts = [_account("S", "9A95"), _account("F", "F002000")]

    # -- The session.

    def log_in(self, api_key: str, secret_key: str) -> list[Any]:
        """Log in; raises what the script says."""
        if self.logged_in and not self._is_lost:
            return self.accounts
        self._api_key = api_key
        sys.stderr.write("REHEARSAL: this shioaji is a stand-in; nothing leaves this machine\n")
        if (fault := self._refusal()) is not None:
            self._plan.notes.add(fault.text)
            raise self._face.errors[f"{fault.number:g}"](api_key)
        if not self.logged_in:
            self._begin()
        self._is_lost = self._is_expired = False
        self._has_session.set()
        self.told.is_up()
        return self.accounts

    def _begin(self) -> None:
        """Let the day go on, with threads of this login's own."""
        day = self._day = Day(self._plan, self._face.indexes)
        ended = self._ended = threading.Event()
        self.told.begin()
        self._subscribed, self._heard = {}, {}
        self._plan.begin()
        self.logged_in = True
        for name, work in (
            ("feed", partial(self._feed, day, ended)),
            ("faults", partial(self._go_wrong, ended, self._plan.now(), self._plan.notes.read())),
        ):
            threading.Thread(target=work, name=f"rehearsal {name}", daemon=True).start()

    def log_out(self) -> None:
        self.logged_in = False
        self._ended.set()
        self._has_session.set()  # nobody need wait for it
        self.told.end()
        if self._day is not None:
            self._day.close()

    @property
    def contracts(self) -> Mapping[str, Contract]:
        """By code.  Raises what an expired token does."""
        return self._known.contracts

    @property
    def _known(self) -> Day:
        if self._is_expired:
            raise self._face.errors["token"](self._api_key)
        if self._day is None or not self.logged_in:
            raise self._face.errors["login"](self._api_key)
        return self._day

    # -- Market data.

    def subscribe(self, contract: Contract, kind: str) -> None:
        """Begin to hear `tick`, `bidask` or `quote` of a contract; 200 at most."""
        _ = self._known
        with self._lock:
            key = kind, contract.code
            if key not in self._subscribed and len(self._subscribed) >= LIMIT:
                raise self._face.errors["subscriptions"](self._api_key)
            self._subscribed[key] = contract
            self._hear()
        self.told.subscribed(topic(kind, contract))

    def unsubscribe(self, contract: Contract, kind: str) -> None:
        with self._lock:
            self._subscribed.pop((kind, contract.code), None)
            self._hear()
        self.told.subscribed(topic(kind, contract))

    def _hear(self) -> None:
        self._heard = {
            (kind, code): contract
            for (kind, _), contract in self._subscribed.items()
            for code in codes_of(contract)
        }

    def snapshots(self, contracts: Sequence[Contract]) -> list[Any]:
        """The newest trade of each contract; before the first one, its reference as the price."""
        day = self._known
        with self._lock:
            return day.snapshots(contracts, int(self._plan.now() * 1e9))

    def kbars(self, contract: Contract, start: str | None, end: str | None) -> Any:
        """The minutes of a contract so far; those of other days were not recorded."""
        day = self._known
        with self._lock:
            return day.kbars(contract.target_code or contract.code)

    def usage(self) -> Any:
        _ = self._known
        left = DAILY_BYTES - self._bytes
        return Record(
            connections=1, bytes=self._bytes, limit_bytes=DAILY_BYTES, remaining_bytes=left
        )

    # -- Orders.

    def place(self, contract: Contract, order: Any) -> Any:
        _ = self._known
        if getattr(order, "account", None) is None:
            order.account = self.accounts[0 if contract.kind == "Stocks" else 1]
        with self._lock:
            trade, told = self.orders.place(contract, order)
            self.told.orders(told)
        return trade

    def cancel(self, trade: Any) -> Any:
        _ = self._known
        with self._lock:
            self.told.orders(self.orders.cancel(trade))
        return trade

    def update(self, trade: Any, price: float | None, quantity: int | None) -> Any:
        _ = self._known
        with self._lock:
            self.told.orders(self.orders.update(trade, price, quantity))
        return trade

    # -- The threads.

    def _feed(self, day: Day, ended: threading.Event) -> None:
        with contextlib.suppress(ValueError):  # the file was closed: log-out
            for at, name, event in day.lines():
                if self._plan.wait(at, ended):
                    return
                with self._lock:
                    day.take(name, event)
                    self._bytes += 300
                    self.told.orders(self.orders.quote(event["code"]))
                if at >= self._silent_until:
                    self._deliver(day, name, event)
        if not ended.is_set():
            sys.stderr.write("REHEARSAL: the recording is over; no more quotes will come\n")
            sys.stderr.flush()

    def _deliver(self, day: Day, name: str, event: dict[str, Any]) -> None:
        """Call back who subscribed to this, or to quotes, in which trades and bid/ask are one."""
        code = event["code"]
        self._call("tick" if name == "market_tick" else "bidask", event)
        if code in day.ticks and ("quote", code) in self._heard:
            self._call("quote", {**day.bidasks.get(code, {}), **day.ticks[code]})

    def _call(self, kind: str, event: dict[str, Any]) -> None:
        contract = self._heard.get((kind, event["code"]))
        market = "fop" if contract is None else MARKETS.get(contract.kind, "fop")
        callback = self.callbacks.get(f"{kind}_{market}_v1")
        if contract is None or callback is None:
            return
        try:
            callback(self._face.make(kind, contract, event))
        except Exception:  # as the library does: it is printed, and the feed goes on
            traceback.print_exc()

    def _refusal(self) -> Fault | None:
        """The next fault of the script, if that is a `login` whose time has come."""
        done = self._plan.notes.read()
        fault = next((each for each in self._plan.faults if each.text not in done), None)
        is_due = fault is not None and fault.kind == "login" and fault.at <= self._plan.now()
        return fault if is_due else None

    def _go_wrong(self, ended: threading.Event, begin: float, done: Sequence[str]) -> None:
        """Let each fault happen, but those `done`, in its time; soon, where that is over."""
        for fault in self._plan.faults:
            if fault.text in done:
                continue
            if self._plan.wait(fault.at, ended):
                return
            self._has_session.wait(ANSWER)
            if ended.is_set():
                return
            if fault.at < begin and ended.wait(OVERDUE):
                return
            self._happen(fault)

    def _happen(self, fault: Fault) -> None:
        """Let a fault happen; a `login` ends the session, and the next one is refused.

        Each session of the worker loses its own; what stops the process happens once.
        """
        if fault.kind != "login" and not self._plan.notes.add(fault.text) and fault.kind == "hang":
            return
        if fault.kind == "silence":
            self._silent_until = self._plan.now() + fault.number
        elif fault.kind == "token-expired":
            self._is_expired = True
        if fault.kind in NEEDS_LOGIN:
            self._is_lost = True
        sys.stderr.write(f"REHEARSAL: {fault.text}\n")
        sys.stderr.flush()
        if fault.kind in {"session-down", "login"}:
            self._has_session.clear()
            self.told.is_down()
        elif fault.kind == "segfault":
            native.crash()
        elif fault.kind == "hang":
            native.hang(fault.number)

    def _best(self, codes: set[str], action: str) -> float | None:
        return None if self._day is None else self._day.best(codes, action)


def _account(kind: str, broker: str) -> Record:
    named = {"person_id": "REHEARSAL", "username": "REHEARSAL", "account_id": "0000000"}
    return Record(account_type=kind, broker_id=broker, signed=True, **named)
