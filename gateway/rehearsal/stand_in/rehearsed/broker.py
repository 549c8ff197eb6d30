"""The broker of a rehearsal: the other end of one `Shioaji`, in this process, without a network.

Three threads beside the worker's own: `feed` goes through the recording, `faults` through the
script, and `told` calls the callback of orders.  `Face` is what the version of the library adds.
"""

from __future__ import annotations

import contextlib
import queue
import sys
import threading
import traceback
from typing import TYPE_CHECKING, Any, Protocol

from rehearsed import native
from rehearsed.clock import Plan
from rehearsed.day import Day
from rehearsed.orders import Orders, codes_of
from rehearsed.record import Record, text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rehearsed.contracts import Contract
    from rehearsed.faults import Fault
    from rehearsed.orders import Told

LIMIT = 200
"""Subscriptions of one login."""
DAILY_BYTES = 500 << 20
OVERDUE = 2.0
"""Seconds after a login in which nothing goes wrong that should have gone wrong before."""


class Face(Protocol):
    """What the two versions of the library do differently."""

    @property
    def errors(self) -> Mapping[str, Callable[[str], Exception]]:
        """By `451`, `503`, `token` and `subscriptions`: makes what is raised, of the API key."""

    def make(self, kind: str, contract: Contract, event: dict[str, Any]) -> Any: ...
    def order_state(self, name: str) -> Any: ...


class Broker:
    """One login; `callbacks` by names such as `tick_fop_v1`."""

    def __init__(self, face: Face) -> None:
        self._face = face
        self._plan = Plan()
        self._api_key = ""
        self._is_expired = False
        self._silent_until = 0.0
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._told: queue.SimpleQueue[Told | None] = queue.SimpleQueue()
        self._subscribed: dict[tuple[str, str], Contract] = {}
        self._bytes = 0
        self._day: Day | None = None
        self.logged_in = False
        self.callbacks: dict[str, Callable[[Any], None]] = {}
        self.session_down: Callable[[], None] = lambda: None
        self.order_callback: Callable[[Any, Any], None] | None = None
        self.orders = Orders(self._best, self._plan.now)
        self.accounts = [_account("S", "9A95"), _account("F", "F002000")]

    # -- The session.

    def log_in(self, api_key: str, secret_key: str) -> list[Any]:
        """Log in; raises what the script says."""
        if self.logged_in:
            return self.accounts
        self._api_key = api_key
        sys.stderr.write("REHEARSAL: this shioaji is a stand-in; nothing leaves this machine\n")
        self._plan.begin()
        if (fault := self._refusal()) is not None:
            self._plan.notes.add(fault.text)
            raise self._face.errors[f"{fault.number:g}"](api_key)
        self._day = Day(self._plan)
        self.logged_in = True
        for name, work in (("feed", self._feed), ("faults", self._go_wrong), ("told", self._tell)):
            threading.Thread(target=work, name=f"rehearsal {name}", daemon=True).start()
        return self.accounts

    def log_out(self) -> None:
        self.logged_in = False
        self._ended.set()
        self._told.put(None)
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

    def subscribe(self, contract: Contract, quote_type: str) -> None:
        """Begin to hear `tick`, `bidask` or `quote` of a contract; 200 at most."""
        _ = self._known
        with self._lock:
            if len(self._subscribed) >= LIMIT:
                raise self._face.errors["subscriptions"](self._api_key)
            for code in codes_of(contract):
                self._subscribed[quote_type, code] = contract

    def unsubscribe(self, contract: Contract, quote_type: str) -> None:
        with self._lock:
            for code in codes_of(contract):
                self._subscribed.pop((quote_type, code), None)

    def snapshots(self, contracts: Sequence[Contract]) -> list[Any]:
        """The newest trade of each contract of which there was one."""
        day = self._known
        with self._lock:
            found = [(each, _newest(day.ticks, codes_of(each))) for each in contracts]
            return [self._snapshot(one, tick) for one, tick in found if tick is not None]

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
            self._queue(told)
        return trade

    def cancel(self, trade: Any) -> Any:
        _ = self._known
        with self._lock:
            self._queue(self.orders.cancel(trade))
        return trade

    def update(self, trade: Any, price: float | None, quantity: int | None) -> Any:
        _ = self._known
        with self._lock:
            self._queue(self.orders.update(trade, price, quantity))
        return trade

    def _queue(self, told: Sequence[Told]) -> None:
        for each in told:
            self._told.put(each)

    # -- The threads.

    def _feed(self) -> None:
        assert self._day is not None
        with contextlib.suppress(ValueError):  # the file was closed: log-out
            for at, name, event in self._day.lines():
                if self._plan.wait(at, self._ended):
                    return
                with self._lock:
                    self._day.take(name, event)
                    self._bytes += 300
                    self._queue(self.orders.quote(event["code"]))
                if at >= self._silent_until:
                    self._deliver(name, event)

    def _deliver(self, name: str, event: dict[str, Any]) -> None:
        """Call back who subscribed to this, or to quotes, in which trades and bid/ask are one."""
        assert self._day is not None
        code = event["code"]
        self._call("tick" if name == "market_tick" else "bidask", event)
        if code in self._day.ticks and ("quote", code) in self._subscribed:
            self._call("quote", {**self._day.bidasks.get(code, {}), **self._day.ticks[code]})

    def _call(self, kind: str, event: dict[str, Any]) -> None:
        contract = self._subscribed.get((kind, event["code"]))
        market = "stk" if contract is not None and contract.kind == "Stocks" else "fop"
        callback = self.callbacks.get(f"{kind}_{market}_v1")
        if contract is None or callback is None:
            return
        try:
            callback(self._face.make(kind, contract, event))
        except Exception:  # as the library does: it is printed, and the feed goes on
            traceback.print_exc()

    def _tell(self) -> None:
        while (told := self._told.get()) is not None:
            if self.order_callback is not None:
                name, message = told
                try:
                    self.order_callback(self._face.order_state(name), message)
                except Exception:
                    traceback.print_exc()

    def _refusal(self) -> Fault | None:
        """The next fault of the script, if that is a `login` whose time has come."""
        done = self._plan.notes.read()
        fault = next((each for each in self._plan.faults if each.text not in done), None)
        is_due = fault is not None and fault.kind == "login" and fault.at <= self._plan.now()
        return fault if is_due else None

    def _go_wrong(self) -> None:
        """Let each fault happen once, in its time; soon, where nobody was logged in then."""
        begin, done = self._plan.now(), self._plan.notes.read()
        for fault in self._plan.faults:
            if fault.text in done:
                continue
            if self._plan.wait(fault.at, self._ended):
                return
            if fault.at < begin and self._ended.wait(OVERDUE):
                return
            self._happen(fault)

    def _happen(self, fault: Fault) -> None:
        """Let a fault happen; a `login` ends the session, and the next one is refused."""
        if fault.kind != "login":
            self._plan.notes.add(fault.text)
        if fault.kind == "silence":
            self._silent_until = self._plan.now() + fault.number
        elif fault.kind == "token-expired":
            self._is_expired = True
        sys.stderr.write(f"REHEARSAL: {fault.text}\n")
        sys.stderr.flush()
        if fault.kind in {"session-down", "login"}:
            self.session_down()
        elif fault.kind == "segfault":
            native.crash()
        elif fault.kind == "hang":
            native.hang(fault.number)

    # -- What is known of a code.

    def _best(self, codes: set[str], action: str) -> float | None:
        """The price at which an order of `action` is filled; `Last`: that of the newest trade."""
        if self._day is None:
            return None
        quote = _newest(self._day.bidasks, codes)
        side = {"Buy": "ask_price", "Sell": "bid_price"}.get(action, "")
        if quote is not None and quote.get(side) and quote[side][0]:
            return float(quote[side][0])
        tick = _newest(self._day.ticks, codes)
        return None if tick is None else float(tick["price"])

    def _snapshot(self, contract: Contract, tick: dict[str, Any]) -> Any:
        assert self._day is not None
        quote = _newest(self._day.bidasks, codes_of(contract)) or {}
        price = float(tick["price"])
        prices = {name: float(tick.get(name, price)) for name in ("open", "high", "low")}
        return Record(
            ts=int(self._plan.now() * 1e9),
            code=contract.code,
            exchange=text(contract.exchange),
            **prices,
            close=price,
            tick_type=tick.get("tick_type", 0),
            change_price=float(tick.get("price_chg", 0.0)),
            change_rate=float(tick.get("pct_chg", 0.0)),
            change_type=tick.get("chg_type", 3),
            average_price=float(tick.get("avg_price", price)),
            volume=int(tick.get("volume", 0)),
            total_volume=int(tick.get("total_volume", 0)),
            amount=float(tick.get("amount", 0.0)),
            total_amount=float(tick.get("total_amount", 0.0)),
            yesterday_volume=0.0,
            buy_price=float((quote.get("bid_price") or [0.0])[0]),
            buy_volume=int((quote.get("bid_volume") or [0])[0]),
            sell_price=float((quote.get("ask_price") or [0.0])[0]),
            sell_volume=int((quote.get("ask_volume") or [0])[0]),
            volume_ratio=0.0,
        )


def _newest(events: Mapping[str, dict[str, Any]], codes: set[str]) -> dict[str, Any] | None:
    return next((events[code] for code in codes if code in events), None)


def _account(kind: str, broker: str) -> Record:
    named = {"person_id": "REHEARSAL", "username": "REHEARSAL", "account_id": "0000000"}
    return Record(account_type=kind, broker_id=broker, signed=True, **named)
