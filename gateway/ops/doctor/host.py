"""Clock and time zone, file descriptors, and the environment variables of the gateway."""

from __future__ import annotations

import difflib
import resource
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gateway.market.hours import TAIPEI
from gateway.ops.doctor.finding import Finding, fail, ok, warn
from gateway.options import options
from gateway.worker.calendar.schedule import Schedule, SessionWindows, zone

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.options import Settings

BUILT = 2026
"""The year of this release: a clock with an earlier year is wrong."""
SPARE = 200
"""Descriptors besides those of clients: the log, the worker's pipes, the gateway's own."""
_PREFIX = "SJGATEWAY_"


def check_clock(settings: Settings, now: float) -> Iterator[Finding]:
    """The clock, the time zone, and whether --schedule and --sessions can be read."""
    try:
        local = zone(settings.timezone)
    except ValueError as error:
        yield fail("clock", str(error), "apt install tzdata, or correct --timezone")
        return
    try:
        Schedule(settings.schedule, local)
        SessionWindows(settings.sessions, local)
    except ValueError as error:
        yield fail("clock", str(error), "correct --schedule or --sessions")
    if datetime.fromtimestamp(now, UTC).year < BUILT:
        yield fail(
            "clock",
            f"it says {datetime.fromtimestamp(now, TAIPEI):%Y-%m-%d}, which is in the past",
            "timedatectl set-ntp true; the broker refuses logins with a wrong time",
        )
    else:
        yield ok(
            "clock",
            f"it is {datetime.fromtimestamp(now, TAIPEI):%Y-%m-%d %H:%M} in Taipei",
            "if not: timedatectl set-ntp true",
        )


def check_descriptors(settings: Settings) -> Finding:
    """Whether there are enough file descriptors for --max-connections."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = settings.max_connections + SPARE
    if hard != resource.RLIM_INFINITY and hard < wanted:
        return warn(
            "descriptors",
            f"only {hard} files may be open; --max-connections {settings.max_connections} needs"
            f" {wanted}",
            f"ulimit -Hn {wanted} (in systemd LimitNOFILE={wanted}), or lower --max-connections",
        )
    limit = "any number of" if hard == resource.RLIM_INFINITY else str(hard)
    return ok("descriptors", f"{limit} files may be open")


def check_environment(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Warns of `SJGATEWAY_` variables that are no option; lists those that are."""
    known = {name: each for each in options() for name in each.variables}
    given = [name for name in sorted(environ) if environ[name] and name in known]
    unknown = [name for name in sorted(environ) if name.startswith(_PREFIX) and name not in known]
    ours = [name.removeprefix(_PREFIX) for name in known]
    for name in unknown:
        like = difflib.get_close_matches(name.removeprefix(_PREFIX), ours, 1)
        cure = (
            f"perhaps {_PREFIX}{like[0]} was meant"
            if like
            else "see twistd sjgateway --help for all names"
        )
        yield warn("environment", f"{name} is no option and is ignored", cure)
    if not unknown:
        said = ", ".join(given) or "none"
        yield ok("environment", f"options set by variables (the command line wins): {said}")
