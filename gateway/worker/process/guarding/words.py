"""What the guardian and those who speak with it agree on."""

from __future__ import annotations

import contextlib
import json
import os
import time
from typing import Any

VERSION = 1
"""Of what is said through the door.  Any version tells `version`, in a line of JSON."""
LIFELINE, STATUS, LOCK, DOOR = 0, 3, 4, 5
"""Descriptors of the guardian; 1 and 2 are the worker's output."""
READ_ENDS = {1: 6, 2: 7}
"""Where a guardian is given the other end of each output, if it can't open that by itself."""


def now() -> float:
    """Seconds of a clock that goes on while the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def is_open(descriptor: int) -> bool:
    """Whether we were given it."""
    with contextlib.suppress(OSError):
        return bool(os.fstat(descriptor))
    return False


def encoded(value: dict[str, Any]) -> bytes:
    """One line of JSON."""
    return json.dumps(value).encode() + b"\n"


def raw(text: str) -> bytes:
    """The bytes that `text` stands for."""
    return text.encode("latin-1")
