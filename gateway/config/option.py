"""What an option is, and how one is declared: as a field of an attrs class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attrs import Attribute, field, frozen

from gateway.config.converters import boolean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_SPEC: Final = "option"


@frozen
class Option:
    """How one field is given."""

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

    @property
    def key(self) -> str:
        """The name of the field."""
        return self.name.replace("-", "_")

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables; the first that is set and not empty counts."""
        return (f"SJGATEWAY_{self.key.upper()}", *self.also)


def option(default: str, meaning: str, convert: Callable[[str], Any] = str, *also: str) -> Any:
    """A field given by one text; the last one counts.  None where there is no default."""
    value = convert(default) if default else None
    return _field(value, default, meaning, lambda texts: convert(texts[-1]), also=also)


def secret(meaning: str) -> Any:
    """A text that nobody else may see; "" where there is none."""
    return _field("", "", meaning, lambda texts: texts[-1], secret=True, repr=False)


def flag(meaning: str) -> Any:
    """A field that is off unless named."""
    return _field(False, "", meaning, lambda texts: boolean(texts[-1]), flag=True)


def several(meaning: str, split: Callable[[str], Sequence[str]], default: str = "") -> Any:
    """A field that may be given several times; `split` parts each text."""

    def convert(texts: Sequence[str]) -> tuple[str, ...]:
        return tuple(item for text in texts for item in split(text))

    return _field(convert([default]), default, meaning, convert)


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
    return Option(name=attribute.name.replace("_", "-"), **attribute.metadata[_SPEC])
