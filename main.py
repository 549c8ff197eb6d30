"""The reference worker: market data from Shioaji (SinoPac), told to the gateway as events.

    python -u main.py            log in with API_KEY and SECRET_KEY; without them, say so and wait
    python -u main.py --demo     a demonstration feed: a seeded random walk, marked as such

It needs `python-socketio[client]`, and `shioaji` for the real thing.  Every event carries
one object.  SIGINT and SIGTERM log out of the broker and end it with status 0; what ends it
otherwise is told to the browsers first (`python_error`) and is status 1, or 3 for a package
that is not installed.  It logs in once: starting again is its supervisor's business.
"""

from __future__ import annotations

import argparse
import fcntl
import importlib
import importlib.util
import inspect
import json
import logging
import math
import os
import queue
import random
import re
import signal
import sys
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

for needed in ("socketio", "requests", "websocket"):
    if importlib.util.find_spec(needed) is None:
        hint = f'{sys.executable} -m pip install "python-socketio[client]"'
        sys.stderr.write(f"No module named {needed!r}: {hint}\n")
        raise SystemExit(3)

import socketio  # type: ignore[import-untyped]  # noqa: E402  # python-socketio ships no types

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

Event = dict[str, Any]

TAIPEI = timezone(timedelta(hours=8))
HEARTBEAT, JITTER = 10.0, 1.0
SNAPSHOT_EVERY = 10.0
CONTRACTS_TIMEOUT = 10_000
"""Milliseconds in which `login` of shioaji 1.2 may fetch the contracts."""
SNAPSHOT_TIMEOUT = 2_000
LOGOUT_PATIENCE, FLUSH_PATIENCE, DISCONNECT_PATIENCE = 5.0, 1.0, 1.0
"""Seconds; with a snapshot under way they stay within the supervisor's 10 s after SIGINT."""
QUEUE_LIMIT = 2_000
"""Packets that may wait for the gateway; a POST of so many stays under 1 MB."""
MISSED_LIMIT, QUOTES_LIMIT = 200, 1_000
"""Events and quotes that are kept for a gateway that is away."""
QUOTES = ("market_tick", "market_bidask", "market_snapshot")
FIRST_TRY, LAST_TRY = 0.5, 5.0
"""Seconds between two tries to connect."""
BURST = 0.25
"""Seconds of the demonstration made up for after a delay; what is older is skipped."""
MAX_CODES = 100
"""The broker allows 200 subscriptions, and a code takes two: ticks and bid/ask."""
BROKER_CODES = ("TXFR1", "2330")
LIMITS = ("limit_up", "limit_down")
KNOWS_GATEWAY = {"snapshot": False}
"""A key of `auth` that is the gateway's own: it then answers `sjgateway:bars`."""
KBARS_A_DAY = 135
"""Queries for bars on one day, all starts together: half of what the broker allows."""
KBARS_PAUSE = 0.5
"""Seconds between two of them; the broker allows 50 in 5 seconds."""
KBARS_TIMEOUT = 5_000
KBARS_ROWS = 1_200
"""Bars that are told of each code; a trading day of futures has 1,140."""
KBARS_PACE = 250
"""Bars that are told a second, 17 KB: who comes back still finds what was told before them."""
KBARS_FAILURES = 3
"""Failures in a row after which no more is asked for."""
ASK_PATIENCE = 5.0
"""Seconds for an answer of the gateway."""
CONTRACTS_EVERY = 60.0
"""Seconds between two looks whether a contract has changed: its limits, its target."""

log = logging.getLogger("main")


class Stopped(Exception):  # noqa: N818  # no error: somebody asked for the end
    """SIGINT or SIGTERM arrived."""


class SessionLost(Exception):  # noqa: N818  # the broker's word for it
    """The broker's session went down and the library gave up on it."""


class MissingPackage(Exception):  # noqa: N818  # says what it is
    """A package that is needed is not installed."""


# ---- settings ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Credentials:
    """What the broker wants to see; the certificate is for orders, and optional."""

    api_key: str
    secret_key: str
    ca_path: str = ""
    ca_password: str = ""

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self.api_key, self.secret_key, self.ca_password)


def first_of(environ: Mapping[str, str], *names: str) -> str:
    return next((environ[name] for name in names if environ.get(name)), "")


def credentials_from(environ: Mapping[str, str]) -> Credentials:
    """The credentials under any of the names that workers of this family know."""

    def value(*names: str, branded: Sequence[str]) -> str:
        brands = (f"{brand}_{name}" for brand in ("SHIOAJI", "SINOPAC") for name in branded)
        return first_of(environ, *names, *brands)

    return Credentials(
        value("API_KEY", "SJ_KEY", "SJ_API_KEY", branded=("API_KEY", "KEY")),
        value(
            *("SECRET_KEY", "SJ_SEC", "SJ_SEC_KEY", "SJ_SECRET_KEY"),
            branded=("SECRET_KEY", "SECRET", "API_SECRET", "SEC_KEY"),
        ),
        value(
            *("CA_CERT_PATH", "SJ_CA_PATH", "CA_PATH"),
            branded=("CA_PATH", "CA_CERT_PATH", "CERT_PATH"),
        ),
        value(
            *("CA_PASSWORD", "SJ_CA_PASSWD", "CA_PASSWD"),
            branded=("CA_PASSWORD", "CA_PASSWD", "CERT_PASSWORD"),
        ),
    )


def truthy(text: str) -> bool:
    return text.strip().lower() in {"1", "true", "yes", "on"}


def url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise argparse.ArgumentTypeError("an http:// or https:// URL is needed")
    return text


def rate(text: str) -> float:
    value = float(text)
    if not 0 < value <= 100_000:
        raise argparse.ArgumentTypeError("events a second: more than 0, at most 100000")
    return value


def codes(text: str) -> list[str]:
    found = list(dict.fromkeys(text.replace(",", " ").split()))
    if len(found) > MAX_CODES:
        raise argparse.ArgumentTypeError(f"at most {MAX_CODES} contracts, not {len(found)}")
    return found


def options(argv: Sequence[str], environ: Mapping[str, str]) -> argparse.Namespace:
    """Options of the command line, else of the environment, else the defaults."""
    parser = argparse.ArgumentParser(
        prog="main.py", description="Market data from Shioaji, told to the gateway."
    )
    parser.add_argument(
        "--url",
        type=url,
        default=first_of(environ, "GATEWAY_URL", "SOCKET_HUB") or "http://localhost:3001",
        help="the gateway (GATEWAY_URL, SOCKET_HUB; http://localhost:3001)",
    )
    parser.add_argument(
        "--codes",
        type=codes,
        default=environ.get("SJ_CODES", ""),
        help="contracts to subscribe to, with commas between them (SJ_CODES)",
    )
    parser.add_argument(
        "--demo",
        action="store_true",
        default=truthy(first_of(environ, "SJ_DEMO", "DEMO")),
        help="a random walk instead of the broker's data (SJ_DEMO, DEMO)",
    )
    parser.add_argument(
        "--rate",
        type=rate,
        default=environ.get("SJ_RATE") or "20",
        help="market events a second of the demonstration (SJ_RATE; %(default)s)",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=environ.get("SJ_SEED") or "1",
        help="of the demonstration (SJ_SEED; %(default)s)",
    )
    return parser.parse_args(argv)


# ---- what may be said ----------------------------------------------------------------------


class Redactor:
    """Takes secrets out of text, and whatever starts with 8 of a secret's characters.

    The broker's own errors quote the first 10 characters of the API key.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        known = sorted({s for s in secrets if len(s) > 3}, key=len, reverse=True)
        whole = [re.escape(s) for s in known]
        starts = [re.escape(s[:8]) + r"[^\s'\"/\\]*" for s in known if len(s) > 8]
        self._pattern = re.compile("|".join(whole + starts) or r"(?!)")

    def __call__(self, text: str) -> str:
        return self._pattern.sub("[redacted]", text)


class RedactingFormatter(logging.Formatter):
    """Formats a record without secrets, its traceback included."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__("%(levelname)s %(message)s")
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        return self._redact(super().format(record))


def log_to_console(redact: Redactor) -> None:
    """Errors and warnings to stderr, whose tail the gateway keeps; the rest to stdout."""
    out, err = logging.StreamHandler(sys.stdout), logging.StreamHandler(sys.stderr)
    out.addFilter(lambda record: record.levelno < logging.WARNING)
    err.setLevel(logging.WARNING)
    for handler in (out, err):
        handler.setFormatter(RedactingFormatter(redact))
        log.addHandler(handler)
    log.setLevel(logging.INFO)


# ---- the gateway ---------------------------------------------------------------------------


class Gateway:
    """The connection to the gateway, kept up on a thread of its own.

    A gateway that was away is told, when it comes back, what it needs to go on: what was
    `tell`-ed last, then what happened meanwhile in its order, then the newest quote of each code.
    All of it is bounded; of what does not fit the oldest is left out.

    All methods may be called on any thread.  The lock keeps the order: without it an event of
    now could overtake those that wait.
    """

    def __init__(self, address: str, marks: Event, redact: Redactor) -> None:
        self._address = address
        self._marks = marks
        self._redact = redact
        self._lock = threading.Lock()
        self._facts: dict[tuple[str, object], Event] = {}
        self._missed: deque[tuple[str, Event, str]] = deque(maxlen=MISSED_LIMIT)
        self._quotes: dict[tuple[str, object], tuple[Event, str]] = {}
        self._closing = threading.Event()
        self._client: Any = None

    @property
    def connected(self) -> bool:
        client = self._client
        return client is not None and "/" in client.namespaces and client.eio.state == "connected"

    def start(self) -> None:
        threading.Thread(target=self._keep_connected, name="gateway", daemon=True).start()

    def emit(self, name: str, data: Event) -> None:
        """Send one event now or never; nobody to send it to is no error."""
        with self._lock:
            self._send(name, {**data, **self._marks}, time_stamp())

    def tell(self, name: str, data: Event) -> None:
        """Send one event, now and whenever a gateway connects; the newest of each code."""
        with self._lock:
            self._facts[name, data.get("code")] = {**data, **self._marks}
            self._send_or_keep(name, {**data, **self._marks})

    def ask(self, name: str, data: Event) -> Event:
        """What the gateway answers; empty: nothing, as one of an older version."""
        try:
            answer = self._client.call(name, data, timeout=ASK_PATIENCE)
        except (socketio.exceptions.SocketIOError, AttributeError):
            return {}
        return answer if isinstance(answer, dict) else {}

    def complain(self, error: Exception, service: str) -> None:
        """Send `python_error`, with the broker's status code where the error has one."""
        text = self._redact(f"{type(error).__name__}: {error}")
        event: Event = {"error": text[:500], "service": service, **self._marks}
        if code := re.search(r"[Ss]tatus_?[Cc]ode\W{1,4}(\d{3})\b", text):
            event["code"] = int(code[1])
        with self._lock:
            self._send_or_keep("python_error", event)

    def publish(self, name: str, data: Event) -> None:
        """Send market data.  A gateway that is away or does not keep up gets the newest later."""
        if self._closing.is_set():
            return
        with self._lock:
            self._keep_quote(name, {**data, **self._marks}, time_stamp())
            if self.connected and self._client.eio.queue.qsize() <= QUEUE_LIMIT:
                self._send_quotes()

    def close(self) -> None:
        """Disconnect after everything that was sent is on the wire.

        `disconnect()` closes the socket under python-engineio's own writer, which then
        loses what is queued; so wait until the writer has called every task done.
        """
        self._closing.set()
        client, deadline = self._client, time.monotonic() + FLUSH_PATIENCE
        if not self.connected:
            return
        while client.eio.queue.unfinished_tasks and time.monotonic() < deadline:
            time.sleep(0.002)
        bounded("disconnecting", client.disconnect, DISCONNECT_PATIENCE)

    def _send(self, name: str, data: Event, at: str) -> bool:
        if not self.connected:
            return False
        try:
            self._client.emit(name, {**data, "timestamp": at})
        except socketio.exceptions.BadNamespaceError:  # lost since the line above
            return False
        return True

    def _send_or_keep(self, name: str, data: Event) -> None:
        now = time_stamp()
        if not self._send(name, data, now):
            self._missed.append((name, data, now))

    def _keep_quote(self, name: str, data: Event, at: str) -> None:
        key = name, data.get("code")
        self._quotes.pop(key, None)  # the newest quote is the last one to be sent
        self._quotes[key] = data, at
        if len(self._quotes) > QUOTES_LIMIT:
            del self._quotes[next(iter(self._quotes))]

    def _send_quotes(self) -> None:
        for (name, _), (data, at) in self._quotes.items():
            self._send(name, data, at)
        self._quotes.clear()

    def _keep_connected(self) -> None:
        # A new client each time: python-socketio's own reconnection gives up when the
        # server takes its leave (a DISCONNECT or CLOSE packet), as a restarting one does.
        lost, where = time.monotonic(), urlsplit(self._address).netloc.rpartition("@")[2]
        told = False
        while not self._closing.is_set():
            client = socketio.Client(reconnection=False, handle_sigint=False)
            client.on("connect", partial(self._catch_up, client))
            try:
                client.connect(self._address, auth=KNOWS_GATEWAY, wait_timeout=5)
            except Exception as error:  # whatever it is, the next attempt may succeed
                if not told:
                    log.warning("no gateway at %s yet: %s", where, error)
                    told = True
            else:
                log.info("connected to the gateway at %s", where)
                client.wait()
                lost, told = time.monotonic(), False
                if not self._closing.is_set():
                    log.warning("lost the gateway at %s", where)
            self._take_back(client)
            self._closing.wait(next_try(time.monotonic() - lost))

    def _catch_up(self, client: Any) -> None:
        """A gateway is there: tell it what it missed, before anything else."""
        with self._lock:
            self._client = client
            missed = [(name, data) for name, data, _ in self._missed]
            for (name, _), data in self._facts.items():
                if (name, data) not in missed:  # those come in their place
                    self._send(name, data, time_stamp())
            while self._missed and self._send(*self._missed[0]):
                self._missed.popleft()
            self._send_quotes()

    def _take_back(self, client: Any) -> None:
        """Keep what a lost connection did not write: it is older than what was kept since."""
        with self._lock:
            unsent: list[tuple[str, Event, str]] = []
            with suppress(queue.Empty):
                while True:
                    packet = client.eio.queue.get_nowait()
                    text = packet and packet.data
                    if isinstance(text, str) and text.startswith("2["):  # else no event
                        name, data = json.loads(text[1:])
                        unsent.append((name, data, data.pop("timestamp", "")))
            since, self._quotes = self._quotes, {}
            for name, data, at in unsent:
                if name in QUOTES:
                    self._keep_quote(name, data, at)
            for (name, _), (data, at) in since.items():
                self._keep_quote(name, data, at)
            states = (each for each in unsent if each[0] not in (*QUOTES, "heartbeat"))
            self._missed = deque([*states, *self._missed], MISSED_LIMIT)


def time_stamp() -> str:
    return datetime.now(TAIPEI).isoformat(timespec="milliseconds")


def next_try(away: float) -> float:
    """Seconds to the next try to connect, when the gateway has been away for so many.

    The first one is early enough to miss little; the longer it takes, the rarer they get.
    """
    return min(max(FIRST_TRY, away / 4), LAST_TRY) * random.uniform(0.8, 1.2)  # noqa: S311


def bounded(what: str, work: Callable[[], object], seconds: float) -> bool:
    """Whether `work` ended well in time; on a thread, since native calls take no signals."""
    well = threading.Event()

    def run() -> None:
        try:
            work()
            well.set()
        except Exception as error:
            log.error("%s failed: %s: %s", what, type(error).__name__, error)

    thread = threading.Thread(target=run, name=what, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        log.error("%s did not end within %g s", what, seconds)
    return well.is_set()


# ---- sources of market data ----------------------------------------------------------------


class Source:
    """Where market data comes from; this one has none."""

    service = "main"

    def open(self) -> Iterator[None]:
        """Get ready; yields between the slow steps, so that a stop can be noticed."""
        yield

    def step(self, now: float) -> float:
        """Publish what is due at `now`; the time (monotonic, s) of the next call."""
        return math.inf

    def snapshot(self) -> None:
        """Publish `market_snapshot` of every contract."""

    def state(self) -> Event:
        """The source's part of the heartbeat."""
        return {"shioaji_connected": False, "current_price": None, "subscribed_contracts": 0}

    def close(self) -> None:
        """Give back what `open` took."""


class NoCredentials(Source):
    """Says that there are no keys, and waits to be restarted with some."""

    def __init__(self, gateway: Gateway, missing: str) -> None:
        self._gateway = gateway
        self._missing = missing

    def open(self) -> Iterator[None]:
        hint = f"{self._missing} is not set: POST /set-sj-key, or set it and restart"
        log.info("no credentials (%s); for a demonstration: --demo", hint)
        self._gateway.tell("python_status", {"status": "no credentials", "message": hint})
        yield


def login(api: Any, credentials: Credentials) -> None:
    """Log in; shioaji before 1.7 fetches the contracts then and there, if given the time."""
    accepted: Iterable[str] = ()
    with suppress(TypeError, ValueError):  # a native method need not have a signature
        accepted = inspect.signature(api.login).parameters
    extra = {"contracts_timeout": CONTRACTS_TIMEOUT} if "contracts_timeout" in accepted else {}
    api.login(api_key=credentials.api_key, secret_key=credentials.secret_key, **extra)


def plain(value: Any) -> Any:
    """What JSON can hold of a value of the broker's: the value of an enumeration, text of a day."""
    value = getattr(value, "value", value)
    return value.isoformat() if isinstance(value, date) else value


def some(source: Any, convert: Callable[[Any], Any], *names: str) -> Event:
    """Those of the attributes `names` that `source` has, converted; others are left out."""
    found = ((name, getattr(source, name, None)) for name in names)
    return {name: convert(value) for name, value in found if value not in (None, "")}


def quote_head(arguments: Sequence[Any]) -> Event:
    """What every quote begins with; a callback gets (exchange, quote) in 1.2, (quote,) in 1.7.

    `simtrade`: a trial match, which trades nothing.  The broker's times are Taipei's, without
    saying so.
    """
    quote = arguments[-1]
    exchange = arguments[0] if len(arguments) > 1 else quote.exchange
    at = quote.datetime if quote.datetime.tzinfo else quote.datetime.replace(tzinfo=TAIPEI)
    return {
        "exchange": str(plain(exchange)),
        "code": quote.code,
        "datetime": at.isoformat(),
        **some(quote, bool, "simtrade", "suspend", "intraday_odd"),
        **some(quote, float, "underlying_price"),
    }


def tick_event(*arguments: Any) -> Event:
    """`market_tick` of a TickFOPv1 or TickSTKv1; prices are Decimal, or text.

    `tick_type` is 1 for a trade at the ask, 2 at the bid, 0 unknown; `chg_type` 1 to 5: limit
    up, up, unchanged, down, limit down.
    """
    tick = arguments[-1]
    prices = {name: float(getattr(tick, name)) for name in ("open", "high", "low", "close")}
    volumes = {"volume": int(tick.volume), "total_volume": int(tick.total_volume)}
    return {
        **quote_head(arguments),
        **prices,
        "price": prices["close"],
        **volumes,
        **some(tick, float, "price_chg", "pct_chg", "avg_price", "amount", "total_amount"),
        **some(tick, int, "tick_type", "chg_type", "bid_side_total_vol", "ask_side_total_vol"),
    }


def bidask_event(*arguments: Any) -> Event:
    """`market_bidask` of a BidAskFOPv1 or BidAskSTKv1."""
    quote = arguments[-1]
    return {
        **quote_head(arguments),
        "bid_price": [float(price) for price in quote.bid_price],
        "bid_volume": [int(volume) for volume in quote.bid_volume],
        "ask_price": [float(price) for price in quote.ask_price],
        "ask_volume": [int(volume) for volume in quote.ask_volume],
        **some(quote, float, "first_derived_bid_price", "first_derived_ask_price"),
        **some(quote, int, "first_derived_bid_vol", "first_derived_ask_vol"),
    }


def snapshot_event(snapshot: Any, contract: Event) -> Event:
    """`market_snapshot` of a Snapshot, with what `contract_event` tells of prices."""
    fields = ("code", "open", "high", "low", "close", "volume", "amount", "total_volume")
    more = ("exchange", "tick_type", "change_price", "change_rate", "change_type", "average_price")
    prices = ("total_amount", "yesterday_volume", "buy_price", "buy_volume", "sell_price")
    known = {name: contract[name] for name in ("reference", *LIMITS) if name in contract}
    return {
        "name": contract.get("name", ""),
        **{field: getattr(snapshot, field) for field in fields},
        **some(snapshot, plain, *more, *prices, "sell_volume"),
        **known,
    }


def contract_event(contract: Any) -> Event:
    """`market_contract` of a contract, 1.2 or 1.7: `code`, and whatever of the rest there is.

    `target_code` is the code under which a continuous contract such as TXFR1 trades.  1.7
    calls the category of futures `root`, and their unit `multiplier`.
    """
    texts = ("target_code", "name", "exchange", "category", "root", "delivery_date", "option_right")
    numbers = some(contract, float, "reference", *LIMITS, "unit", "multiplier", "strike_price")
    found = {
        **some(contract, lambda value: str(plain(value)), *texts),
        **{name: number for name, number in numbers.items() if number},  # 0 is 1.7's "unknown"
    }
    for name, other in (("category", "root"), ("unit", "multiplier")):
        if other in found:
            found.setdefault(name, found.pop(other))
    if "delivery_date" in found:
        found["delivery_date"] = found["delivery_date"].replace("/", "-")  # as 1.2 has it
    return {"code": contract.code, **found}


def kbars_event(code: str, kbars: Any, rows: int = KBARS_ROWS) -> Event:
    """`market_kbars` of Kbars (1.2) or KBars (1.7): the last `rows` bars.

    `ts` is as the broker has it: the end of the minute in nanoseconds since 1970, Taipei's time
    written as if it were UTC.
    """
    prices = ("Open", "High", "Low", "Close")
    return {
        "code": code,
        "ts": [int(each) for each in list(kbars.ts)[-rows:]],
        **{name: [float(each) for each in list(getattr(kbars, name))[-rows:]] for name in prices},
        "Volume": [int(each) for each in list(kbars.Volume)[-rows:]],
    }


def missing(event: Event, known: Event) -> Event:
    """What of a `market_kbars` is not heard whole according to `known`, an answer with bars."""
    try:
        whole = {*known["bars"]["time"]} - {*known["partial"]}
    except (KeyError, TypeError):
        return event
    places = [place for place, end in enumerate(event["ts"]) if start_of(end) not in whole]
    columns = {name: column for name, column in event.items() if name != "code"}
    return {
        "code": event["code"],
        **{name: [column[place] for place in places] for name, column in columns.items()},
    }


def start_of(end: int) -> float:
    """When the minute began that has this `ts`, in seconds since 1970."""
    return end // 10**9 - TAIPEI.utcoffset(None).total_seconds() - 60


class Quota:
    """Counts queries of one day in a small file, so that restarts count together.

    Raises OSError where the file can't be kept: then nothing may be asked.
    """

    def __init__(self, path: Path, limit: int) -> None:
        self._path = path
        self._limit = limit

    @classmethod
    def of_kbars(cls, environ: Mapping[str, str]) -> Quota:
        """That of queries for bars, in the gateway's state folder as far as it is known here."""
        given = first_of(environ, "SJGATEWAY_STATE_DIR", "STATE_DIRECTORY").partition(":")[0]
        state = environ.get("XDG_STATE_HOME") or Path(environ.get("HOME") or "/", ".local/state")
        return cls(Path(given or Path(state, "sjgateway"), "kbars.json"), KBARS_A_DAY)

    def take(self, share: float = 1.0) -> bool:
        """Take one query of today's; False: that `share` of the day's is spent."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(file, "r+", encoding="utf-8") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            today = datetime.now(TAIPEI).date().isoformat()
            day, _, number = stream.read(100).partition(" ")
            used = int(number) if day == today and number.strip().isdigit() else 0
            if used >= self._limit * share:
                return False
            stream.seek(0)
            stream.truncate()
            stream.write(f"{today} {used + 1}\n")
        return True


class Backfill:
    """Tells the day's bars of one minute, so that the gateway can fill in what it did not hear.

    On a thread of its own: neither readiness nor ticks wait for it, and whatever the broker does,
    it costs only the bars.  The minute in which it began is asked for once more when it is over.

    Every client hears these events, and the gateway keeps them for those who come back.  So the
    gateway is asked what it has, and what it lacks is told at `KBARS_PACE`.
    """

    def __init__(
        self, gateway: Gateway, ask: Callable[..., Any], codes: Mapping[str, Any], quota: Quota
    ) -> None:
        """`ask` is the broker's `kbars`; `codes`: the contracts by their codes."""
        self._gateway = gateway
        self._ask = ask
        self._codes = dict(codes)
        self._quota = quota
        self._stopped = threading.Event()
        self.asked = 0
        """How many queries have been answered, or have failed."""

    def start(self) -> None:
        threading.Thread(target=self._run, name="bars", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def _run(self) -> None:
        began = time.time()
        try:
            told = self._round(list(self._codes), KBARS_ROWS, 1.0)
            over = began - began % 60 + 65  # and what was traded in it has come
            if not self._stopped.wait(max(0.0, over - time.time())):
                self._round(told, 5, 0.5)
        except Exception as error:
            if not self._stopped.is_set():
                log.warning("bars: %s: %s", type(error).__name__, error)
                self._gateway.complain(error, "bars")

    def _round(self, codes: Sequence[str], rows: int, share: float) -> list[str]:
        """Ask for the bars of `codes`; those of which there are any."""
        today = datetime.now(TAIPEI).date()
        since = today - timedelta(days={0: 3, 6: 2}.get(today.weekday(), 1))  # a night before
        told, failures, rest = [], 0, 0.0
        for number, code in enumerate(codes):
            if self._stopped.wait(max(KBARS_PAUSE, rest)):
                break
            if not self._quota.take(share):
                if share == 1.0:
                    left = len(codes) - number
                    why = f"{left} of {len(codes)} codes left out: {KBARS_A_DAY} queries were made"
                    raise RuntimeError(
                        f"{why} today, and the broker allows no more than twice that"
                    )
                break
            try:
                dates = (str(since), str(today))
                kbars = self._ask(self._codes[code], *dates, timeout=KBARS_TIMEOUT)
                event = kbars_event(code, kbars, rows)
            except Exception as error:
                failures += 1
                log.warning("bars of %s: %s: %s", code, type(error).__name__, error)
                if failures == KBARS_FAILURES:
                    raise
            else:
                failures = 0
                if event["ts"]:
                    told.append(code)
                    rest = self._tell(event) / KBARS_PACE
            finally:
                self.asked += 1
        return told

    def _tell(self, event: Event) -> int:
        """Tell what the gateway lacks of `event`; how many bars that is."""
        while not self._gateway.connected and not self._stopped.wait(FIRST_TRY):
            pass  # without an answer all bars would be told, and to nobody
        question = {"code": event["code"], "from": start_of(min(event["ts"]))}
        lacking = missing(event, self._gateway.ask("sjgateway:bars", question))
        if lacking["ts"]:
            self._gateway.emit("market_kbars", lacking)
        return len(lacking["ts"])


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
        codes: Sequence[str],
        quota: Quota,
    ) -> None:
        self._connected = False
        self._quota = quota
        self._backfill: Backfill | None = None
        self._price: float | None = None
        self._gateway = gateway
        self._credentials = credentials
        self._lost = lost
        self._simulation = simulation
        self._codes = codes or BROKER_CODES
        self._api: Any = None
        self._contracts: list[Any] = []
        self._facts: dict[str, Event] = {}
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
        self._attempt("callbacks", self._register_callbacks)
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
        for contract in self._contracts:
            self._tell_contract(find_contract(self._api.Contracts, contract.code))

    def _tell_contract(self, contract: Any) -> None:
        facts = contract_event(contract)
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


def tell_ready(gateway: Gateway, version: Event, contracts: Sequence[Any]) -> None:
    """Tell that market data of `contracts` is coming."""
    gateway.tell("shioaji_ready", {"status": "ready", **version, "service_type": "market_data"})
    gateway.tell("python_status", {"status": "ready"})
    sample = ", ".join(f"{contract.code} {contract.name}" for contract in contracts[:3])
    gateway.tell("contracts_loaded", {"count": len(contracts), "sample": sample})


# ---- the demonstration ---------------------------------------------------------------------


@dataclass
class Instrument:
    """One contract of the demonstration, and its random walk within the daily limit of 10 %.

    It has the attributes of the broker's ticks, quotes and snapshots.
    """

    code: str
    name: str
    exchange: str
    reference: float
    tick: float

    def __post_init__(self) -> None:
        self.open = self.high = self.low = self.close = self.reference
        self.volume = self.total_volume = 0
        self.amount = 0.0
        self.limit_up, self.limit_down = (
            round(self.reference * 1.1, 2),
            round(self.reference * 0.9, 2),
        )
        self.simtrade = False

    def trade(self, rng: random.Random) -> None:
        """One trade, a tick up or down; the further from the reference, the likelier back."""
        pull = (self.reference - self.close) / (self.reference * 0.1)
        step = self.tick if rng.random() < (1 + pull) / 2 else -self.tick
        self.close = round(self.close + step, 2)
        self.high, self.low = max(self.high, self.close), min(self.low, self.close)
        self.volume = rng.randint(1, 9)
        self.total_volume += self.volume
        self.amount = round(self.close * self.volume, 2)
        self.price_chg = round(self.close - self.reference, 2)
        self.pct_chg = round(100 * self.price_chg / self.reference, 2)
        self.tick_type = 1 if step > 0 else 2
        self.datetime = datetime.now(TAIPEI).replace(tzinfo=None)  # as the broker has it
        self.bid_price = [round(self.close - level * self.tick, 2) for level in range(5)]
        self.ask_price = [round(self.close + level * self.tick, 2) for level in range(1, 6)]
        self.bid_volume = [rng.randint(1, 99) for _ in range(5)]
        self.ask_volume = [rng.randint(1, 99) for _ in range(5)]


def instruments(today: date) -> list[Instrument]:
    """A future, options of this month, and stocks, each with its tick at that price."""
    year, month = today.year % 10, today.month - 1
    call, put = "ABCDEFGHIJKL"[month], "MNOPQRSTUVWX"[month]
    return [
        Instrument("TXFR1", "臺股期貨近月", "TAIFEX", 23_000, 1),
        Instrument(f"TXO23000{call}{year}", "臺指買權 23000", "TAIFEX", 320, 1),
        Instrument(f"TXO23000{put}{year}", "臺指賣權 23000", "TAIFEX", 290, 1),
        Instrument("2330", "台積電", "TSE", 1_200, 5),
        Instrument("2317", "鴻海", "TSE", 180, 0.5),
        Instrument("0050", "元大台灣50", "TSE", 60, 0.05),
    ]


def made_up(code: str) -> Instrument:
    """A contract that is not among `instruments`."""
    return Instrument(code, code, "TSE" if code[0].isdigit() else "TAIFEX", 100, 0.5)


class Demo(Source):
    """A seeded random walk at `rate` events a second: a tick, then a bid/ask, and so on."""

    service = "demo"

    def __init__(self, gateway: Gateway, *, rate: float, seed: int, codes: Sequence[str]) -> None:
        known = {i.code: i for i in instruments(datetime.now(TAIPEI).date())}
        self._instruments = [known.get(c) or made_up(c) for c in codes or known]
        self._gateway = gateway
        self._rate = rate
        self._random = random.Random(seed)  # noqa: S311
        self._due = time.monotonic()
        self._events = self._walk()

    def open(self) -> Iterator[None]:
        log.info("demonstration feed: a random walk, no market data")
        for one in self._instruments:
            self._gateway.tell("market_contract", contract_event(one))
        tell_ready(self._gateway, {"version": "demo"}, self._instruments)
        yield

    def step(self, now: float) -> float:
        self._due = max(self._due, now - BURST)
        while self._due <= now:
            self._gateway.publish(*next(self._events))
            self._due += 1 / self._rate
        return max(self._due, now + 0.005)  # a wake-up for each of thousands costs too much

    def snapshot(self) -> None:
        for one in self._instruments:
            self._gateway.publish("market_snapshot", snapshot_event(one, contract_event(one)))

    def state(self) -> Event:
        return {
            "shioaji_connected": True,
            "current_price": self._instruments[0].close,
            "subscribed_contracts": len(self._instruments),
        }

    def _walk(self) -> Iterator[tuple[str, Event]]:
        while True:
            one = self._random.choice(self._instruments)
            one.trade(self._random)
            yield "market_tick", tick_event(one)
            yield "market_bidask", bidask_event(one)


# ---- the worker ----------------------------------------------------------------------------


class Worker:
    """Runs one source for one gateway until `stop` yields the reason to end."""

    def __init__(
        self, gateway: Gateway, source: Source, stop: queue.SimpleQueue[Exception]
    ) -> None:
        self._gateway = gateway
        self._source = source
        self._stop = stop

    def run(self) -> int:
        """Serve; then log out, say the last words, and return the exit status."""
        status = 0
        try:
            self._gateway.tell("python_status", {"status": "connected"})
            self._gateway.start()
            self._serve()
        except Stopped as reason:
            log.info("stopping: %s", reason)
        except Exception as error:
            status = 3 if isinstance(error, MissingPackage) else 1
            log.error("%s: %s", type(error).__name__, error, exc_info=status == 1)
            self._gateway.complain(error, self._source.service)
        if not bounded("logging out", self._source.close, LOGOUT_PATIENCE):
            status = status or 1
        self._gateway.emit("python_status", {"status": "stopped", "exit_status": status})
        self._gateway.close()
        return status

    def _serve(self) -> NoReturn:
        while not self._gateway.connected:
            self._pause(0.05)
        for _ in self._source.open():
            self._pause(0)
        heartbeat = snapshot = time.monotonic()
        while True:
            now = time.monotonic()
            if heartbeat <= now:
                self._heartbeat()
                heartbeat = now + HEARTBEAT + random.uniform(-JITTER, JITTER)  # noqa: S311
            if snapshot <= now:
                self._source.snapshot()
                snapshot = now + SNAPSHOT_EVERY
            due = min(heartbeat, snapshot, self._source.step(now))
            self._pause(max(0, due - time.monotonic()))

    def _pause(self, seconds: float) -> None:
        with suppress(queue.Empty):
            raise self._stop.get(timeout=seconds)

    def _heartbeat(self) -> None:
        state = self._source.state()
        status = "running" if state["shioaji_connected"] else "waiting"
        connected = {"gateway_connected": self._gateway.connected}
        self._gateway.emit("heartbeat", {"status": status, **state, **connected})


def main(argv: Sequence[str]) -> int:
    """Run the worker and return its exit status."""
    if importlib.util.find_spec("dotenv"):  # a convenience, not a need
        importlib.import_module("dotenv").load_dotenv(interpolate=False)
    environ = os.environ
    chosen = options(argv, environ)
    credentials = credentials_from(environ)
    parts = urlsplit(chosen.url)  # whose query may hold a token
    redact = Redactor((*credentials.secrets, parts.query, parts.password or ""))
    log_to_console(redact)

    # SimpleQueue.put is reentrant, so that a signal handler may call it.
    stop: queue.SimpleQueue[Exception] = queue.SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda n, _: stop.put(Stopped(signal.Signals(n).name)))

    source: Source
    marks: Event = {"simulation": True, "demo": True} if chosen.demo else {}
    gateway = Gateway(chosen.url, marks, redact)
    if chosen.demo:
        source = Demo(gateway, rate=chosen.rate, seed=chosen.seed, codes=chosen.codes)
    elif not (credentials.api_key and credentials.secret_key):
        source = NoCredentials(gateway, "SECRET_KEY" if credentials.api_key else "API_KEY")
    else:
        simulation = truthy(environ.get("SIMULATION", ""))
        quota = Quota.of_kbars(environ)
        broker = partial(Broker, simulation=simulation, codes=chosen.codes, quota=quota)
        source = broker(gateway, credentials, stop.put)
    return Worker(gateway, source, stop).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
