"""The one table of options.

Each field of `Settings` is an option: the command line, the environment variables, the help
and docs/options.md are all derived from it.  `no_worker` is `--no-worker` and
`SJGATEWAY_NO_WORKER`.  A group of options (`groups.py`) begins at each empty line; the texts in
Chinese are in `chinese.py`.

A help text must be clear without the others: it says the unit, what the value does, and what
holds without it.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from attrs import frozen

from gateway.market.events import QUOTES, STATES
from gateway.options.option import (
    choice,
    flag,
    lines,
    number,
    option,
    paths,
    seconds,
    secret,
    several,
    size,
    url_path,
    web_address,
    words,
)
from gateway.options.option import path as file
from gateway.rehearsal.script import Fault
from gateway.rehearsal.script import parse as parse_faults
from gateway.replay.wishes import Place, read_speed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@frozen
class Settings:
    """What the gateway was told, converted.  Durations are in seconds, sizes in bytes."""

    port: int = option(
        "3001",
        "TCP port for clients and for the worker; 0 takes any free one.",
        number(0, 65535, "a port"),
        "PORT",
    )
    host: str | None = option(
        "",
        "IP address to listen on instead of 127.0.0.1 and ::1. 0.0.0.0 lets other machines"
        " connect by IPv4, :: by IPv6.",
    )
    listen: tuple[str, ...] = several(
        "Twisted endpoint to listen on, such as ssl:3443:privateKey=key.pem or unix:/run/sj.sock;"
        " replaces --host and --port for clients. May be repeated.",
        lines,
    )
    max_connections: int = option(
        "20000",
        "Maximum number of TCP connections at one time, and of Socket.IO sessions; further ones are"
        " refused.",
        number(1, 10**6),
    )
    max_connections_per_address: int = option(
        "500",
        "Maximum number of connections, and of sessions, from one address of another machine at"
        " one time; further ones are refused. This machine has no such limit.",
        number(1, 10**6),
    )

    allowed_hosts: tuple[str, ...] = several(
        "Host names by which clients reach the gateway. localhost and IP addresses are always"
        " allowed; other names are answered with 403.",
        words,
    )
    allowed_origins: tuple[str, ...] = several(
        "Origins of the web pages and apps that may use the gateway, such as"
        " https://app.example.com or app://name; * allows all. Pages from localhost are always"
        " allowed.",
        words,
    )
    trusted_proxies: tuple[str, ...] = several(
        "IP networks of the proxies in front of the gateway, such as 10.0.0.0/8; unix for those"
        " on a UNIX socket. The client's address is taken from their X-Forwarded-For.",
        words,
    )
    token_file: Path | None = option(
        "",
        "File with the token that allows everything, or with one line NAME TOKEN ROLE for each"
        " token; roles are view, publish and control. Without a control token only this machine"
        " may control the worker.",
        file,
    )
    token: str = secret(
        "The token that allows everything, given directly. Ignored where --token-file is given."
    )
    view_token_file: Path | None = option(
        "",
        "File with the token that is needed to read /status, /logs and /metrics and to receive"
        " events, or with one line NAME TOKEN ROLE for each token.",
        file,
    )
    view_token: str = secret(
        "The token for reading, given directly. Ignored where --view-token-file is given."
    )

    main: Path | None = option(
        "",
        "The worker's script. Without it: ./main.py, and if there is none, ../main.py.",
        file,
    )
    cwd: Path | None = option(
        "",
        "Folder in which the worker runs. Without it: the folder of main.py.",
        file,
    )
    module: str | None = option(
        "", "Python module to run as the worker, as by python -m, instead of --main."
    )
    command: Sequence[str] | None = option(
        "",
        "Command to run as the worker instead of --main, quoted as in a shell.",
        shlex.split,
    )
    python: str | None = option(
        "",
        "Python interpreter that runs the worker. Without it: venv or .venv in the folder of"
        " main.py or in one above it, up to the project's root; then the first python3 in PATH"
        " that can import what main.py imports.",
    )
    worker_args: tuple[str, ...] = several(
        "Arguments for main.py, quoted as in a shell, such as '--codes TXFR1,2330'. May be"
        " repeated.",
        shlex.split,
    )
    demo: bool = flag(
        "Run the worker with its demonstration feed: random prices, no broker account needed."
        " Without a main.py a feed of the gateway's own is run."
    )
    dev: bool = flag(
        "For development: restart the worker when one of its Python files changes, and log at"
        " level debug."
    )
    no_worker: bool = flag(
        "Run no worker; any client that may publish is the source of the events."
    )
    portable: bool = flag(
        "Do with what every POSIX system has, as on macOS, although this is Linux; docs/systems.md"
        " says what is promised less. Without it: on Linux all that Linux has."
    )
    state_dir: Path | None = option(
        "",
        "Folder for data that is kept over restarts: the ledger of worker starts, recovery.key,"
        " recent events (memory-PORT.ring, about twice --history-size) and bars."
        " Without it: $STATE_DIRECTORY, then $XDG_STATE_HOME/sjgateway, then"
        " ~/.local/state/sjgateway.",
        file,
    )
    key_names: tuple[str, ...] = several(
        "Further environment variables in which the worker gets its keys, such as"
        " 'apiKey=MY_KEY secretKey=MY_SECRET'. May be repeated.",
        words,
    )
    credentials_file: Path | None = option(
        "",
        "File in which keys posted to /set-sj-key are kept, with mode 0600. Without it they are"
        " lost when the gateway ends.",
        file,
    )

    patience_login: float = option(
        "35",
        "Seconds from SIGINT to SIGTERM when a worker that was never ready is stopped: it may"
        " still be logging in.",
        seconds,
    )
    patience_interrupt: float = option(
        "10",
        "Seconds from SIGINT to SIGTERM when a worker that has been ready is stopped.",
        seconds,
    )
    patience_terminate: float = option(
        "5", "Seconds from SIGTERM to SIGKILL when a worker is stopped.", seconds
    )
    keep_worker: float = option(
        "30",
        "Seconds for which a worker outlives a gateway that was killed, crashed, or hands over: the"
        " next gateway takes it over, without a login. 0: it is ended at once. Linux only.",
        seconds,
    )
    fatal_after: int = option(
        "5",
        "Number of failures in a row, each within 60 seconds of its start, after which the worker"
        " is no longer restarted. Failures of the network do not count. 0: always restart.",
        number(0, 10**6),
    )
    budget: int = option(
        "200",
        "Maximum number of worker starts in one trading day. After that only a person (POST"
        " /start-python or /restart-python) can start it.",
        number(0, 10**6),
    )
    schedule: tuple[str, ...] = several(
        "Cron expression at which the worker is restarted, such as '40 8 * * 1-5' for 08:40 from"
        " Monday to Friday. May be repeated.",
        lines,
    )
    sessions: tuple[str, ...] = several(
        "Hours in which the worker runs, such as 'Mon-Fri 08:30-13:50'; outside them it is"
        " stopped. Without it: always. May be repeated.",
        lines,
    )
    timezone: str = option(
        "Asia/Taipei",
        "Time zone of --schedule and --sessions, and of times on the page and in alerts, by its"
        " IANA name.",
    )
    holiday_file: Path | None = option(
        "",
        "File with the days on which the markets are closed, one ISO date (2027-01-01) a line."
        " Weekends need not be listed.",
        file,
    )

    heartbeat: float = option(
        "10", "Seconds from one heartbeat event of the worker to the next.", seconds
    )
    watchdog: int = option(
        "0",
        "Number of missed heartbeats after which the worker is restarted. 0: never.",
        number(0, 10**6),
    )
    ready_within: float = option(
        "60",
        "Seconds from its start in which the worker should become ready; after that browsers and"
        " alerts say that it is not ready. 0: they never do.",
        seconds,
    )
    tick_silence: float = option(
        "60",
        "Seconds without a market event, in trading hours, after which the feed is reported as"
        " stale. 0: never.",
        seconds,
    )
    restart_silent: float = option(
        "0",
        "Seconds for which the feed must be stale, in trading hours, before the worker is"
        " restarted. 0: never.",
        seconds,
    )

    publish: str | None = option(
        "",
        "Whose events are relayed. any: every client's. worker: the worker's only. token: the"
        " worker's, and those of clients with a publish or control token. Without it: token where"
        " a token is set, else any.",
        choice("any", "worker", "token"),
    )
    echo: bool = flag("Send each event back to its sender, too.")
    namespaces: tuple[str, ...] = several(
        "Socket.IO namespaces in which events are relayed, each on its own.", words, "/"
    )
    flush_interval: float = option(
        "0",
        "Seconds for which events are collected before they are sent together. 0: until the end"
        " of the reactor's turn.",
        seconds,
    )
    ack_timeout: float = option(
        "60",
        "Seconds that the receivers of an event have to answer it, when its sender asked for an"
        " acknowledgment. After that the sender gets no answer.",
        seconds,
    )
    key_field: str = option(
        "code",
        "Field of an event's first argument that tells what the event is about, such as the code of"
        " a contract. The newest event is kept for each value of this field.",
    )

    state_events: tuple[str, ...] = several(
        "Names of events that describe a state. The newest one of each is sent to every client"
        " that connects later.",
        words,
        " ".join(STATES),
    )
    quote_events: tuple[str, ...] = several(
        "Names of events that are quotes. The newest one of each code is sent to clients that"
        " connect later with snapshot: true. A worker that sends one counts as logged in.",
        words,
        " ".join(QUOTES),
    )
    no_snapshot_states: bool = flag(
        "Send no --state-events to clients that connect later; they get new events only."
    )
    snapshot_quotes: bool = flag(
        "Send the newest --quote-events to every client that connects, also without snapshot: true."
    )
    recovery_time: float = option(
        "120",
        "Seconds for which a client that asked for recovery may be disconnected and still get the"
        " events that it missed.",
        seconds,
    )
    history_size: int = option(
        "8M",
        "Maximum number of bytes of past events that are kept in each namespace for clients that"
        " are behind or come back.",
        size,
    )
    history_events: int = option(
        "20000",
        "Maximum number of past events that are kept in each namespace for clients that are behind"
        " or come back.",
        number(1, 10**7),
    )

    record: Path | None = option(
        "",
        "Folder in which the worker's events are recorded, one compressed file for each day session"
        " and each night session. Without it nothing is recorded.",
        file,
    )
    record_events: str = option(
        "worker",
        "Whose events are recorded: worker (those of the worker and of the gateway itself) or"
        " everybody.",
        choice("worker", "everybody"),
    )
    record_days: int = option(
        "30",
        "Days for which recordings are kept; older ones are removed. 0 keeps them for ever.",
        number(0, 36500),
    )
    record_size: int = option(
        "10G",
        "Maximum size in bytes of all recordings together; beyond it the oldest are removed. 0"
        " means no limit.",
        size,
    )
    keep_bars: int = option(
        "30",
        "Number of days for which bars of one minute are kept, in the state folder. 0: no bars are"
        " kept, and none can be asked for.",
        number(0, 3650),
    )

    replay: tuple[Path, ...] = several(
        "Recordings that are played to clients instead of running main.py; more files may follow"
        " the first one. Nothing of it is recorded, kept as bars, counted as a start or sent as an"
        " alert. In a variable, files are separated by semicolons.",
        paths,
    )
    speed: float = option(
        "1",
        "How fast recordings are played: a number of times as fast as they were recorded, max for"
        " as fast as clients read, 0 for a pause from the start.",
        read_speed,
    )
    from_: Place | None = option(
        "",
        "Time from which recordings are played, such as 09:00 or 2026-11-30T09:00, on the clock of"
        " Taipei. Without it: from the first event on.",
        Place.read,
    )
    loop: bool = flag("Begin again after the last event of the recordings.")
    times: str = option(
        "recorded",
        "Times in events that are played: recorded leaves every byte as it was, now moves them to"
        " the time at which they are sent.",
        choice("recorded", "now"),
    )

    rehearse: Path | None = option(
        "",
        "Recording that stands for the market: main.py runs as it is, but finds a broker on this"
        " machine that plays the recording to it. Nothing leaves this machine, and nothing is"
        " recorded, kept as bars, counted as a start or sent as an alert.",
        file,
    )
    rehearse_faults: tuple[Fault, ...] = several(
        "What goes wrong in a rehearsal, such as '09:05 session-down; 09:10 login 451; 10:00"
        " segfault; 10:05 hang 30; 10:10 silence 120; 10:30 token-expired'. Times are those of the"
        " recording, on the clock of Taipei. May be repeated.",
        parse_faults,
    )
    rehearse_shioaji: str | None = option(
        "",
        "Version of shioaji whose interface the worker finds in a rehearsal, 1.2 or 1.7. Without"
        " it: that of the installed one, else 1.7.",
        choice("1.2", "1.7"),
    )

    cluster: str = option(
        "",
        "Redis or Valkey through which several gateways share one log: redis://HOST:PORT/DB,"
        " rediss://HOST:PORT/DB or unix:///PATH. Needs pip's extra sjgateway[cluster]. Without it"
        " the gateway is alone.",
    )
    cluster_name: str = option(
        "default", "Name of the cluster; gateways with the same name share a log."
    )
    gateway_name: str | None = option(
        "",
        "Name of this gateway, which no other one of the cluster may have. Without it: the name of"
        " the machine.",
    )
    cluster_key_file: Path | None = option(
        "",
        "File with at least 32 bytes that nobody can guess, the same for all gateways of the"
        " cluster. --cluster needs it.",
        file,
    )
    cluster_password_file: Path | None = option(
        "", "File with the password for Redis; the user is in the URL of --cluster.", file
    )
    cluster_password: str = secret(
        "The password for Redis itself. Ignored where --cluster-password-file is given."
    )
    cluster_ca: Path | None = option(
        "",
        "PEM file with the certificate authorities that are trusted for rediss://, instead of the"
        " system's.",
        file,
    )
    cluster_lease: float = option(
        "45",
        "Seconds after which another gateway of the cluster starts the worker when the one that has"
        " it is gone without a word; 4 to 600.",
        number(4, 600, "a number of seconds from 4 to 600"),
    )
    cluster_hold: float = option(
        "0.5",
        "Seconds that an event waits for Redis before it is sent to the clients of this gateway"
        " alone.",
        seconds,
    )

    slow_size: int = option(
        "1M",
        "Bytes of backlog above which a client counts as slow when it makes no progress for"
        " --slow-time seconds.",
        size,
    )
    slow_time: float = option(
        "1",
        "Seconds without progress after which a client with a backlog above --slow-size counts as"
        " slow.",
        seconds,
    )
    stall_time: float = option(
        "10",
        "Seconds without progress after which a client with any backlog counts as slow.",
        seconds,
    )
    no_conflation: bool = flag(
        "Disconnect slow clients. Without it they skip events that are replaced by newer ones with"
        " the same key."
    )
    max_payload: int = option(
        "1000000",
        "Maximum size of one message from a client, in bytes; a client that sends more is"
        " disconnected.",
        size,
    )
    worker_max_payload: int = option(
        "16M",
        "Maximum size of one message over WebSocket, in bytes, from the worker or from a client"
        " with a publish or control token.",
        size,
    )
    message_rate: int = option(
        "2000",
        "Messages a second that one client may send; above that it is read more slowly, never"
        " disconnected. Each 512 bytes count as one more message. The worker has no such limit."
        " 0: no limit.",
        number(0, 10**6),
    )

    ping_interval: float = option(
        "25", "Seconds between two pings of Engine.IO to each client.", seconds
    )
    ping_timeout: float = option(
        "20",
        "Seconds that a client has to answer a ping of Engine.IO before it is disconnected.",
        seconds,
    )
    connect_timeout: float = option(
        "45",
        "Seconds that a client has to join a Socket.IO namespace before it is disconnected.",
        seconds,
    )
    path: str | None = option(
        "",
        "Additional URL path for Socket.IO clients, such as /feed/; /socket.io/ always works.",
        url_path,
    )
    deflate: bool = flag(
        "Offer compression (permessage-deflate) to WebSocket clients: less traffic, more CPU."
    )
    eio3: bool = flag("Accept clients of Engine.IO 3, such as socket.io-client 2.x.")
    client_bundle: Path | None = option(
        "",
        "The browsers' library, such as node_modules/socket.io-client/dist/socket.io.min.js, to be"
        " served at /socket.io/socket.io.js. Without it the answer there is 404.",
        file,
    )

    log_level: str = option(
        "info",
        "Lowest level that is logged: debug, info, warn, error or critical.",
        choice("debug", "info", "warn", "error", "critical"),
    )
    log_format: str = option(
        "text",
        "Form of each log line: text for people, json for programs.",
        choice("text", "json"),
    )
    log_file: Path | None = option(
        "",
        "File to log to. Without it: stdout with twistd -n, else twistd.log.",
        file,
    )
    log_size: int = option(
        "10M", "Bytes at which the log file is renamed and a new one is begun. 0: never.", size
    )
    log_keep: int = option(
        "5", "Number of renamed log files that are kept; the oldest is deleted.", number(1, 1000)
    )

    alert_file: Path | None = option(
        "",
        "File with the receivers of alerts, one a line: a webhook's URL, or a line for LINE, ntfy,"
        " Alertmanager or mail.",
        file,
    )
    alert_urls: str = secret(
        "The receivers of alerts, separated by spaces. Ignored where --alert-file is given."
    )
    alert_link: str | None = option(
        "",
        "Address of the page that alerts link to, such as https://desk.example.com/. Without it:"
        " localhost and --port.",
        web_address,
    )
    alert_ca: Path | None = option(
        "",
        "PEM file with the certificate authorities that are trusted for webhooks and mail servers,"
        " instead of the system's.",
        file,
    )
    alert_interval: float = option(
        "60", "Minimum number of seconds between two alerts of the same kind.", seconds
    )
    alert_language: str = option("en", "Language of alerts: en or zh-TW.", choice("en", "zh-TW"))
