"""What requests may say and what answers look like; the OpenAPI document is made of it.

Unknown keys are ignored everywhere.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

MOST_LINES = 10000
"""Lines that one request can ask for."""


class SetCredentialsQuery(Struct, frozen=True):
    """When to answer."""

    wait: Annotated[
        Literal["", "ready"],
        Meta(description="`ready`: answer when the new worker is ready, or has failed."),
    ] = ""


class RestartQuery(Struct, frozen=True):
    """Whether to wait for the end of a pause."""

    force: Annotated[
        bool, Meta(description="`true`: start even in a pause that the broker imposed.")
    ] = False


class StatusQuery(Struct, frozen=True):
    """How much to tell."""

    codes: Annotated[
        bool, Meta(description="`true`: age and rate by code, too, up to 2,000 of them.")
    ] = False


class LogsQuery(Struct, frozen=True):
    """Which lines to show: the newest, or those from a position on."""

    lines: Annotated[
        int, Meta(ge=1, le=MOST_LINES, description=f"The number of lines, 1 to {MOST_LINES}.")
    ] = 100
    source: Annotated[
        Literal["worker", "gateway"],
        Meta(description="Whose lines: what the worker printed, or the gateway's own log."),
    ] = "worker"
    since: Annotated[
        int,
        Meta(
            ge=0,
            le=2**53 - 1,  # the largest that JavaScript tells from its neighbours
            description="A position, `next` of an earlier answer for the same source: the oldest"
            " lines from there on. 0: the newest lines.",
        ),
    ] = 0


class BarsQuery(Struct, frozen=True):
    """Which bars to tell."""

    code: Annotated[
        str, Meta(description="The code, such as `TXFR1` or `2330`.", examples=["TXFR1"])
    ] = ""
    interval: Annotated[
        str,
        Meta(
            description="The length of a bar; `1s` only for the last hour.",
            extra_json_schema={"enum": ["1s", "1m", "5m", "15m", "30m", "60m", "1h", "1d"]},
        ),
    ] = "1m"
    begin: Annotated[
        str,
        Meta(
            description="The time of the first bar: seconds since 1970, or ISO 8601, such as"
            " `2026-11-30T09:00`, which is Taipei's without a zone."
        ),
    ] = field(default="", name="from")
    end: Annotated[
        str, Meta(description="The time before which the last bar begins; as `from`.")
    ] = field(default="", name="to")
    session: Annotated[
        str,
        Meta(
            description="`day` or `night`; without it both.",
            extra_json_schema={"enum": ["", "day", "night"]},
        ),
    ] = ""


class Columns(Struct, frozen=True):
    """Bars, the oldest first: the same place in each list is one bar."""

    time: list[int]
    """When each begins, in seconds since 1970."""
    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]
    volume: list[float]


class ContractSince(Struct, frozen=True):
    """From a time on, in seconds since 1970, the code stands for this one."""

    begin: int = field(name="from")
    code: str


class Bars(Struct, frozen=True):
    """Bars of one code."""

    code: str
    interval: str
    session: str
    demo: bool
    """They are a demonstration's: no market data.  `replay` and `rehearsal` are told in this way,
    too, where they are true."""
    cut: bool
    """There are more, earlier ones: ask again with `to` being the first time here."""
    contracts: list[ContractSince]
    """The contracts that a continuous code such as `TXFR1` stood for; nothing is adjusted."""
    partial: list[int]
    """The times of bars of which a part was not heard."""
    bars: Columns
    newest: float | None
    """The time of the newest tick, in seconds since 1970; null: none has come."""


class Hours(Struct, frozen=True):
    """When the sessions of a market begin and end, such as `["08:45", "13:45"]`, in Taipei."""

    sessions: list[tuple[str, str]]


class KnownCode(Struct, frozen=True):
    """What is known of one code: also the fields of `market_contract`, of which any may be missing.

    `tick`, if it is known: the steps of prices as pairs, the last of which has no bound.
    """

    market: Literal["futures", "stocks"]
    aliases: list[str]
    """Other codes of the same contract."""
    newest: float | None
    """The time of the newest tick, in seconds since 1970; null: none has come."""
    tick: list[tuple[float | None, float]] = []
    """`[below, size]`: what a price below `below` moves by; null: every price that is left."""


class Codes(Struct, frozen=True):
    """The codes of which quotes or contracts are known, 2,000 at most."""

    timezone: str
    """The gateway's `--timezone`."""
    markets: dict[str, Hours]
    codes: dict[str, KnownCode]


class Health(Struct, frozen=True):
    """The gateway lives; more keys may follow."""

    status: Literal["ok"]
    python_running: bool = field(name="pythonRunning")
    timestamp: str


class Readiness(Struct, frozen=True):
    """Whether the worker runs, or is ready; `reason` may say why."""

    ready: bool


class Alive(Struct, frozen=True):
    """The gateway lives."""

    status: Literal["ok"]


class Done(Struct, frozen=True):
    """It is done; more keys say what happened."""

    success: Literal[True]
    message: str


class Problem(Struct, frozen=True):
    """What went wrong, and what to do."""

    error: str
    details: Any = None
    code: str = ""
    """For programs.  Of 401: `token_missing`, `token_wrong`, or `token_weak`: it may not do this.

    Of 400: `keys`, and `field` names the one that can't be used.  Of 500: `held` or `paused` (no
    worker may start before `nextStart`), `not_started`, `ended_at_once`, `not_ready` (the previous
    keys are back), `superseded`, `not_handed_over`, `going_down`, else `failed`.
    """
    field: str = ""
    nextStart: str = ""
    """ISO 8601."""


class Access(Struct, frozen=True):
    """Who asks: the name of the token, empty without one; for control also the other tokens."""

    name: str
    role: Literal["view", "publish", "control"]
    others: list[dict[str, str]] = []


class Program(Struct, frozen=True):
    """What the worker is; an empty text: not known, or none."""

    name: str
    """The path of main.py, `-m` and a module, or the path of another program."""
    python: str
    """The path of its Python."""
    version: str
    """Of that Python."""
    packages: dict[str, str]
    """Versions of what is installed for it of `shioaji` and `python-socketio`."""


class Status(Struct, frozen=True):
    """The worker's state; more keys follow."""

    state: str
    time: float
    """The gateway's clock, in seconds since 1970."""
    access: Access
    program: Program | None = None
    """Null: none was started yet."""


class OpenApi(Struct, frozen=True):
    """An OpenAPI document."""

    openapi: str


class Logs(Struct, frozen=True):
    """Lines, redacted, oldest first; at most 256 KiB of them.

    Each begins with its time and, in brackets, who says it; warnings and errors of the gateway have
    their level before that, and its tracebacks are indented.
    """

    lines: list[str]
    next: int
    """The position behind the last of them, to go on with `since`."""
