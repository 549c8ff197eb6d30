"""From an option's text to its value; ValueError says what was expected."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_TRUE: Final = frozenset(("1", "true", "yes", "on"))
_FALSE: Final = frozenset(("0", "false", "no", "off"))
_UNITS: Final = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def boolean(text: str) -> bool:
    """1, true, yes, on; 0, false, no, off."""
    if text.lower() in _TRUE | _FALSE:
        return text.lower() in _TRUE
    raise ValueError(f"{text!r} is neither yes nor no; use 1 or 0")


def number(low: int, high: int, what: str = "a number") -> Callable[[str], int]:
    """A decimal integer from `low` to `high`."""

    def convert(text: str) -> int:
        value = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else -1
        if not low <= value <= high:
            raise ValueError(f"{text!r} is not {what} from {low} to {high}")
        return value

    return convert


def size(text: str) -> int:
    """Bytes, as a number that K, M or G may follow."""
    unit = _UNITS.get(text[-1:].upper(), 1)
    digits = text[:-1] if unit > 1 else text
    if not (digits.isascii() and digits.isdigit() and len(digits) < 20):
        raise ValueError(f"{text!r} is not a size; write 500K, 64M or a number of bytes")
    return int(digits) * unit


def choice(*words: str) -> Callable[[str], str]:
    """One of `words`."""

    def convert(text: str) -> str:
        if text not in words:
            raise ValueError(f"{text!r} is none of {', '.join(words)}")
        return text

    return convert


def seconds(text: str) -> float:
    """A duration, as a decimal number of seconds."""
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text):
        raise ValueError(f"{text!r} is not a number of seconds")
    return float(text)


def path(text: str) -> Path:
    """A file or folder; `~` is the user's home."""
    return Path(text).expanduser()


def url_path(text: str) -> str:
    """A path that begins and ends with a slash; the last one may be left out.

    No client asks for one with `.` or `..` in it: it would resolve them.
    """
    if not re.fullmatch(r"(/(?!\.\.?(?:/|$))[A-Za-z0-9._~-]+)+/?", text):
        raise ValueError(f"{text!r} is not a path of a URL; write /feed/")
    return text.removesuffix("/") + "/"


def words(text: str) -> list[str]:
    """Names parted by commas or spaces."""
    return text.replace(",", " ").split()


def lines(text: str) -> list[str]:
    """Texts parted by line ends or semicolons."""
    return [line.strip() for line in re.split(r"[;\n]", text) if line.strip()]
