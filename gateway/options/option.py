"""How an option is declared, and converters from its text to its value.

A converter raises ValueError, which says what was expected.
"""

from __future__ import annotations

import re
from keyword import iskeyword
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from attrs import Attribute, field, frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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


def web_address(text: str) -> str:
    """The address of a page, which ends with a slash; the slash may be left out."""
    if not re.fullmatch(r"https?://[!-~]*[!-~]", text) or re.search(r"[?#@]", text):
        raise ValueError(f"{text!r} is not the address of a page; write https://desk.example.com/")
    return text.removesuffix("/") + "/"


def words(text: str) -> list[str]:
    """Names separated by commas or spaces."""
    return text.replace(",", " ").split()


def lines(text: str) -> list[str]:
    """Texts separated by line ends or semicolons."""
    return [line.strip() for line in re.split(r"[;\n]", text) if line.strip()]


def paths(text: str) -> list[Path]:
    """Files separated by line ends or semicolons."""
    return list(map(path, lines(text)))


# -- What an option is, and how one is declared: as a field of an attrs class.

_SPEC: Final = "option"


@frozen
class Option:
    """One option: its name, help, default, and how its text becomes a value."""

    name: str
    """As on the command line, without the dashes."""
    help: str
    convert: Callable[[Sequence[str]], Any]
    """The texts given, at least one -> the value; raises ValueError."""
    default: str
    """As the user would write it; "" for none."""
    flag: bool = False
    secret: bool = False
    """Only by its variable: everybody sees a command line."""
    also: tuple[str, ...] = ()
    """Further environment variables, read after our own."""
    formerly: str = ""
    """The name that it had in the release before: it works in this one, and a start says so."""

    @property
    def key(self) -> str:
        """The name of the field; one that is a word of Python's has `_` at its end."""
        key = self.name.replace("-", "_")
        return f"{key}_" if iskeyword(key) else key

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables; the first that is set and not empty counts."""
        return (_variable(self.name), *self.also)

    @property
    def former_variable(self) -> str:
        """That of the name in the release before; "": it had no other."""
        return self.formerly and _variable(self.formerly)


def _variable(name: str) -> str:
    return f"SJGATEWAY_{name.upper().replace('-', '_')}"


def option(default: str, meaning: str, convert: Callable[[str], Any] = str, *also: str) -> Any:
    """A field with one value: the last one that is given; None where there is no default."""
    value = convert(default) if default else None
    return _field(value, default, meaning, lambda texts: convert(texts[-1]), also=also)


def secret(meaning: str) -> Any:
    """A text that no other user may see; "" where there is none."""
    return _field("", "", meaning, lambda texts: texts[-1], secret=True, repr=False)


def flag(meaning: str) -> Any:
    """A field that is off unless named."""
    return _field(False, "", meaning, lambda texts: boolean(texts[-1]), flag=True)


def several(meaning: str, split: Callable[[str], Sequence[Any]], default: str = "") -> Any:
    """A field that may be given several times; `split` makes values of each text."""

    def convert(texts: Sequence[str]) -> tuple[str, ...]:
        return tuple(item for text in texts for item in split(text))

    return _field(convert([default]), default, meaning, convert)


def renamed(formerly: str, declaration: Any) -> Any:
    """A field as declared, which may also be given by its name of the release before."""
    declaration.metadata[_SPEC]["formerly"] = formerly
    return declaration


def _field(
    value: Any,
    default: str,
    meaning: str,
    convert: Callable[[Sequence[str]], Any],
    *,
    repr: bool = True,
    **spec: Any,
) -> Any:
    spec |= {"default": default, "help": meaning, "convert": convert}
    return field(default=value, repr=repr, metadata={_SPEC: spec})


def declared(attribute: Attribute[Any]) -> Option:
    """The option that a field was declared as."""
    name = attribute.name.rstrip("_").replace("_", "-")
    return Option(name=name, **attribute.metadata[_SPEC])
