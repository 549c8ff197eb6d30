"""Bars in SQLite: one file of minutes, and the seconds of the last hour in memory.

    codes     each code, and how far its ticks have come (`Progress`)
    running   the minutes that are written every second: few rows side by side, so that a
              second's writing touches few pages, whatever the number of codes
    bars      all others, by code and time
    aliases   from when on which code stood for which other one
    recent.seconds

A row of `running` moves to `bars` when its minute is over.  `kind` says where a bar is from: what
was heard whole wins over the broker's bar, and that wins over what was heard in part.

All of it is used on one thread.  Nothing here logs: what is wrong is raised (`sqlite3.Error`,
`OSError`).
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from contextlib import contextmanager, suppress
from shutil import disk_usage
from typing import TYPE_CHECKING, Final

from gateway.history.bars import Progress
from gateway.history.trades import MINUTE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import Any

    from gateway.history.bars import Bars, Taken
    from gateway.history.trades import BrokerBar

WHOLE, PARTIAL, BROKER = range(3)
"""`kind`: heard whole, heard in part, the broker's."""

VERSION: Final = 1
PAGE: Final = 4096
MOST_BYTES: Final = 512 << 20
HOUR: Final = 3600
MOST_SECONDS: Final = 600_000
"""Bars of one second; each takes about 60 bytes."""
SPARE: Final = 8 << 20
"""A disk with fewer free bytes is full."""
BUSY: Final = 0.25
"""Seconds to wait for another program that has the file locked."""
DAMAGED: Final = frozenset((sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB))

_BARS: Final = """(
    code INTEGER NOT NULL, time INTEGER NOT NULL, open REAL NOT NULL, high REAL NOT NULL,
    low REAL NOT NULL, close REAL NOT NULL, volume NUMERIC NOT NULL, session INTEGER NOT NULL,
    kind INTEGER NOT NULL, PRIMARY KEY (code, time)
) WITHOUT ROWID"""
_TABLES: Final = (
    "CREATE TABLE codes (id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE,"
    " session INTEGER NOT NULL DEFAULT 0, total REAL, last REAL NOT NULL DEFAULT 0)",
    "CREATE TABLE aliases (code TEXT NOT NULL, since INTEGER NOT NULL, target TEXT NOT NULL,"
    " PRIMARY KEY (code, since)) WITHOUT ROWID",
    f"CREATE TABLE running {_BARS}",
    f"CREATE TABLE bars {_BARS}",
    f"PRAGMA user_version = {VERSION}",
)

_ADD: Final = """ VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (code, time) DO UPDATE SET
    high = max(high, excluded.high), low = min(low, excluded.low), close = excluded.close,
    volume = volume + excluded.volume, kind = max(kind, excluded.kind)"""
_MOVE: Final = f"""INSERT INTO bars SELECT * FROM running WHERE {{which}}
    ON CONFLICT (code, time) DO UPDATE SET
    open = CASE kind WHEN {BROKER} THEN excluded.open ELSE open END,
    high = CASE kind WHEN {BROKER} THEN excluded.high ELSE max(high, excluded.high) END,
    low = CASE kind WHEN {BROKER} THEN excluded.low ELSE min(low, excluded.low) END,
    close = excluded.close,
    volume = CASE kind WHEN {BROKER} THEN excluded.volume ELSE volume + excluded.volume END,
    kind = CASE kind WHEN {BROKER} THEN excluded.kind ELSE max(kind, excluded.kind) END
    WHERE kind <> {BROKER} OR excluded.kind = {WHOLE}"""  # noqa: S608
_FILL: Final = f"""INSERT INTO bars VALUES (?, ?, ?, ?, ?, ?, ?, ?, {BROKER})
    ON CONFLICT (code, time) DO UPDATE SET open = excluded.open, high = excluded.high,
    low = excluded.low, close = excluded.close, volume = excluded.volume, kind = excluded.kind
    WHERE kind <> {WHOLE}"""  # noqa: S608


class BarStore:
    """The bars of one source.  `path` None: all of it is in memory.

    Raises sqlite3.Error or OSError where the file can't be used.  A damaged one is set aside:
    `set_aside` is then its new path.  Others may read the file meanwhile.
    """

    def __init__(self, path: Path | None, *, most_bytes: int = MOST_BYTES) -> None:
        self._path = path
        self._most_pages = most_bytes // PAGE
        self._newest = self._pruned = 0
        self._horizon = HOUR
        self._inode: tuple[int, int] | None = None
        self._lock: int | None = None
        self.set_aside: Path | None = None
        try:
            self._open()
        except sqlite3.DatabaseError as error:
            if path is None or not is_damage(error):
                self._unlock()
                raise
            self.set_aside = _set_aside(path)
            self._open()
        except OSError:
            self._unlock()
            raise
        self.ids: dict[str, int] = dict(self.connection.execute("SELECT code, id FROM codes"))
        """By code, its id in the tables of bars."""

    def close(self) -> None:
        """Close the file; nothing can be done afterwards."""
        with suppress(sqlite3.Error):
            self.connection.close()
        self._unlock()

    def discard(self) -> None:
        """Close the file, which is damaged, and set it aside."""
        self.close()
        if self._path is not None:
            with suppress(OSError):
                _set_aside(self._path)

    @property
    def is_gone(self) -> bool:
        """Whether somebody has removed or replaced the file."""
        return self._path is not None and _inode(self._path) != self._inode

    # -- what is known ----------------------------------------------------------------------

    def progress(self) -> dict[str, Progress]:
        """How far the ticks of each code have come, by code."""
        rows = self.connection.execute("SELECT code, session, total, last FROM codes")
        return {code: Progress(session, total, last) for code, session, total, last in rows}

    def aliases(self) -> Iterator[tuple[str, int, str]]:
        """Each code that stood for another one, from when on, and the other one; by time."""
        yield from self.connection.execute(
            "SELECT code, since, target FROM aliases ORDER BY code, since"
        )

    # -- writing ----------------------------------------------------------------------------

    def add(self, taken: Taken) -> None:
        """Add what was heard.  Either all of it is kept, or it raises."""
        with self._transaction():
            self._note(taken)
            for table in ("running", "bars"):
                self._run(
                    f"UPDATE {table} SET kind = {PARTIAL}"  # noqa: S608
                    f" WHERE code = ? AND time = ? AND kind = {WHOLE}",
                    [(self.ids[code], at) for code, at in taken.doubtful if code in self.ids],
                )
            self._run("INSERT INTO running" + _ADD, self._rows(taken.minutes))
            self._run("INSERT INTO recent.seconds" + _ADD, self._rows(taken.seconds))
            newest = max((at for _, at in taken.minutes), default=0)
            if newest > self._newest:
                self._move("time < ?", newest)
        if newest > self._newest:
            self._newest = newest
            self._forget_seconds(newest)

    def settle(self, code: str) -> None:
        """Bring the running minutes of `code` to its other bars, where they are read."""
        number = self.ids.get(code)
        found = "SELECT 1 FROM running WHERE code = ? LIMIT 1"
        if number is not None and self.connection.execute(found, (number,)).fetchone():
            with self._transaction():
                self._move("code = ?", number)

    def fill(self, code: str, rows: Sequence[tuple[BrokerBar, int]]) -> int:
        """Add the broker's bars, each with when its session opened; the number that is new.

        What was heard whole stays.
        """
        with self._transaction():
            self._settle_all()
            number = self._id(code)
            before = self.connection.total_changes
            self._run(_FILL, [(number, *row, session) for row, session in rows])
            return self.connection.total_changes - before

    def rename(self, code: str, since: int, target: str) -> None:
        """From `since` on `code` stands for `target`."""
        with self._transaction():
            self._run(
                "INSERT INTO aliases VALUES (?, ?, ?)"
                " ON CONFLICT DO UPDATE SET target = excluded.target",
                [(code, since, target)],
            )

    def retain(self, since: float) -> None:
        """Forget what is older than `since`, and the oldest days where there is no room."""
        with self._transaction():
            self._settle_all()
            self._forget(since)
        self.make_room(0.9)

    def make_room(self, share: float) -> None:
        """Forget the oldest days until only a `share` of the room is taken.

        Not where the disk is what is full: that would help nobody.
        """
        if self._path is not None and disk_usage(self._path.parent).free < SPARE:
            return
        while self._pages() > self._most_pages * share:
            oldest = self.connection.execute("SELECT min(time) FROM bars").fetchone()[0]
            if oldest is None:
                break
            with self._transaction():
                self._forget(oldest + 24 * HOUR)

    # -- parts ------------------------------------------------------------------------------

    def _open(self) -> None:
        path = self._path
        if path is not None:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._take_lock(path.with_name(f"{path.name}.lock"))
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            os.close(os.open(path, flags, 0o600))
            path.chmod(0o600)
            self._inode = _inode(path)
        self.connection = sqlite3.connect(
            path or ":memory:", timeout=BUSY, isolation_level=None, check_same_thread=False
        )
        try:
            self._prepare()
        except BaseException:
            self.connection.close()
            raise

    def _take_lock(self, path: Path) -> None:
        """Two gateways that add up the same ticks in one file would count each twice."""
        if self._lock is not None:
            return
        self._lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OSError(
                "another gateway keeps its bars there: name another folder with --state-dir"
            ) from None

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _prepare(self) -> None:
        run = self.connection.execute
        run(f"PRAGMA page_size = {PAGE}")
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = NORMAL")  # after a power cut the last seconds are missing
        run("PRAGMA journal_size_limit = 4194304")
        run("PRAGMA trusted_schema = OFF")
        run(f"PRAGMA max_page_count = {self._most_pages}")
        (version,) = run("PRAGMA user_version").fetchone()
        if version == 0:
            with self._transaction():
                for table in _TABLES:
                    run(table)
        elif version != VERSION:
            raise _damage(f"its form is {version}, and this gateway knows {VERSION}")
        else:
            for table in ("codes", "aliases", "running", "bars"):
                run(f"SELECT * FROM {table} LIMIT 1").fetchall()  # noqa: S608
        run("ATTACH ':memory:' AS recent")
        run(f"CREATE TABLE recent.seconds {_BARS}")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # SQLite may have rolled back itself
                self.connection.execute("ROLLBACK")
            self.ids = dict(self.connection.execute("SELECT code, id FROM codes"))
            raise

    def _run(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        self.connection.executemany(statement, rows)

    def _note(self, taken: Taken) -> None:
        """Note how far the ticks have come; codes that are new get their ids."""
        self._run(
            "INSERT INTO codes (code, session, total, last) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (code) DO UPDATE SET session = excluded.session,"
            " total = excluded.total, last = excluded.last",
            [(code, each.session, each.total, each.last) for code, each in taken.progress.items()],
        )
        for code in taken.progress:
            if code not in self.ids:
                self._id(code)

    def _id(self, code: str) -> int:
        number = self.ids.get(code)
        if number is None:
            self._run("INSERT INTO codes (code) VALUES (?) ON CONFLICT DO NOTHING", [(code,)])
            found = self.connection.execute("SELECT id FROM codes WHERE code = ?", (code,))
            number = self.ids[code] = found.fetchone()[0]
        return number

    def _rows(self, bars: Bars) -> Iterator[tuple[Any, ...]]:
        for (code, at), bar in bars.items():
            prices = (bar.open, bar.high, bar.low, bar.close)
            kind = PARTIAL if bar.partial else WHOLE
            yield self._id(code), at, *prices, bar.volume, bar.session, kind

    def _move(self, which: str, value: int) -> None:
        """Bring rows of `running` to `bars`."""
        if self.connection.execute(
            f"SELECT 1 FROM running WHERE {which} LIMIT 1",  # noqa: S608
            (value,),
        ).fetchone():
            self.connection.execute(_MOVE.format(which=which), (value,))
            self.connection.execute(f"DELETE FROM running WHERE {which}", (value,))  # noqa: S608

    def _settle_all(self) -> None:
        self._move("time >= ?", 0)

    def _forget(self, since: float) -> None:
        """Forget the bars before `since`, the codes that have none left, and old aliases."""
        for number in self.ids.values():
            self.connection.execute("DELETE FROM bars WHERE code = ? AND time < ?", (number, since))
        self.connection.execute(
            "DELETE FROM codes WHERE last < ? AND"
            " NOT EXISTS (SELECT 1 FROM bars WHERE bars.code = codes.id)",
            (since,),
        )
        self.connection.execute(
            "DELETE FROM aliases WHERE EXISTS (SELECT 1 FROM aliases AS newer WHERE"
            " newer.code = aliases.code AND newer.since > aliases.since AND newer.since < ?)",
            (since,),
        )
        self.ids = dict(self.connection.execute("SELECT code, id FROM codes"))

    def _pages(self) -> int:
        (used,) = self.connection.execute("PRAGMA page_count").fetchone()
        (free,) = self.connection.execute("PRAGMA freelist_count").fetchone()
        return int(used - free)

    def _forget_seconds(self, newest: int) -> None:
        """Once a minute: keep an hour of seconds, and fewer where they are too many."""
        if newest < self._pruned + MINUTE:
            return
        self._pruned = newest
        with self._transaction():
            while True:
                for number in self.ids.values():
                    self.connection.execute(
                        "DELETE FROM recent.seconds WHERE code = ? AND time < ?",
                        (number, newest + MINUTE - self._horizon),
                    )
                (count,) = self.connection.execute("SELECT count(*) FROM recent.seconds").fetchone()
                if count <= MOST_SECONDS or self._horizon <= MINUTE:
                    break
                self._horizon //= 2
            if count < MOST_SECONDS // 4:
                self._horizon = min(HOUR, self._horizon * 2)


def is_damage(error: BaseException) -> bool:
    """Whether `error` says that the file is no database of ours, or a broken one."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGED


def _damage(text: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(text)
    error.sqlite_errorcode = sqlite3.SQLITE_NOTADB
    return error


def _set_aside(path: Path) -> Path:
    """Rename a file that can't be used; one that was set aside before is replaced."""
    place = path.with_name(f"{path.name}.damaged")
    for suffix in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).replace(place.with_name(place.name + suffix))
    path.replace(place)
    return place


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
