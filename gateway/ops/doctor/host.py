"""The machine: clock and time zone, file descriptors, environment variables, and files."""

from __future__ import annotations

import difflib
import json
import os
import resource
import shutil
import stat
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from attrs import asdict

from gateway.market.hours import TAIPEI
from gateway.ops.doctor.finding import Finding, fail, ok, warn
from gateway.options import options
from gateway.worker.calendar.schedule import Schedule, SessionWindows, zone
from gateway.worker.lifecycle.ledger import trading_day
from gateway.worker.lifecycle.ledger_file import VersionError, checked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from gateway.options import Settings

BUILT = 2026
"""The year of this release: a clock with an earlier year is wrong."""
SPARE = 200
"""Descriptors besides those of clients: the log, the worker's pipes, the gateway's own."""
ENOUGH = 2 << 30
"""Bytes that recordings of a busy week take."""
BARS_TAKE = 128 << 20
"""Bytes that bars of a month of 100 codes take."""
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
    """Warns of `SJGATEWAY_` variables that are no option; lists those that are.

    Those of the release before are told of by whoever reads the options.
    """
    known = {name for each in options() for name in (*each.variables, each.former_variable)} - {""}
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


# -- Who may read the gateway's files; the state folder and the ledger of starts.


def check_files(settings: Settings) -> Iterator[Finding]:
    """Whether files with secrets are private, and whether files that are written can be."""
    named = {name: path for name, path in asdict(settings).items() if name.endswith("_file")}
    log = named.pop("log_file")
    found = [finding for path in filter(None, named.values()) for finding in _private(path)]
    for path in filter(None, (settings.credentials_file, log)):
        folder = path.absolute().parent
        if not _writable(folder):
            found.append(
                fail("files", f"{folder} can't be written", f"chown it to {_user()}, chmod u+rwx")
            )
    yield from found or [ok("files", "only the gateway's user can read the files with secrets")]


def _private(path: Path) -> Iterator[Finding]:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return  # the credentials file is made; a missing token file is said elsewhere
    except OSError as error:
        yield fail(
            "files", f"{path}: {error.strerror}", f"chmod its folder so that {_user()} can enter it"
        )
        return
    if stat.S_ISLNK(status.st_mode):
        yield warn("files", f"{path} is a symbolic link", "name the file that it leads to")
    elif not os.access(path, os.R_OK):
        yield fail("files", f"{path} can't be read", f"chown it to {_user()}, chmod 600")
    elif status.st_mode & 0o077:
        yield warn("files", f"other users can read or write {path}", f"chmod 600 {path}")


def check_recording(folder: Path | None) -> Iterator[Finding]:
    """Whether events can be recorded in `folder`, and how much room there is; nothing is made."""
    if folder is None:
        yield ok("recording", "nothing is recorded (without --record)")
        return
    if not _writable(folder):
        cure = f"chown it to {_user()}, chmod u+rwx, or name another folder with --record"
        yield warn("recording", f"{folder} can't be written: nothing is recorded", cure)
        return
    free = shutil.disk_usage(_existing(folder)).free
    if free < ENOUGH:
        cure = "make room, name a folder on another disk, or lower --record-size"
        yield warn("recording", f"only {free >> 20} MiB are free for {folder}", cure)
    else:
        yield ok("recording", f"{folder} can be written; {free >> 30} GiB are free")


def check_bars(path: Path | None) -> Iterator[Finding]:
    """Whether bars can be kept in the file `path`; None: none are kept.  Nothing is made."""
    if path is None:
        yield ok("bars", "no bars are kept (--keep-bars 0)")
    elif not _writable(path.parent):
        cure = f"chown it to {_user()}, chmod 700, or name another folder with --state-dir"
        yield warn("bars", f"{path.parent} can't be written: no bars are kept", cure)
    elif path.exists() and not _is_own_file(path):
        cure = f"chown it to {_user()}, chmod 600, or remove it: bars begin anew"
        yield warn("bars", f"{path} can't be written: no bars are kept", cure)
    elif (free := shutil.disk_usage(_existing(path.parent)).free) < BARS_TAKE:
        cure = "make room, or lower --keep-bars"
        yield warn("bars", f"only {free >> 20} MiB are free for {path}", cure)
    else:
        yield ok("bars", f"{path} can be written")


def _is_own_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and os.access(path, os.R_OK | os.W_OK)


def check_state(folder: Path, budget: int, now: float) -> Iterator[Finding]:
    """Check the state folder and the ledger in it; nothing is made."""
    if not _writable(folder):
        yield fail(
            "state",
            f"{folder} can't be written: starts are counted in memory alone",
            f"chown it to {_user()}, chmod 700, or name another folder with --state-dir",
        )
    else:
        yield ok("state", f"{folder} can be written")
    yield _ledger(folder / "ledger.json", budget, now)


def _ledger(file: Path, budget: int, now: float) -> Finding:
    try:
        record = checked(json.loads(file.read_text("utf-8")))
    except (FileNotFoundError, NotADirectoryError):
        return ok("restart", "the ledger has no starts yet")
    except VersionError as error:
        cure = "go on with the version that wrote it, or name another folder with --state-dir"
        return warn("restart", f"{file} can't be used: {error}", cure)
    except OSError as error:
        what = f"{file} can't be read: {error.strerror}"
        return warn("restart", what, f"chown it to {_user()}, chmod 600")
    except ValueError:
        cure = "remove it; the count of starts begins again at 0"
        return warn("restart", f"{file} is damaged", cure)
    return _allowance(record, budget, now)


def _allowance(record: dict[str, Any], budget: int, now: float) -> Finding:
    """Whether the worker may be started now."""
    starts = record["days"].get(trading_day(now), 0)
    until = record["pause"]["until"]
    if until > now:
        end = datetime.fromtimestamp(until, TAIPEI).strftime("%H:%M")
        return warn(
            "restart",
            f"the broker asked for a pause (code 451 or 503); it ends at {end} in Taipei",
            "wait: a start before that makes it longer; POST /restart-python?force=true does it"
            " anyway",
        )
    if starts >= budget:
        return warn(
            "restart",
            f"{starts} starts this trading day: the budget of {budget} is spent",
            "see in GET /logs why the worker ended; POST /restart-python starts it nevertheless",
        )
    return ok("restart", f"{starts} of {budget} starts this trading day{_saved(record, now)}")


def _saved(record: dict[str, Any], now: float) -> str:
    """The logins that were saved, and how the newest worker came to its gateway."""
    saved = record["adoptions"].get(trading_day(now), 0)
    if not saved:
        return ""
    at = datetime.fromtimestamp(record["newest"]["at"], TAIPEI).strftime("%H:%M")
    how = "was taken over" if record["newest"]["adopted"] else "started anew"
    return f", {saved} logins saved; the newest worker {how} at {at} in Taipei"


def _writable(folder: Path) -> bool:
    """Whether files can be made in `folder`, which may have to be made itself."""
    existing = _existing(folder)
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)


def _existing(folder: Path) -> Path:
    """`folder`, or the nearest one above it that exists."""
    places = (folder, *folder.absolute().parents)
    # A Path would raise where its folder may not be entered.
    return next(each for each in places if os.path.exists(each))  # noqa: PTH110


def _user() -> str:
    return f"user {os.geteuid()}"
