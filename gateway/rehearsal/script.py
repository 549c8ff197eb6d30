"""The script of a rehearsal: what goes wrong, and when.

09:05 session-down; 09:10 login 451; 10:00 segfault; 10:05 hang 30; 10:10 silence 120
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import NamedTuple

from gateway.market.hours import TAIPEI

KINDS = {
    "session-down": "",
    "login": "code",
    "segfault": "",
    "hang": "seconds",
    "silence": "seconds",
    "token-expired": "",
}
"""The faults, and what stands behind each."""
CODES = ("451", "503")
MOST_FAULTS = 1000
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")
_SECONDS = re.compile(r"\d{1,4}(\.\d+)?")


class Fault(NamedTuple):
    """One entry of the script."""

    clock: str
    """Such as 09:05 or 09:05:30, in Taipei."""
    kind: str
    number: float = 0.0
    """The status code of `login`; seconds of `hang` and `silence`."""

    def __str__(self) -> str:
        return " ".join((self.clock, self.kind, *((f"{self.number:g}",) if self.number else ())))

    def at(self, begin: float) -> float:
        """When it happens: the first time from `begin` on that it is so late; both since 1970."""
        day = datetime.fromtimestamp(begin, TAIPEI)
        found = _CLOCK.fullmatch(self.clock)
        assert found is not None
        hour, minute, second = (int(each or 0) for each in found.groups())
        at = day.replace(hour=hour, minute=minute, second=second, microsecond=0)
        return (at + timedelta(days=at < day.replace(microsecond=0))).timestamp()


def parse(text: str) -> tuple[Fault, ...]:
    """The faults of a script.  Raises ValueError, which says what is wrong with it."""
    faults = tuple(_fault(entry.strip()) for entry in text.split(";") if entry.strip())
    if len(faults) > MOST_FAULTS:
        raise ValueError(f"at most {MOST_FAULTS} faults")
    return faults


def _fault(entry: str) -> Fault:
    words = [*entry.split(), "", ""]
    clock, kind, number = words[:3]
    if not _CLOCK.fullmatch(clock) or kind not in KINDS or len(words) > 5:
        raise ValueError(f"{entry!r} is no fault: a time such as 09:05, then {', '.join(KINDS)}")
    wants = KINDS[kind]
    if wants == "code" and number not in CODES:
        raise ValueError(f"{entry!r}: {kind} wants {' or '.join(CODES)}")
    if wants == "seconds" and not _SECONDS.fullmatch(number):
        raise ValueError(f"{entry!r}: {kind} wants seconds")
    if not wants and number:
        raise ValueError(f"{entry!r}: nothing may follow {kind}")
    return Fault(clock, kind, float(number or 0))
