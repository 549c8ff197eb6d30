"""JSON that may be handed on: checked, repaired where the rules say so, never re-encoded.

What all receivers' parsers read alike is handed on byte for byte: big integers, `1.0`,
exponents, duplicate keys, lone surrogate escapes.  What some of them refuse becomes `null` in
its place: NaN and Infinity, and numbers too large for a double.

Source: RFC 8259; the limits are this project's own.
"""

from __future__ import annotations

import gc
import re
from contextlib import suppress
from functools import lru_cache
from itertools import accumulate
from math import isinf
from operator import add
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import orjson

from gateway.socketio.errors import ParseError

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_DEPTH = 200
"""Levels of nesting.

Receivers must survive it, and a handler must be able to send back what it got:
python-socketio walks a packet with two frames a level, under Python's limit of 1000,
and orjson encodes 254 levels.
"""

SHALLOW = 2 * MAX_DEPTH
"""Bytes of the longest text that cannot be nested too deep."""

MAX_LARGE = 10_000
"""Numbers that may be too large in a text that is repaired: each has to be converted."""

# Numbers that may be too large for a double have a large exponent, or many digits.
_DIGITS_ALIKE = bytes.maketrans(b"123456789E", b"000000000e")
_LARGE_SIGNS = b"0e000", b"0" * 100
_LARGE = re.compile(
    rb"""
    (?<![0-9.eE+-]) -?+
    (?: (?=[0-9]{100}) [1-9][0-9]*+ (?:\.[0-9]++)? (?:[eE][+-]?+[0-9]++)?
      | (?:0|[1-9][0-9]*+) (?:\.[0-9]++)? [eE] \+?+ [0-9]{3,}+ )
    (?![0-9.eE+-])
    """,
    re.VERBOSE,
)
_MASKS = b"\x01", b"\x02", b"\x03", b"\x04"
"""Bytes that stand for escapes during a repair; no JSON has them."""
_LONE_SURROGATE = re.compile(
    rb"""
      \\u[dD][89abAB][0-9a-fA-F]{2} (?!\\u[dD][c-fC-F][0-9a-fA-F]{2})
    | (?<!\\u[dD][89abAB][0-9a-fA-F]{2}) \\u[dD][c-fC-F][0-9a-fA-F]{2}
    """,
    re.VERBOSE,
)
MANY = 4096
"""Lists and objects from which on a text costs much to build."""
_BRACKETS = b"[{]}"
_OPENS = bytes.maketrans(_BRACKETS, b"\x01\x01\x00\x00")
_NOT_STRUCTURE = bytes(set(range(256)) - set(_BRACKETS + b'"'))
# For eight steps, each a bit that is 1 where a list or an object opens: where they lead to, and
# how high they go on the way.
_WALKS = [list(accumulate(1 if byte >> bit & 1 else -1 for bit in range(8))) for byte in range(256)]
_LEADS = bytes(walk[-1] & 0xFF for walk in _WALKS)
_PEAKS = bytes(max(0, *walk) for walk in _WALKS)


class TooManyLargeError(ParseError):
    """A text has more than `MAX_LARGE` numbers that may be too large."""


class _Start(msgspec.Struct, array_like=True, frozen=True):
    """The first items of an array; what comes after them is checked and left out."""

    first: msgspec.Raw = msgspec.Raw()
    second: msgspec.Raw = msgspec.Raw()
    third: msgspec.Raw = msgspec.Raw()


_START = msgspec.json.Decoder(_Start)


@lru_cache(maxsize=16)
def _reader(field: str) -> msgspec.json.Decoder[Any]:
    """Reads one member of an object, and passes over the others."""
    raw = msgspec.Raw
    return msgspec.json.Decoder(
        msgspec.defstruct("Member", [("member", raw, raw())], rename={"member": field})
    )


class Members(dict[str, Any]):
    """An object that would cost much to build: only `get` finds members in it.

    A member that is a list or an object is `...`.
    """

    def __init__(self, text: bytes) -> None:
        super().__init__()
        self._text = text

    def get(self, field: str, default: Any = None) -> Any:
        try:
            reader = _reader(field)
        except ValueError:  # it knows no names with quotes and the like
            return orjson.loads(self._text).get(field, default)
        found = bytes(reader.decode(self._text).member)
        return _scalar(found) if found else default


class Json(NamedTuple):
    """A valid text, its value, and how many of its tokens became null."""

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
        check_depth(text)
        return _repair(text, parse)
    check_depth(text)
    return Json(text, value, 0)


def is_expensive(text: bytes) -> bool:
    """Whether `text` has so many lists and objects that it should not be built."""
    return len(text) >= MANY and text.count(b"[") + text.count(b"{") >= MANY


def skim(text: bytes) -> Json:
    """Check `text`, an array, as `loads` does, without building all that is in it.

    The value has at most the first three items of the array: texts and numbers, `Members` for an
    object that is the second item, and `...` for other lists and objects.  A megabyte of lists
    takes 20 ms; to build it would take 60.
    """
    check_depth(text)
    if not _maybe_large(text):  # else the repair finds out, and changes nothing if it is not
        with suppress(ValueError):
            return Json(text, _skim(text), 0)
    try:
        return _repair(text, _skim)
    except TooManyLargeError:
        try:
            return Json(text, parse(text), 0)
        except ValueError:
            pass
        raise


def _skim(text: bytes) -> list[Any]:
    """What `skim` finds; raises ValueError.  Numbers may be too large."""
    text.decode()  # the decoder passes over texts as they are
    start = _START.decode(text)
    items = [bytes(item) for item in (start.first, start.second, start.third) if bytes(item)]
    found = [_scalar(item) for item in items]
    if len(items) > 1 and items[1].startswith(b"{"):
        found[1] = Members(items[1])
    return found


def _scalar(text: bytes) -> Any:
    """What `text` means; `...` for lists and objects."""
    return ... if text.startswith((b"[", b"{")) else orjson.loads(text)


def parse(text: bytes) -> Any:
    """What `text` means; raises `orjson.JSONDecodeError`.

    The garbage collector has nothing to find in a value that is only just being made, and
    would look through all of it again and again: for a megabyte of empty lists that is ten
    times the work of parsing it.
    """
    if not is_expensive(text) or not gc.isenabled():
        return orjson.loads(text)
    gc.disable()
    try:
        return orjson.loads(text)
    finally:
        gc.enable()


def check_depth(text: bytes) -> None:
    """Raise `ParseError` when JSON nests deeper than `MAX_DEPTH`."""
    if (
        len(text) > SHALLOW
        and text.count(b"[") + text.count(b"{") > MAX_DEPTH
        and depth(text) > MAX_DEPTH
    ):
        raise ParseError(f"JSON nested deeper than {MAX_DEPTH} levels")


def depth(text: bytes) -> int:
    """The levels of nesting of valid JSON, found without recursion.

    Escapes are removed, then everything but quotes and brackets.  Brackets between two quotes
    were in strings; each other bracket is one level up or down.  Eight of these steps are put
    into one byte, by shifts of all of them as one big number.
    """
    plain = text.replace(rb"\\", b"").replace(rb"\"", b"")
    structure = plain.translate(_OPENS, _NOT_STRUCTURE).replace(b'""', b"")
    steps = b"".join(structure.split(b'"')[::2])
    size = len(steps) + -len(steps) % 8
    bits = int.from_bytes(steps, "little")
    for shift in (7, 14, 28):
        bits |= bits >> shift
    walks = bits.to_bytes(size, "little")[::8]
    starts = accumulate(memoryview(walks.translate(_LEADS)).cast("b"), initial=0)
    return max(map(add, starts, walks.translate(_PEAKS)), default=0)


def _repair(text: bytes, read: Callable[[bytes], Any]) -> Json:
    """Repair by a few passes over the whole text, whatever is in it and how often.

    Escapes are masked, so that every quote begins or ends a string; what is outside of
    strings is put together, repaired, and put back in its places.  `read` says what the result
    means, or raises ValueError.
    """
    if any(mask in text for mask in _MASKS):
        raise ParseError("invalid JSON")
    masked = text.replace(rb"\\", b"\x01\x02").replace(rb"\"", b"\x03\x04")
    parts = masked.split(b'"')
    outside, count = _finite(b'"'.join(parts[::2]))
    parts[::2] = outside.split(b'"')
    repaired = b'"'.join(parts).replace(b"\x03\x04", rb"\"").replace(b"\x01\x02", rb"\\")
    try:
        value = read(_without_lone_surrogates(repaired))
    except ValueError as error:
        raise ParseError("invalid JSON") from error
    return Json(repaired, value, count)


def _finite(text: bytes) -> tuple[bytes, int]:
    """`text`, in which no strings are, with null for what is no finite number; how many."""
    count = text.count(b"NaN") + text.count(b"Infinity")
    for word in (b"NaN", b"-Infinity", b"Infinity"):
        text = text.replace(word, b"null")
    if not _maybe_large(text):
        return text, count
    seen = large = 0

    def check(number: re.Match[bytes]) -> bytes:
        nonlocal seen, large
        seen += 1
        if seen > MAX_LARGE:
            raise TooManyLargeError(
                f"more than {MAX_LARGE} very large numbers beside what is no JSON"
            )
        if not isinf(float(number[0])):
            return number[0]
        large += 1
        return b"null"

    text = _LARGE.sub(check, text)
    return text, count + large


def _maybe_large(text: bytes) -> bool:
    """Whether a number in `text` may be too large for a double; a search by `re` takes 30 ms."""
    alike = text.translate(_DIGITS_ALIKE, b"+")
    return any(sign in alike for sign in _LARGE_SIGNS)


def _without_lone_surrogates(text: bytes) -> bytes:
    if rb"\u" not in text:
        return text
    return _LONE_SURROGATE.sub(rb"\\ufffd", text.replace(rb"\\", rb"\u005c"))
