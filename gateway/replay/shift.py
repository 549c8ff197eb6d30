"""Moves the times in an event, for a replay whose times are those of now."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

from gateway.market.events import KBARS

MINUTE: Final = 60
_DATED: Final = re.compile(
    rb'(?<=")(\d{4})([-/])(\d\d)[-/](\d\d)([T ])(\d\d):(\d\d):(\d\d)(\.\d{1,9})?'
    rb'(?=(?:Z|[+-]\d\d:?\d\d)?")'
)
"""A text that is a date with a time, as ISO 8601 or as the broker writes it."""
_NANOSECONDS: Final = re.compile(rb"(?<=[\[,\s])1\d{18}(?=[,\]\s])")
"""The end of a minute in the broker's bars."""
_BARS: Final = b'["%b"' % KBARS.encode()


def shifted(payload: bytes, seconds: float) -> bytes:
    """The JSON array of an event with all its times so many seconds later.

    Whatever else is in it stays as it is.  Times of bars move by whole minutes.
    """
    by = timedelta(seconds=seconds)

    def moved(found: re.Match[bytes]) -> bytes:
        year, dash, month, day, between, hour, minute, second, fraction = found.groups()
        digits = len(fraction or b".") - 1
        try:
            date = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second))
            at = date + timedelta(microseconds=int((fraction or b".")[1:7].ljust(6, b"0"))) + by
        except (ValueError, OverflowError):
            return found[0]
        text = b"%04d%b%02d%b%02d%b%02d:%02d:%02d" % (
            *(at.year, dash, at.month, dash, at.day, between),
            *(at.hour, at.minute, at.second),
        )
        if not digits:
            return text
        return text + b"." + (b"%06d000" % at.microsecond)[:digits]

    payload = _DATED.sub(moved, payload)
    if payload.startswith(_BARS):
        nanoseconds = round(seconds / MINUTE) * MINUTE * 10**9
        payload = _NANOSECONDS.sub(lambda end: b"%d" % (int(end[0]) + nanoseconds), payload)
    return payload
