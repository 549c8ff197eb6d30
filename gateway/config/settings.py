"""The one table of options.

Each field of `Settings` is an option: the command line, the environment variables, the
help and the README's table are all derived from it.  `no_worker` is `--no-worker` and
`SJGATEWAY_NO_WORKER`.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from attrs import Attribute, fields, frozen

from gateway.config.converters import choice, lines, number, seconds, size, url_path, words
from gateway.config.converters import path as file
from gateway.config.option import Option, declared, flag, option, secret, several

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path


@frozen
class Settings:
    """What the gateway was told, converted.  Durations are in seconds, sizes in bytes."""

    port: int = option("3001", "TCP port to listen on", number(0, 65535, "a port"), "PORT")
    host: str | None = option(
        "", "address to listen on instead of 127.0.0.1 and ::1, such as 0.0.0.0"
    )
    listen: tuple[str, ...] = several(
        "Twisted endpoint to listen on instead of --host and --port; may be repeated", lines
    )
    allowed_hosts: tuple[str, ...] = several("host names under which the gateway is reached", words)
    allowed_origins: tuple[str, ...] = several(
        "origins of apps, and of pages on other machines, that may talk to the gateway,"
        " such as app://name; or *",
        words,
    )
    trusted_proxies: tuple[str, ...] = several(
        "networks of proxies whose X-Forwarded-For is believed, or unix", words
    )
    token_file: Path | None = option(
        "", "file with the token for control routes, or with named tokens of any role", file
    )
    token: str = secret("the token for control routes itself")
    view_token_file: Path | None = option(
        "", "file with the token for looking on, or with named ones", file
    )
    view_token: str = secret("the token for looking on itself")
    max_connections: int = option("20000", "connections, in total", number(1, 10**6))
    max_connections_per_address: int = option(
        "500", "connections from one address of another machine", number(1, 10**6)
    )

    main: Path | None = option("", "the worker's script; else ./main.py, else ../main.py", file)
    cwd: Path | None = option(
        "", "the folder in which the worker works; else that of main.py", file
    )
    module: str | None = option("", "the worker as a module, for python -m, instead of --main")
    command: Sequence[str] | None = option(
        "", "the worker as a command, as in a shell, instead of --main", shlex.split
    )
    python: str | None = option(
        "",
        "the worker's interpreter; else venv or .venv between main.py and the project's root,"
        " else one in PATH",
    )
    worker_args: tuple[str, ...] = several("arguments for main.py, as in a shell", shlex.split)
    demo: bool = flag("run the worker's demonstration feed: no account, no real prices")
    dev: bool = flag("restart the worker when a Python file of its own changes; log level debug")
    no_worker: bool = flag("run no worker; whoever connects may be the source")
    state_dir: Path | None = option(
        "",
        "folder for what outlives a restart, such as the ledger of starts and recovery.key;"
        " else $STATE_DIRECTORY, else XDG state",
        file,
    )
    key_names: tuple[str, ...] = several(
        "further variables in which the worker looks for its keys, such as"
        " 'apiKey=MY_KEY secretKey=MY_SECRET'; may be repeated",
        words,
    )
    credentials_file: Path | None = option(
        "", "file in which posted credentials are kept; else in memory only", file
    )
    patience_login: float = option(
        "35", "from SIGINT to SIGTERM, for a worker that was never ready", seconds
    )
    patience_interrupt: float = option(
        "10", "from SIGINT to SIGTERM, for a worker that was ready", seconds
    )
    patience_terminate: float = option("5", "from SIGTERM to SIGKILL", seconds)
    fatal_after: int = option(
        "5", "fast failures in a row after which the worker stays down; 0: never", number(0, 10**6)
    )
    budget: int = option(
        "200",
        "starts in a trading day past which only a person starts the worker",
        number(0, 10**6),
    )
    schedule: tuple[str, ...] = several(
        "cron expression at which the worker is restarted, such as '40 8 * * 1-5'; may be repeated",
        lines,
    )
    sessions: tuple[str, ...] = several(
        "hours in which alone the worker is up, such as 'Mon-Fri 08:30-13:50'; may be repeated",
        lines,
    )
    timezone: str = option("Asia/Taipei", "time zone of schedules and sessions")
    heartbeat: float = option("10", "usual time between two heartbeats of the worker", seconds)
    watchdog: int = option(
        "0", "heartbeats missed until the worker is restarted; 0: never", number(0, 10**6)
    )
    ready_within: float = option(
        "60",
        "time from its start in which the worker should be ready, else people are told; 0: never",
        seconds,
    )
    tick_silence: float = option(
        "60", "time without a market event until the feed is called stale; 0: never", seconds
    )

    restart_silent: float = option(
        "0",
        "time for which a feed is stale in a session until the worker is restarted; 0: never",
        seconds,
    )
    holiday_file: Path | None = option(
        "", "file with the days on which no session begins, one ISO date a line", file
    )

    publish: str | None = option(
        "",
        "whose events go to others: any, worker, or token (the worker's, and of clients with a"
        " token for publishing or control); else token where any is set, any where none is",
        choice("any", "worker", "token"),
    )
    echo: bool = flag("send events back to their sender too")
    namespaces: tuple[str, ...] = several("namespaces that are relayed", words, "/")
    history_size: int = option("8M", "bytes of events kept for clients that are behind", size)
    history_events: int = option(
        "20000", "events kept for clients that are behind", number(1, 10**7)
    )
    flush_interval: float = option(
        "0", "time for which events are collected before they are sent", seconds
    )
    ack_timeout: float = option("60", "time for receivers to answer an event", seconds)
    recovery_time: float = option(
        "120", "time for which a client that asked for recovery may be away", seconds
    )
    state_events: tuple[str, ...] = several(
        "events of which only the newest counts, told to everybody who joins late",
        words,
        "shioaji_ready python_status feed_status heartbeat contracts_loaded option_metadata"
        " market_contract",
    )
    quote_events: tuple[str, ...] = several(
        "the same, told to who asks for a snapshot",
        words,
        "market_snapshot market_tick market_bidask",
    )
    key_field: str = option(
        "code", "field of such an event's object by which the newest of each is kept"
    )
    no_snapshot_states: bool = flag("tell late joiners no newest states")
    snapshot_quotes: bool = flag("tell late joiners the newest quotes, without being asked")
    slow_size: int = option(
        "1M", "bytes by which a client that takes nothing may be behind for --slow-time", size
    )
    slow_time: float = option(
        "1", "time without taking anything after which a client that far behind is slow", seconds
    )
    stall_time: float = option(
        "10", "the same of a client that is behind at all, however little", seconds
    )
    no_conflation: bool = flag("disconnect slow clients, instead of skipping outdated events")

    ping_interval: float = option("25", "time between heartbeats of Engine.IO", seconds)
    ping_timeout: float = option("20", "time for a client to answer a heartbeat", seconds)
    max_payload: int = option("1000000", "bytes of the largest message", size)
    worker_max_payload: int = option("16M", "the same of the worker's, over WebSocket", size)
    message_rate: int = option(
        "2000",
        "messages a second that a client may send before it is read more slowly,"
        " the worker excepted; 512 bytes, or other work, count as one more; 0: any",
        number(0, 10**6),
    )
    deflate: bool = flag("offer permessage-deflate to WebSocket clients")
    connect_timeout: float = option("45", "time for a client to enter a namespace", seconds)
    path: str | None = option(
        "", "path for Socket.IO clients, besides /socket.io/, such as /feed/", url_path
    )
    eio3: bool = flag("let in Engine.IO 3 clients, such as socket.io-client 2.x")

    log_level: str = option(
        "info",
        "least level that is logged: debug, info, warn, error or critical",
        choice("debug", "info", "warn", "error", "critical"),
    )
    log_format: str = option("text", "form of a log line: text or json", choice("text", "json"))
    log_file: Path | None = option("", "file to log to; else where twistd logs to", file)
    log_size: int = option("10M", "size at which a log file is rotated; 0: never", size)
    log_keep: int = option("5", "rotated log files that are kept", number(1, 1000))

    alert_file: Path | None = option("", "file with the URLs of webhooks that alerts go to", file)
    alert_urls: str = secret("the URLs of webhooks that alerts go to")
    alert_ca: Path | None = option(
        "", "file with the authorities to trust there instead of the system's", file
    )
    alert_interval: float = option("60", "least time between two alerts of one kind", seconds)
    alert_language: str = option("en", "language of alerts: en or zh-TW", choice("en", "zh-TW"))


def options() -> Iterator[Option]:
    """The table, in the order of `Settings`."""
    attribute: Attribute[Any]
    for attribute in fields(Settings):
        yield declared(attribute)


def load(given: Mapping[str, Sequence[str]], environ: Mapping[str, str]) -> Settings:
    """Settings from the command line (`given`: option names to texts), else the environment.

    Raises ValueError with one line that names the option or the variable.
    """
    values = {}
    for each in options():
        source, texts = _source(each, given, environ)
        if texts:
            try:
                values[each.key] = each.convert(texts)
            except ValueError as error:
                raise ValueError(f"{source}: {error}") from None
    return Settings(**values)


def _source(
    each: Option, given: Mapping[str, Sequence[str]], environ: Mapping[str, str]
) -> tuple[str, Sequence[str]]:
    """Who says what an option is: its name there, and the texts."""
    if each.name in given:
        return f"--{each.name}", given[each.name]
    for variable in each.variables:
        if environ.get(variable):
            return variable, [environ[variable]]
    return "", []
