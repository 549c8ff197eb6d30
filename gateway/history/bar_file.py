"""A file of SQLite that one gateway alone writes, bounded in size; a damaged one is set aside.

Its tables have a version, SQLite's `user_version`.  For each version after the first there is a
*change*, which made its tables of those before.  A file of an earlier version gets all changes
that it lacks when it is opened, or none where one fails.  A file of a later version is set aside
under a name that says which, for whoever goes back to it.

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

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

PAGE: Final = 4096
SPARE: Final = 8 << 20
"""A disk with fewer free bytes is full."""
BUSY: Final = 0.25
"""Seconds to wait for another program that has the file locked."""
DAMAGED: Final = frozenset((sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB))


class BarFile:
    """A file of SQLite at `path`; None: all of it is in memory.

    `tables`: the columns of each table, by its name.  `changes`: a text for each version after the
    first, statements of SQL with `;` between them.  A damaged file, or one of a later version, is
    set aside.  Others may read the file meanwhile.  Raises sqlite3.Error or OSError where it can't
    be used.
    """

    connection: sqlite3.Connection

    def __init__(
        self,
        path: Path | None,
        tables: Mapping[str, str],
        *,
        changes: Sequence[str],
        most_bytes: int,
    ) -> None:
        self._path = path
        self._tables = tables
        self._changes = changes
        self.most_pages = most_bytes // PAGE
        self._inode: tuple[int, int] | None = None
        self._lock: int | None = None
        self.set_aside = ""
        """Why an older file could not be used, and its new name; "": there was none."""
        try:
            self._open_or_set_aside()
        except BaseException:
            self._unlock()  # else the next attempt takes us for another gateway
            raise

    def close(self) -> None:
        """Close it; nothing can be done afterwards."""
        with suppress(sqlite3.Error):
            self.connection.close()
        self._unlock()

    def discard(self) -> None:
        """Close it, as it is damaged, and set it aside."""
        self.close()
        if self._path is not None:
            with suppress(OSError):
                _set_aside(self._path, "damaged")

    @property
    def is_gone(self) -> bool:
        """Whether somebody has removed or replaced it."""
        return self._path is not None and _inode(self._path) != self._inode

    @property
    def is_disk_full(self) -> bool:
        """Whether its disk has no room, however small the file is."""
        return self._path is not None and disk_usage(self._path.parent).free < SPARE

    @property
    def pages(self) -> int:
        """How many of `most_pages` are taken."""
        (used,) = self.connection.execute("PRAGMA page_count").fetchone()
        (free,) = self.connection.execute("PRAGMA freelist_count").fetchone()
        return int(used - free)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is done within is kept, or nothing of it."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # SQLite may have rolled back itself
                self.connection.execute("ROLLBACK")
            raise

    def _open_or_set_aside(self) -> None:
        try:
            self._open()
        except sqlite3.DatabaseError as error:
            name = _name_of(error)
            if self._path is None or name is None:
                raise
            self.set_aside = f"{error}: it is now {_set_aside(self._path, name).name}"
            self._open()

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
        (version,) = run("PRAGMA user_version").fetchone()
        newest = 1 + len(self._changes)
        if version > newest:
            raise _LaterError(version, newest)
        run(f"PRAGMA page_size = {PAGE}")
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = NORMAL")  # after a power cut the last seconds are missing
        run("PRAGMA journal_size_limit = 4194304")
        run("PRAGMA trusted_schema = OFF")
        run(f"PRAGMA max_page_count = {self.most_pages}")
        if version < newest:
            with self.transaction():
                for statement in self._lacking(version):
                    run(statement)
                run(f"PRAGMA user_version = {newest}")
        for name in self._tables:
            run(f"SELECT * FROM {name} LIMIT 1").fetchall()  # noqa: S608

    def _lacking(self, version: int) -> Iterator[str]:
        """What makes the newest tables of those of `version`; 0: there are none yet."""
        if version == 0:
            for name, columns in self._tables.items():
                yield f"CREATE TABLE {name} {columns}"
        else:
            for change in self._changes[version - 1 :]:
                yield from change.split(";")


def is_damage(error: BaseException) -> bool:
    """Whether `error` says that the file is no database of ours, or a broken one."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGED


class _LaterError(sqlite3.DatabaseError):
    """The file is of a later `version`."""

    def __init__(self, version: int, newest: int) -> None:
        super().__init__(f"its version is {version}, and this gateway knows {newest}")
        self.version = version


def _name_of(error: sqlite3.DatabaseError) -> str | None:
    """What is put behind the name of a file that is set aside; None: it is not."""
    if isinstance(error, _LaterError):
        return f"version-{error.version}"
    return "damaged" if is_damage(error) else None


def _set_aside(path: Path, name: str) -> Path:
    """Rename a file that can't be used; one that was set aside so before is replaced."""
    place = path.with_name(f"{path.name}.{name}")
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
