"""JSON that may be handed on: checked, repaired where the rules say so, never re-encoded.

What every receiver's parser reads alike passes byte for byte: big integers, `1.0`,
exponents, duplicate keys, lone surrogate escapes.  What some of them refuse becomes
`null` where it stands: NaN and Infinity, and numbers too large for a double.

Source: RFC 8259; the limits are this project's own.
"""

from __future__ import annotations

import gc
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

MAX_LARGE = 10_000
"""Numbers that may be too large, in a text that needs a repair: each has to be converted."""

# Numbers that may be too large for a double have a large exponent, or many digits.
_MAYBE_LARGE = re.compile(rb"[0-9][eE]\+?[0-9]{3}|[0-9]{100}")
_LARGE = re.compile(rb"[0-9][eE]\+?[0-9]{3}|[0-9]{100}")
_SURELY_LARGE = re.compile(
    rb"""
    (?<![0-9.eE+-]) -?+ [1-9][0-9]*+ (?:\.[0-9]++)?
    [eE] \+?+ 0*+ (?: 309 | 3[1-9][0-9] | [4-9][0-9]{2} | [1-9][0-9]{3,}+ ) (?![0-9.eE+-])
    """,
    re.VERBOSE,
)
_LARGE = re.compile(
    rb"""
    (?<![0-9.eE+-]) -?+
    (?: (?=[0-9]{100}) [1-9][0-9]*+ (?:\.[0-9]++)? (?:[eE][+-]?+[0-9]++)?
      | (?:0|[1-9][0-9]*+) (?:\.[0-9]++)? [eE] \+?+ [0-9]{3,}+ )
    (?![0-9.eE+-])
    """,
    re.VERBOSE,
)
_MASKS = re.compile(rb"[\x01-\x04]")
"""What stands for escapes meanwhile; no JSON has it."""
_LONE_SURROGATE = re.compile(
    rb"""
      \\u[dD][89abAB][0-9a-fA-F]{2} (?!\\u[dD][c-fC-F][0-9a-fA-F]{2})
    | (?<!\\u[dD][89abAB][0-9a-fA-F]{2}) \\u[dD][c-fC-F][0-9a-fA-F]{2}
    """,
    re.VERBOSE,
)
MANY = 4096
"""Bytes from which on a text is looked at for how many lists and objects are in it."""
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
        value = parse(text)
    except orjson.JSONDecodeError:
        return _repair(text)
    check_depth(text)
    return Json(text, value, 0)


def parse(text: bytes) -> Any:
    """What `text` means; raises `orjson.JSONDecodeError`.

    The garbage collector has nothing to find in a value that is only just being made, and
    would look through all of it again and again: for a megabyte of empty lists that is ten
    times the work of parsing it.
    """
    if len(text) < MANY or text.count(b"[") + text.count(b"{") < MANY or not gc.isenabled():
        return orjson.loads(text)
    gc.disable()
    try:
        return orjson.loads(text)
    finally:
        gc.enable()


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
    """Repair by a few passes over the whole text, whatever is in it and how often.

    Escapes are masked, so that every quote begins or ends a string; what is outside of
    strings is put together, repaired, and put back in its places.
    """
    check_depth(text)
    if _MASKS.search(text):
        raise ParseError("invalid JSON")
    masked = text.replace(rb"\\", b"\x01\x02").replace(rb"\"", b"\x03\x04")
    parts = masked.split(b'"')
    outside, count = _finite(b'"'.join(parts[::2]))
    parts[::2] = outside.split(b'"')
    repaired = b'"'.join(parts).replace(b"\x03\x04", rb"\"").replace(b"\x01\x02", rb"\\")
    try:
        value = parse(_without_lone_surrogates(repaired))
    except orjson.JSONDecodeError as error:
        raise ParseError("invalid JSON") from error
    return Json(repaired, value, count)


def _finite(text: bytes) -> tuple[bytes, int]:
    """`text`, in which no strings are, with null for what is no finite number; how many."""
    count = text.count(b"NaN") + text.count(b"Infinity")
    for word in (b"NaN", b"-Infinity", b"Infinity"):
        text = text.replace(word, b"null")
    if not _MAYBE_LARGE.search(text):
        return text, count
    seen = large = 0

    def check(number: re.Match[bytes]) -> bytes:
        nonlocal seen, large
        seen += 1
        if seen > MAX_LARGE:
            raise ParseError(f"more than {MAX_LARGE} very large numbers beside what is no JSON")
        if not isinf(float(number[0])):
            return number[0]
        large += 1
        return b"null"

    text = _LARGE.sub(check, text)
    return text, count + large


def _without_lone_surrogates(text: bytes) -> bytes:
    if rb"\u" not in text:
        return text
    return _LONE_SURROGATE.sub(rb"\\ufffd", text.replace(rb"\\", rb"\u005c"))
