"""The day's bars of the broker, for what the gateway did not hear."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.client.connection import FIRST_TRY
from gateway.client.console import log
from gateway.client.convert import KBARS_ROWS, kbars_event
from gateway.client.events import TAIPEI
from gateway.client.settings import first_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gateway.client.connection import Gateway
    from gateway.client.events import Event

KBARS_A_DAY = 135
"""Queries for bars on one day, all starts together: half of what the broker allows."""
KBARS_PAUSE = 0.5
"""Seconds between two of them; the broker allows 50 in 5 seconds."""
KBARS_TIMEOUT = 5_000
KBARS_PACE = 250
"""Bars that are told a second, 17 KB: who comes back still finds what was told before them."""
KBARS_FAILURES = 3


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
