"""The ledger of starts: how many logins a trading day has seen, over restarts of the gateway."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections import Counter
from datetime import datetime, timedelta
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.logger import Logger

from gateway.common.attempt import reason
from gateway.market.hours import TAIPEI

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from twisted.python.failure import Failure

_log = Logger(namespace="gateway.worker")

Record = dict[str, Any]
Counts = Counter[tuple[str, str]]

KINDS = ("days", "adoptions")
"""What is counted by day: starts, and workers of a gateway before that were taken over."""

DAY_TURNS = timedelta(hours=8)
"""The broker's day begins at 08:00."""
DAYS_KEPT = 8
VERSION = 1
"""Of the file; one without a number is of version 1, too.  An entry more needs no other version:
who does not know it keeps it."""
LOCK_TRIES, LOCK_INTERVAL = 300, 0.01
"""Another gateway holds the lock while its disk writes."""


def trading_day(now: float) -> str:
    """The broker's day, as an ISO 8601 date, of a time in seconds since 1970."""
    return (datetime.fromtimestamp(now, TAIPEI) - DAY_TURNS).date().isoformat()


def next_day(now: float) -> float:
    """When the broker's next day begins, in seconds since 1970."""
    local = datetime.fromtimestamp(now, TAIPEI) - DAY_TURNS
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight + timedelta(days=1) + DAY_TURNS).timestamp()


class VersionError(OSError):
    """The file is of a version that this gateway does not know: it is left alone."""


class Ledger:
    """A locked file `ledger.json` in `folder`; shared by the gateways of one account.

    A count is valid at once.  It is written, with fsync, by `in_thread`, since a slow disk would
    hold up the relay; changes that wait meanwhile are written together.  While the file can't
    be written the count goes on in memory, and `alert` is called once with the reason; what was
    counted is written when that is possible again.  The constructor only reads the file.
    """

    def __init__(
        self,
        folder: Path,
        alert: Callable[[str], None],
        in_thread: Callable[[Callable[[], Record]], Deferred[Record]] = maybeDeferred,
    ) -> None:
        self._folder = folder
        self._alert = alert
        self._in_thread = in_thread
        self._alerted = False
        self._damaged = False
        """The file is damaged, and that was told."""
        self._record = checked({"days": {}})
        """What the file holds, as far as we know."""
        self._uncounted: Counter[tuple[str, str]] = Counter()
        """What is still to be added: the kind of count, and the day."""
        self._unsaved: Record = {}
        """Other entries of the record that are still to be saved."""
        self._saving: Deferred[None] | None = None
        self._changed = False
        try:
            self._record = self._read()
        except OSError as error:
            self._tell(error)
        except ValueError as error:
            self._damaged = True
            self._alert(str(error))

    def begin(self) -> None:
        """The gateway starts: the folder is made; `alert` is told where that fails."""
        try:
            self._make_folder()
        except OSError as error:
            self._tell(error)

    def starts(self, day: str, kind: str = "days") -> int:
        """The starts that are known of `day`; of kind `adoptions`, the workers taken over."""
        known: int = self._record[kind].get(day, 0)
        return known + self._uncounted[kind, day]

    @property
    def is_written(self) -> bool:
        """Whether all that was counted is in the file."""
        return not self._uncounted

    @property
    def pause(self) -> tuple[float, int]:
        """The broker's last pause: its end in seconds since 1970, and how often it grew."""
        pause = self._entry("pause")
        return pause["until"], pause["level"]

    @property
    def scheduled(self) -> float | None:
        """The last point of the schedule that was followed, in seconds since 1970."""
        point: float | None = self._entry("scheduled")
        return point

    def count(self, now: float, kind: str = "days") -> None:
        """One more start at `now`, in seconds since 1970, or one more of another kind."""
        self._uncounted[kind, trading_day(now)] += 1
        self._unsaved["newest"] = {"at": now, "adopted": kind == "adoptions"}
        self._save()

    def keep_pause(self, until: float, level: int) -> None:
        """Remember the broker's pause."""
        self._unsaved["pause"] = {"until": until, "level": level}
        self._save()

    def keep_scheduled(self, point: float) -> None:
        """Remember that `point` of the schedule was followed."""
        self._unsaved["scheduled"] = point
        self._save()

    def told(self) -> Record:
        """All that is known, as JSON, for the ledger of another machine."""
        known = {**self._record, **self._unsaved}
        known.pop("least", None)
        for kind in KINDS:
            known[kind] = dict(_sum(self._record, self._uncounted, kind))
        return known

    def learn(self, told: Record) -> None:
        """Know what another ledger knew, perhaps of the same file.  Raises ValueError."""
        other = checked(told)
        least = {kind: other[kind] for kind in KINDS}
        self._record = {**self._record, **_no_fewer(self._record, least)}
        self._unsaved.update(
            least=least,
            pause=max(other["pause"], self._entry("pause"), key=itemgetter("until")),
            newest=max(other["newest"], self._entry("newest"), key=itemgetter("at")),
            scheduled=max(other["scheduled"] or 0, self.scheduled or 0) or None,
        )
        self._save()

    def flush(self) -> Deferred[None]:
        """Fires when what is being written is on the disk, or can't be."""
        flushed: Deferred[None] = Deferred()
        if self._saving is None:
            flushed.callback(None)
        else:
            self._saving.addCallback(lambda _: self.flush().chainDeferred(flushed))
        return flushed

    def _entry(self, name: str) -> Any:
        return self._unsaved.get(name, self._record.get(name))

    def _save(self) -> None:
        self._changed = True
        if self._saving is None:
            self._saving = Deferred()
            counts, others = Counter(self._uncounted), dict(self._unsaved)
            self._changed = False
            written = self._in_thread(partial(self._write_out, counts, others))
            written.addCallbacks(self._saved, self._failed, callbackArgs=(counts, others))
            written.addErrback(lambda failure: _log.failure("The ledger is not kept", failure))
            written.addBoth(self._rest)

    def _saved(self, record: Record, counts: Counts, others: Record) -> None:
        self._record = record
        self._uncounted -= counts
        for name, value in others.items():
            if self._unsaved[name] is value:
                del self._unsaved[name]
        self._alerted = False
        damaged = record.pop("damaged")
        if damaged and not self._damaged:
            self._alert(damaged)
        self._damaged = False

    def _failed(self, failure: Failure) -> None:
        failure.trap(OSError)
        self._tell(failure.value)  # type: ignore[arg-type] # trap says so

    def _rest(self, _: object) -> None:
        """Nothing is being written now; what came meanwhile is written next."""
        saving, self._saving = self._saving, None
        if self._changed:
            self._save()
        assert saving is not None
        saving.callback(None)

    def _tell(self, error: BaseException) -> None:
        if not self._alerted:
            self._alerted = True
            self._alert(
                f"the ledger of starts in {self._folder} can't be kept ({reason(error)});"
                f" counting goes on in memory: {_cure(error)}, or name another folder with"
                " --state-dir"
            )

    # -- in the thread --------------------------------------------------------------------

    def _write_out(self, counts: Counts, others: Record) -> Record:
        """Add to what the file holds by now; the new content."""
        self._make_folder()
        lock = os.open(self._folder / "ledger.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(lock)
            damaged = None
            try:
                record = self._read()
            except ValueError as error:
                record, damaged = checked({"days": {}}), str(error)
            entries = {name: value for name, value in others.items() if name != "least"}
            record = {**record, **_no_fewer(record, others.get("least", {})), **entries}
            kept = {
                kind: dict(sorted(_sum(record, counts, kind).items())[-DAYS_KEPT:])
                for kind in KINDS
            }
            record = {**record, **kept}
            self._write(record)
        finally:
            os.close(lock)
        return {**record, "damaged": damaged}

    def _make_folder(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _read(self) -> Record:
        """What the file holds.  Raises OSError, and ValueError for one that is damaged."""
        path = self._folder / "ledger.json"
        try:
            return checked(json.loads(path.read_text("utf-8")))
        except FileNotFoundError:
            return checked({"days": {}})
        except (ValueError, RecursionError):
            raise ValueError(f"{path} is damaged; today's count begins anew") from None

    def _write(self, record: Record) -> None:
        draft = self._folder / "ledger.json.new"
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(file, "w", encoding="utf-8") as stream:
            json.dump(record, stream)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(self._folder / "ledger.json")
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)  # the new name, too, outlives a power cut
        finally:
            os.close(folder)


def _cure(error: BaseException) -> str:
    newer = isinstance(error, VersionError)
    return "go on with the version that wrote it" if newer else "make the folder writable"


def _lock(file: int) -> None:
    for _ in range(LOCK_TRIES):
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            held = error
            time.sleep(LOCK_INTERVAL)
    raise held


def checked(record: Any) -> Record:
    """`record` when it has the shape of a ledger; ValueError otherwise.

    Raises VersionError for a version that is not ours.
    """
    match record:
        case {"version": int(version)} if version != VERSION:
            raise VersionError(f"its version is {version}, and this gateway knows {VERSION}")
        case {"days": dict(days), **rest} if _are_counts(days):
            adoptions = rest.get("adoptions", {})
            pause = rest.get("pause", {"until": 0, "level": 0})
            scheduled = rest.get("scheduled")
            newest = rest.get("newest", {"at": 0, "adopted": False})
            match pause, newest:
                case (
                    {"until": int() | float(), "level": int()},
                    {"at": int() | float(), "adopted": bool()},
                ) if isinstance(scheduled, int | float | None) and _are_counts(adoptions):
                    return {
                        **record,
                        "version": VERSION,
                        "days": days,
                        "adoptions": adoptions,
                        "pause": pause,
                        "scheduled": scheduled,
                        "newest": newest,
                    }
    raise ValueError("not a ledger")


def _are_counts(value: object) -> bool:
    return isinstance(value, dict) and all(type(count) is int for count in value.values())


def _sum(record: Record, counts: Counts, kind: str) -> Counter[str]:
    more = {day: count for (each, day), count in counts.items() if each == kind}
    return Counter(record[kind]) + Counter(more)


def _no_fewer(record: Record, least: Record) -> Record:
    """The counts of `record`, where those of `least` are not higher."""
    return {
        kind: {
            day: max(record[kind].get(day, 0), counts.get(day, 0))
            for day in {**record[kind], **counts}
        }
        for kind, counts in least.items()
    }
