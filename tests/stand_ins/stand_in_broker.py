"""The broker of the tests' shioaji, which keeps a journal and fails on demand.

On PYTHONPATH beside one of `shioaji_1_2` and `shioaji_1_7`.  Told by the environment:

    STAND_IN_JOURNAL     a file; one JSON object a line for each call
    STAND_IN_ACCOUNT     a file: who logs in while another process is logged in is noted
    STAND_IN_LOGIN       451, 503 or connection: how login fails
    STAND_IN_BLOCK       seconds that login spends where no signal reaches Python
    STAND_IN_LOGOUT      error, or seconds that logout spends there
    STAND_IN_TICKS       ticks a second for each subscription (10)
    STAND_IN_DOWN        seconds after login at which the session goes down
    STAND_IN_KBARS       raise, empty, absent, or seconds that a query of bars takes
"""

import ctypes
import fcntl
import importlib
import json
import os
import sys
import threading
import time
from datetime import date
from pathlib import Path

STAND_IN = Path(__file__).parents[2] / "gateway" / "rehearsal" / "stand_in"
"""What a rehearsal has: signatures and types of both versions.  Only the broker is another one."""
if str(STAND_IN) not in sys.path:
    sys.path.append(str(STAND_IN))  # `shioaji` there is hidden by the one of the tests

from rehearsed.contracts import contract_of  # noqa: E402
from rehearsed.record import Record  # noqa: E402
from rehearsed.told import Telling  # noqa: E402

ETIMEDOUT = 110


def face(version):
    """The module with what a worker calls, such as that of "1_7"."""
    return importlib.import_module(f"rehearsed.face_{version}")


def journal(call, **details):
    path = os.environ.get("STAND_IN_JOURNAL")
    if path:
        entry = {"call": call, "pid": os.getpid(), "time": time.time(), **details}
        line = (json.dumps(entry) + "\n").encode()
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(descriptor, line)  # one write, so that no two processes mix their lines
        os.close(descriptor)


class Timespec(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long)]


def block(seconds):
    """Wait in native code, without the GIL and without ever returning for a signal."""
    libc = ctypes.CDLL(None)
    mutex = ctypes.create_string_buffer(64)  # zeros: PTHREAD_MUTEX_INITIALIZER
    until = time.time() + seconds
    libc.pthread_mutex_lock(mutex)
    limit = Timespec(int(until), int(until % 1 * 1e9))
    assert libc.pthread_mutex_timedlock(mutex, ctypes.byref(limit)) == ETIMEDOUT


def contracts():
    """By code; the facts that the broker tells of each."""
    limits = {"reference": 100.0, "limit_up": 110.0, "limit_down": 90.0}
    future = {"target_code": "TXFL6", "name": "臺股期貨近月", "delivery_date": "2026/12/16"}
    facts = [
        {"code": "2330", "name": "台積電", "unit": 1000.0, "category": "24", **limits},
        {"code": "2317", "name": "鴻海"},
        {"code": "TXFR1", **future, **limits},
        *({"code": f"TXO{strike}L6", "name": "臺指選擇權"} for strike in (22900, 23000, 23100)),
    ]
    return {each["code"]: contract_of(each, date(2026, 11, 23)) for each in facts}


class Broker:
    """The other end of one `Shioaji` object, as `rehearsed.broker.Broker` is."""

    def __init__(self, client):
        journal("Shioaji")
        self.client = client
        self.logged_in = False
        self.contracts_told = contracts()
        self.callbacks = {}
        self.told = Telling(client.order_state)
        self._stop = threading.Event()

    def log_in(self, api_key, secret_key):
        journal("login", api_key=api_key, secret_key=secret_key)
        if not self._takes_account():
            journal("double")
        sys.stderr.write(f"Session c0 connects, client name 'PYAPI/{api_key[:10]}/LOGINING'\n")
        sys.stderr.flush()
        block(float(os.environ.get("STAND_IN_BLOCK", "0")))
        failure = os.environ.get("STAND_IN_LOGIN")
        if failure:
            raise self.client.errors[failure](api_key)
        self.logged_in = True
        self.told.begin()
        journal("logged in")
        down = os.environ.get("STAND_IN_DOWN")
        if down:
            self._later(float(down), self._go_down)
        return []

    @property
    def contracts(self):
        if not self.logged_in:
            raise self.client.errors["login"]("")
        return self.contracts_told

    def _takes_account(self):
        """Whether nobody else is logged in; the kernel gives the account back at our end."""
        path = os.environ.get("STAND_IN_ACCOUNT")
        if not path:
            return True
        self._account = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._account, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def log_out(self):
        journal("logout")
        self._stop.set()
        self.told.end()
        how = os.environ.get("STAND_IN_LOGOUT", "0")
        if how == "error":
            raise RuntimeError("the broker does not answer")
        block(float(how))
        self.logged_in = False
        journal("logged out")

    def subscribe(self, contract, quote_type):
        _ = self.contracts
        journal("subscribe", code=contract.code, quote_type=quote_type)
        market = "stk" if contract.kind == "Stocks" else "fop"
        feed = (f"{quote_type}_{market}_v1", quote_type, contract)
        threading.Thread(target=self._feed, args=feed, daemon=True).start()

    def _feed(self, name, quote_type, contract):
        pause = 1 / float(os.environ.get("STAND_IN_TICKS", "10"))
        make = tick if quote_type == "tick" else bidask
        number = 0
        while not self._stop.wait(pause):
            number += 1
            if name in self.callbacks:
                event = make(contract, number)
                self.callbacks[name](self.client.make(quote_type, contract, event))

    def snapshots(self, contracts):
        journal("snapshots", codes=[contract.code for contract in contracts])
        prices = {"open": 100.0, "high": 101.0, "low": 99.0, "close": 100.5}
        volumes = {"volume": 1, "total_volume": 1000, "amount": 100, "total_amount": 100_000}
        return [
            Record(ts=time.time_ns(), code=c.code, exchange=c.exchange, **prices, **volumes)
            for c in contracts
        ]

    def kbars(self, contract, start=None, end=None):
        how = os.environ.get("STAND_IN_KBARS", "0")
        journal("kbars", code=contract.code, start=start, end=end)
        if how == "raise":
            raise TimeoutError("Topic: api/v1/data/kbars")
        minutes = 0 if how == "empty" else 3
        if minutes:
            time.sleep(float(how))
        # The ends of two minutes that are over and of the one that is not, each in nanoseconds
        # of Taipei's time written as if it were UTC.
        now = int(time.time()) // 60 * 60 + 8 * 3600
        stamps = [(now + 60 * minute) * 10**9 for minute in range(2 - minutes, 2)]
        prices = {name: [100.0] * minutes for name in ("Open", "High", "Low", "Close", "Amount")}
        return Record(ts=stamps, **prices, Volume=[7] * minutes)

    def _go_down(self):
        journal("session down")
        self.told.is_down()

    def _later(self, seconds, function):
        timer = threading.Timer(seconds, function)
        timer.daemon = True
        timer.start()


class Journaled:
    """What a client of either version notes besides; `absent`: an older one has no `kbars`."""

    broker_type = Broker

    def activate_ca(self, ca_path, ca_passwd, person_id="", store=0):
        journal("activate_ca", ca_path=ca_path, ca_passwd=ca_passwd)
        return super().activate_ca(ca_path, ca_passwd)

    def __getattribute__(self, name):
        if name == "kbars" and os.environ.get("STAND_IN_KBARS") == "absent":
            raise AttributeError(name)
        return super().__getattribute__(name)


def tick(contract, number):
    """The `number`th tick, as a worker would tell it."""
    return {
        "code": contract.target_code or contract.code,
        "datetime": "2026-11-23T09:00:00.123000",
        "open": 100,
        "high": 100 + number,
        "low": 99.5,
        "price": 100 + number,
        "close": 100 + number,
        "avg_price": 100.25,
        "amount": 100 + number,
        "total_amount": 100_000,
        "volume": 2,
        "total_volume": 1000 + number,
        "tick_type": 1,
        "chg_type": 2,
        "price_chg": number,
        "pct_chg": number,
        "underlying_price": 100.5,
    }


def bidask(contract, number):
    """The `number`th bid/ask."""
    return {
        "code": contract.target_code or contract.code,
        "datetime": "2026-11-23T09:00:00.456000",
        "bid_price": [100 - level for level in range(5)],
        "bid_volume": [number, 2, 3, 4, 5],
        "ask_price": [101 + level for level in range(5)],
        "ask_volume": [number, 4, 3, 2, 1],
    }
