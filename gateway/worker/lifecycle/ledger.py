"""The ledger of starts: how many logins a trading day has seen, over restarts of the gateway."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.logger import Logger

from gateway.common.attempt import reason
from gateway.market.hours import TAIPEI
from gateway.worker.lifecycle.ledger_file import (
    KINDS,
    LedgerFile,
    VersionError,
    checked,
    no_fewer,
    total,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from twisted.python.failure import Failure

    from gateway.worker.lifecycle.ledger_file import Counts, Record

_log = Logger(namespace="gateway.worker")

DAY_TURNS = timedelta(hours=8)
"""The broker's day begins at 08:00."""


def trading_day(now: float) -> str:
    """The broker's day, as an ISO 8601 date, of a time in seconds since 1970."""
    return (datetime.fromtimestamp(now, TAIPEI) - DAY_TURNS).date().isoformat()


def next_day(now: float) -> float:
    """When the broker's next day begins, in seconds since 1970."""
    local = datetime.fromtimestamp(now, TAIPEI) - DAY_TURNS
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight + timedelta(days=1) + DAY_TURNS).timestamp()


class Ledger:
    """What is counted, and kept in a file of `folder` that the gateways of one account share.

    A count is valid at once.  It is written, with fsync, by `in_thread`, since a slow disk would
    hold up the relay; changes that wait meanwhile are written together.  While the file can't
    be written the count goes on in memory, and `alert` is called once with the reason; what was
    counted is written when that is possible again.  The constructor only reads the file.
    """

    def __init__(
        self,
        folder: Path,
        alert: Callable[[str], None],
        in_thread: Callable[[Callable[[], Any]], Deferred[Any]] = maybeDeferred,
    ) -> None:
        self._file = LedgerFile(folder)
        self._alert = alert
        self._in_thread = in_thread
        self._alerted = False
        self._damaged = False
        """The file is damaged, and that was told."""
        self._record = checked({"days": {}})
        """What the file holds, as far as we know."""
        self._uncounted: Counts = Counter()
        """What is still to be added."""
        self._unsaved: Record = {}
        """Other entries of the record that are still to be saved."""
        self._saving: Deferred[None] | None = None
        self._changed = False
        try:
            self._record = self._file.read()
        except OSError as error:
            self._tell(error)
        except ValueError as error:
            self._damaged = True
            self._alert(str(error))

    def begin(self) -> None:
        """The gateway starts: the folder is made; `alert` is told where that fails."""
        try:
            self._file.make_folder()
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
            known[kind] = dict(total(self._record, self._uncounted, kind))
        return known

    def learn(self, told: Record) -> None:
        """Know what another ledger knew, perhaps of the same file.  Raises ValueError."""
        other = checked(told)
        least = {kind: other[kind] for kind in KINDS}
        self._record = {**self._record, **no_fewer(self._record, least)}
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
            written = self._in_thread(partial(self._file.add, counts, others))
            written.addCallbacks(self._saved, self._failed, callbackArgs=(counts, others))
            written.addErrback(lambda failure: _log.failure("The ledger is not kept", failure))
            written.addBoth(self._rest)

    def _saved(self, written: tuple[Record, str], counts: Counts, others: Record) -> None:
        self._record, damaged = written
        self._uncounted -= counts
        for name, value in others.items():
            if self._unsaved[name] is value:
                del self._unsaved[name]
        self._alerted = False
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
                f"the ledger of starts in {self._file.folder} can't be kept ({reason(error)});"
                f" counting goes on in memory: {_cure(error)}, or name another folder with"
                " --state-dir"
            )


def _cure(error: BaseException) -> str:
    newer = isinstance(error, VersionError)
    return "go on with the version that wrote it" if newer else "make the folder writable"
