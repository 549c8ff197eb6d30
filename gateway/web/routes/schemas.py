"""What requests may say and what answers look like; the OpenAPI document is made of it.

Unknown keys are ignored everywhere.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

MOST_LINES = 10000
"""Lines of the worker that one request can ask for."""


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
    since: Annotated[
        int,
        Meta(
            ge=0,
            le=2**53 - 1,  # the largest that JavaScript tells from its neighbours
            description="A position, `next` of an earlier answer: the oldest lines from there on."
            " 0: the newest lines.",
        ),
    ] = 0


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


class Status(Struct, frozen=True):
    """The worker's state; more keys follow."""

    state: str


class OpenApi(Struct, frozen=True):
    """An OpenAPI document."""

    openapi: str


class Logs(Struct, frozen=True):
    """Lines of the worker, redacted, oldest first; at most 256 KiB of them."""

    lines: list[str]
    next: int
    """The position behind the last of them, to go on with `since`."""
