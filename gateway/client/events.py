"""What every event has: its type, its time, its zone."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

Event = dict[str, Any]
"""The one object that an event carries."""
TAIPEI = timezone(timedelta(hours=8))
QUOTES = ("market_tick", "market_bidask", "market_snapshot")
"""Events of which only the newest one of each code counts."""


def time_stamp() -> str:
    return datetime.now(TAIPEI).isoformat(timespec="milliseconds")
