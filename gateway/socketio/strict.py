"""JSON that may be handed on: checked, repaired where the rules say so, never re-encoded.

What every receiver's parser reads alike passes byte for byte: big integers, `1.0`,
exponents, duplicate keys, lone surrogate escapes.  What some of them refuse becomes
`null` where it stands: NaN and Infinity, and numbers too large for a double.

Source: RFC 8259; the limits are this project's own.
"""

from __future__ import annotations

import re
from itertools import accumulate
from math import isinf
from typing import Any, NamedTuple

import orjson

from gateway.socketio.errors import ParseError

MAX_DEPTH = 200
"""Levels of nesting.

Receivers must survive it, and a handler must be able to send back what it got:
python-socketio walks a packet with two frames a level, under Python's limit of 1000,
and orjson encodes 254 levels.
"""

# Run over a text whose escapes are masked.  What can't need a repair is skipped in the
# first group, and there is always a token or the end behind it: one pass, no retries.
_REPAIRABLE = re.compile(
    rb"""
    (?: [^"NI0-9-]++
      | "[^"]*+(?:"|\Z)
      | -?[0-9]{1,99}+(?:\.[0-9]*+)?(?:[eE][+-]?[0-9]{1,2}+)?(?![0-9.eE+-])
      | N(?!aN) | I(?!nfinity) | -(?![0-9]|Infinity)
    )*+
    (?: (?P<number>-?[0-9][0-9.eE+-]*+) | (?P<word>NaN|-?Infinity) | \Z )
    """,
    re.VERBOSE,
)
_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?")
_LONE_SURROGATE = re.compile(
    rb"""
      \\u[dD][89abAB][0-9a-fA-F]{2} (?!\\u[dD][c-fC-F][0-9a-fA-F]{2})
    | (?<!\\u[dD][89abAB][0-9a-fA-F]{2}) \\u[dD][c-fC-F][0-9a-fA-F]{2}
    """,
    re.VERBOSE,
)
_BRACKETS = b"[{]}"
_STEPS = bytes.maketrans(_BRACKETS, b"\x01\x01\xff\xff")
_NOT_STRUCTURE = bytes(set(range(256)) - set(_BRACKETS + b'"'))


class Json(NamedTuple):
    """A valid text, what it means, and how many of its tokens became null."""

    text: bytes
    value: Any
    repaired: int


def loads(text: bytes) -> Json:
    """Check `text`, one JSON value in UTF-8; raises `ParseError`.

    In the value, integers beyond 64 bits are floats and lone surrogates U+FFFD, so
    that it can always be encoded again.
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return _repair(text)
    check_depth(text)
    return Json(text, value, 0)


def check_depth(text: bytes) -> None:
    """Raise `ParseError` when JSON nests deeper than `MAX_DEPTH`."""
    if (
        len(text) > 2 * MAX_DEPTH
        and text.count(b"[") + text.count(b"{") > MAX_DEPTH
        and depth(text) > MAX_DEPTH
    ):
        raise ParseError(f"JSON nested deeper than {MAX_DEPTH} levels")


def depth(text: bytes) -> int:
    """The levels of nesting of valid JSON, found without recursion.

    Escapes go first, then all but quotes and brackets; what is left between quotes
    stood in strings, and the rest is a sum of steps.
    """
    plain = text.replace(rb"\\", b"").replace(rb"\"", b"")
    structure = plain.translate(_STEPS, _NOT_STRUCTURE).replace(b'""', b"")
    outside = b"".join(structure.split(b'"')[::2])
    return max(accumulate(memoryview(outside).cast("b")), default=0)


def _repair(text: bytes) -> Json:
    check_depth(text)
    pieces, end = [], 0
    for found in _REPAIRABLE.finditer(text.replace(rb"\\", b"__").replace(rb"\"", b"__")):
        number = found["number"]
        if found["word"] or (number and _NUMBER.fullmatch(number) and isinf(float(number))):
            start, stop = found.span("word" if number is None else "number")
            pieces.append(text[end:start])
            end = stop
    repaired = b"null".join([*pieces, text[end:]])
    try:
        value = orjson.loads(_without_lone_surrogates(repaired))
    except orjson.JSONDecodeError as error:
        raise ParseError("invalid JSON") from error
    return Json(repaired, value, len(pieces))


def _without_lone_surrogates(text: bytes) -> bytes:
    return _LONE_SURROGATE.sub(rb"\\ufffd", text.replace(rb"\\", rb"\u005c"))
