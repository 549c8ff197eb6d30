"""Points in time, for people and for JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache


def iso(seconds: float) -> str:
    """Seconds since 1970 as ISO 8601, as JavaScript writes it: 2024-02-25T15:30:00.000Z."""
    whole, fraction = divmod(round(seconds * 1_000_000), 1_000_000)
    return f"{_second(whole)}.{fraction // 1000:03}Z"


@lru_cache(maxsize=16)  # most are of now
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]
