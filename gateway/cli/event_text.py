"""One event as a line for people."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

import orjson

from gateway.common.escape import escape_line

NAME, CODE = 15, 8
"""Columns of an event's name and of its code."""

_PLAIN = re.compile(r"[^\s\"'=,\[\]{}]+")
"""A text that needs no quotes."""


def event_text(wall: float, payload: bytes, attachments: int) -> str:
    """`09:00:00.123 market_tick     TXFR1    close=23000 volume=1`, without a line end.

    `wall`: seconds since 1970, shown as this machine's time of day.  `attachments`: how many the
    event has.
    """
    name, *arguments = _loads(payload)
    code = ""
    if arguments and isinstance(arguments[0], dict) and isinstance(arguments[0].get("code"), str):
        code = arguments[0].pop("code")
    clock = datetime.fromtimestamp(wall).strftime("%H:%M:%S.%f")[:12]
    parts = [clock, f"{name:{NAME}}" if isinstance(name, str) else f"{_json(name):{NAME}}"]
    parts += [f"{code:{CODE}}", *map(_argument, arguments)]
    if attachments:
        parts.append(f"({attachments} attachments)")
    return escape_line(" ".join(parts).rstrip())


def _argument(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{key}={_value(each)}" for key, each in value.items())
    return _value(value)


def _value(value: Any) -> str:
    return value if isinstance(value, str) and _PLAIN.fullmatch(value) else _json(value)


def _loads(payload: bytes) -> Any:
    try:
        return orjson.loads(payload)
    except ValueError:  # half of a surrogate pair
        return json.loads(payload)


def _json(value: Any) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # the same, or an integer of more than 64 bits
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
