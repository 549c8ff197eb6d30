"""The one table of options.

Each field of `Settings` is an option: the command line, the environment variables, the
help and the README's table are all derived from it.  `no_worker` is `--no-worker` and
`SJGATEWAY_NO_WORKER`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attrs import Attribute, field, fields, frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_SPEC: Final = "option"
_TRUE: Final = frozenset(("1", "true", "yes", "on"))
_FALSE: Final = frozenset(("0", "false", "no", "off"))
_UNITS: Final = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


@frozen
class Option:
    """How one field of `Settings` is given."""

    name: str
    """As on the command line, without the dashes."""
    help: str
    convert: Callable[[Sequence[str]], Any]
    """The texts given, at least one -> the value; raises ValueError."""
    default: Any
    flag: bool = False
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


def _option(default: Any, meaning: str, convert: Callable[[str], Any] = str, *also: str) -> Any:
    """A field given by one text; the last one counts."""
    return _field(default, help=meaning, convert=lambda texts: convert(texts[-1]), also=also)


def _flag(meaning: str) -> Any:
    """A field that is off unless named."""
    return _field(False, help=meaning, convert=lambda texts: boolean(texts[-1]), flag=True)


def _list(meaning: str, split: Callable[[str], Sequence[str]]) -> Any:
    """A field that may be given several times; `split` parts each text."""
    return _field(
        (),
        help=meaning,
        convert=lambda texts: tuple(item for text in texts for item in split(text)),
    )


def _field(default: Any, **spec: Any) -> Any:
    return field(default=default, metadata={_SPEC: spec})


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


def words(text: str) -> list[str]:
    """Names parted by commas or spaces."""
    return text.replace(",", " ").split()


@frozen
class Settings:
    """What the gateway was told, converted."""

    port: int = _option(3001, "TCP port to listen on", number(0, 65535, "a port"), "PORT")
    log_level: str = _option(
        "info",
        "least level that is logged: debug, info, warn, error or critical",
        choice("debug", "info", "warn", "error", "critical"),
    )
    log_format: str = _option("text", "form of a log line: text or json", choice("text", "json"))
    log_file: str | None = _option(None, "file to log to, instead of where twistd logs to")
    log_size: int = _option(10 << 20, "size at which a log file is rotated, such as 10M", size)
    log_keep: int = _option(5, "rotated log files that are kept", number(1, 1000))


def options() -> Iterator[Option]:
    """The table, in the order of `Settings`."""
    attribute: Attribute[Any]
    for attribute in fields(Settings):
        name = attribute.name.replace("_", "-")
        yield Option(name=name, default=attribute.default, **attribute.metadata[_SPEC])


def load(given: Mapping[str, Sequence[str]], environ: Mapping[str, str]) -> Settings:
    """Settings from the command line (`given`: option names to texts), else the environment.

    Raises ValueError with one line that names the option or the variable.
    """
    values = {}
    for option in options():
        source, texts = _source(option, given, environ)
        if texts:
            try:
                values[option.key] = option.convert(texts)
            except ValueError as error:
                raise ValueError(f"{source}: {error}") from None
    return Settings(**values)


def _source(
    option: Option, given: Mapping[str, Sequence[str]], environ: Mapping[str, str]
) -> tuple[str, Sequence[str]]:
    """Who says what an option is: its name there, and the texts."""
    if option.name in given:
        return f"--{option.name}", given[option.name]
    for variable in option.variables:
        if environ.get(variable):
            return variable, [environ[variable]]
    return "", []
