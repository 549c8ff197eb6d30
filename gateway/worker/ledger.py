"""The ledger of starts: how many logins a trading day has seen, over restarts of the gateway."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections import Counter
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TAIPEI = timezone(timedelta(hours=8), "Asia/Taipei")
"""Without daylight saving, so that no time zone database is needed."""
DAY_TURNS = timedelta(hours=8)
"""The broker's day begins at 08:00."""
DAYS_KEPT = 8
LOCK_TRIES, LOCK_INTERVAL = 10, 0.01
"""Another gateway holds the lock for milliseconds; waiting longer would hold up the relay."""


def trading_day(now: float) -> str:
    """The broker's day, as an ISO 8601 date, of a time in seconds since 1970."""
    return (datetime.fromtimestamp(now, TAIPEI) - DAY_TURNS).date().isoformat()


def next_day(now: float) -> float:
    """When the broker's next day begins, in seconds since 1970."""
    local = datetime.fromtimestamp(now, TAIPEI) - DAY_TURNS
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight + timedelta(days=1) + DAY_TURNS).timestamp()


class Ledger:
    """A locked file `ledger.json` in `folder`; shared by the gateways of one account.

    Where the file can't be written the count goes on in memory, `alert` is called with
    the reason once, and the count is made good when the file can be written again.
    """

    def __init__(self, folder: Path, alert: Callable[[str], None]) -> None:
        self._folder = folder
        self._alert = alert
        self._alerted = False
        self._days: dict[str, int] = {}
        self._pause: dict[str, Any] = {"until": 0, "level": 0}
        self._unsaved_days: Counter[str] = Counter()
        self._unsaved_pause = False
        self._under_lock(self._adopt)

    def starts(self, day: str) -> int:
        """The starts that are known of `day`."""
        return self._days.get(day, 0) + self._unsaved_days[day]

    @property
    def pause(self) -> tuple[float, int]:
        """The broker's last pause: its end in seconds since 1970, and how often it grew."""
        return self._pause["until"], self._pause["level"]

    def count(self, day: str) -> None:
        """One more start."""
        self._unsaved_days[day] += 1
        self._under_lock(self._save)

    def keep_pause(self, until: float, level: int) -> None:
        """Remember the broker's pause."""
        self._pause = {"until": until, "level": level}
        self._unsaved_pause = True
        self._under_lock(self._save)

    def _adopt(self) -> None:
        """Take over what the file holds, other than what is still to be saved."""
        record = self._read()
        self._days = record["days"]
        if not self._unsaved_pause:
            self._pause = record["pause"]

    def _save(self) -> None:
        self._adopt()
        days = Counter(self._days) + self._unsaved_days
        days = Counter(dict(sorted(days.items())[-DAYS_KEPT:]))
        self._write({"days": days, "pause": self._pause})
        self._days = days
        self._unsaved_days.clear()
        self._unsaved_pause = False
        self._alerted = False

    def _under_lock(self, action: Callable[[], None]) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self._folder / "ledger.lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                _lock(lock)
                action()
            finally:
                os.close(lock)
        except OSError as error:
            if not self._alerted:
                self._alerted = True
                self._alert(
                    f"the ledger of starts in {self._folder} can't be kept ({error.strerror});"
                    " counting goes on in memory: make the folder writable, or name another"
                    " with --state-dir"
                )

    def _read(self) -> dict[str, Any]:
        try:
            return checked(json.loads((self._folder / "ledger.json").read_text("utf-8")))
        except FileNotFoundError:
            return checked({"days": {}})
        except (ValueError, RecursionError):
            self._alert(f"{self._folder / 'ledger.json'} is damaged; today's count begins anew")
            return checked({"days": {}})

    def _write(self, record: dict[str, Any]) -> None:
        draft = self._folder / "ledger.json.new"
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(file, "w", encoding="utf-8") as stream:
            json.dump(record, stream)  # no fsync: a slow disk would hold up the relay
        draft.replace(self._folder / "ledger.json")


def _lock(file: int) -> None:
    for _ in range(LOCK_TRIES):
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            held = error
            time.sleep(LOCK_INTERVAL)
    raise held


def checked(record: Any) -> dict[str, Any]:
    """`record` when it has the shape of a ledger; ValueError otherwise."""
    match record:
        case {"days": dict(days), **rest} if all(type(count) is int for count in days.values()):
            pause = rest.get("pause", {"until": 0, "level": 0})
            match pause:
                case {"until": int() | float(), "level": int()}:
                    return {"days": days, "pause": pause}
    raise ValueError("not a ledger")
