"""The one table of options.

Each field of `Settings` is an option: the command line, the environment variables, the
help and the README's table are all derived from it.  `no_worker` is `--no-worker` and
`SJGATEWAY_NO_WORKER`.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
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


def _list(meaning: str, split: Callable[[str], Sequence[str]], *default: str) -> Any:
    """A field that may be given several times; `split` parts each text."""
    return _field(
        default,
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


def seconds(text: str) -> float:
    """A duration, as a decimal number of seconds."""
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text):
        raise ValueError(f"{text!r} is not a number of seconds")
    return float(text)


def path(text: str) -> Path:
    """A file or folder; `~` is the user's home."""
    return Path(text).expanduser()


def words(text: str) -> list[str]:
    """Names parted by commas or spaces."""
    return text.replace(",", " ").split()


def lines(text: str) -> list[str]:
    """Texts parted by line ends or semicolons."""
    return [line.strip() for line in re.split(r"[;\n]", text) if line.strip()]


@frozen
class Settings:
    """What the gateway was told, converted.  Durations are in seconds, sizes in bytes."""

    port: int = _option(3001, "TCP port to listen on", number(0, 65535, "a port"), "PORT")
    host: str | None = _option(
        None, "address to listen on instead of 127.0.0.1 and ::1, such as 0.0.0.0"
    )
    listen: tuple[str, ...] = _list(
        "Twisted endpoint to listen on instead of --host and --port; may be repeated", lines
    )
    allowed_hosts: tuple[str, ...] = _list("host names under which the gateway is reached", words)
    allowed_origins: tuple[str, ...] = _list(
        "origins of pages on other machines that may talk to the gateway, or *", words
    )
    trusted_proxies: tuple[str, ...] = _list(
        "networks of proxies whose X-Forwarded-For is believed", words
    )
    token_file: Path | None = _option(None, "file with the token for control routes", path)
    view_token_file: Path | None = _option(None, "file with the token for looking on", path)

    main: Path | None = _option(None, "the worker's script; else ./main.py, else ../main.py", path)
    python: str | None = _option(
        None, "the worker's interpreter; else venv or .venv beside main.py, else one in PATH"
    )
    worker_args: tuple[str, ...] = _list("arguments for main.py, as in a shell", shlex.split)
    demo: bool = _flag("run the worker's demonstration feed: no account, no real prices")
    dev: bool = _flag(
        "restart the worker when a Python file beside main.py changes; log level debug"
    )
    no_worker: bool = _flag("run no worker; whoever connects may be the source")
    state_dir: Path | None = _option(
        None, "folder for the ledger of starts; else $STATE_DIRECTORY, else XDG state", path
    )
    credentials_file: Path | None = _option(
        None, "file in which posted credentials are kept; else in memory only", path
    )
    patience_login: float = _option(
        35, "from SIGINT to SIGTERM, for a worker that was never ready", seconds
    )
    patience_interrupt: float = _option(
        10, "from SIGINT to SIGTERM, for a worker that was ready", seconds
    )
    patience_terminate: float = _option(5, "from SIGTERM to SIGKILL", seconds)
    fatal_after: int = _option(
        5, "fast failures in a row after which the worker stays down; 0: never", number(0, 10**6)
    )
    budget: int = _option(
        200, "starts in a trading day past which only a person starts the worker", number(0, 10**6)
    )
    schedule: tuple[str, ...] = _list(
        "cron expression at which the worker is restarted, such as '40 8 * * 1-5'; may be repeated",
        lines,
    )
    sessions: tuple[str, ...] = _list(
        "hours in which alone the worker is up, such as 'Mon-Fri 08:30-13:50'; may be repeated",
        lines,
    )
    timezone: str = _option("Asia/Taipei", "time zone of schedules and sessions")
    heartbeat: float = _option(10, "usual time between two heartbeats of the worker", seconds)
    watchdog: int = _option(
        0, "heartbeats missed until the worker is restarted; 0: never", number(0, 10**6)
    )
    tick_silence: float = _option(
        60, "time without a market event until the feed is called stale; 0: never", seconds
    )

    echo: bool = _flag("send events back to their sender too")
    namespaces: tuple[str, ...] = _list("namespaces that are relayed", words, "/")
    history_size: int = _option(8 << 20, "bytes of events kept for clients that are behind", size)
    history_events: int = _option(
        20_000, "events kept for clients that are behind", number(1, 10**7)
    )
    flush_interval: float = _option(
        0, "time for which events are collected before they are sent", seconds
    )
    ack_timeout: float = _option(60, "time for receivers to answer an event", seconds)
    recovery_time: float = _option(
        120, "time for which a client that asked for recovery may be away", seconds
    )
    no_conflation: bool = _flag("disconnect slow clients, instead of skipping outdated events")

    ping_interval: float = _option(25, "time between heartbeats of Engine.IO", seconds)
    ping_timeout: float = _option(20, "time for a client to answer a heartbeat", seconds)
    max_payload: int = _option(1_000_000, "bytes of the largest message", size)
    connect_timeout: float = _option(45, "time for a client to enter a namespace", seconds)
    eio3: bool = _flag("let in Engine.IO 3 clients, such as socket.io-client 2.x")

    log_level: str = _option(
        "info",
        "least level that is logged: debug, info, warn, error or critical",
        choice("debug", "info", "warn", "error", "critical"),
    )
    log_format: str = _option("text", "form of a log line: text or json", choice("text", "json"))
    log_file: Path | None = _option(None, "file to log to; else where twistd logs to", path)
    log_size: int = _option(10 << 20, "size at which a log file is rotated; 0: never", size)
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
