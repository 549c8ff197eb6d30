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

from contextlib import contextmanager
from itertools import chain, islice, starmap
from typing import TYPE_CHECKING, Final

from gateway.history.bar_file import BarFile
from gateway.history.bars import KeptBar, Progress
from gateway.history.trades import MINUTE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import Any

    from gateway.history.bars import Bars, Taken

WHOLE, PARTIAL, BROKER = range(3)
"""`kind`: heard whole, heard in part, the broker's."""

MOST_BYTES: Final = 512 << 20
HOUR: Final = 3600
MOST_SECONDS: Final = 600_000
"""Bars of one second; each takes about 60 bytes."""

_BARS: Final = """(
    code INTEGER NOT NULL, time INTEGER NOT NULL, open REAL NOT NULL, high REAL NOT NULL,
    low REAL NOT NULL, close REAL NOT NULL, volume NUMERIC NOT NULL, session INTEGER NOT NULL,
    kind INTEGER NOT NULL, PRIMARY KEY (code, time)
) WITHOUT ROWID"""
_TABLES: Final = {
    "codes": "(id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE,"
    " session INTEGER NOT NULL DEFAULT 0, total REAL, last REAL NOT NULL DEFAULT 0)",
    "aliases": "(code TEXT NOT NULL, since INTEGER NOT NULL, target TEXT NOT NULL,"
    " PRIMARY KEY (code, since)) WITHOUT ROWID",
    "running": _BARS,
    "bars": _BARS,
}

CHANGES: Final[Sequence[str]] = ()
"""What made of the tables of one version those of the next: see `BarFile`.  Not yet any."""

AT_ONCE: Final = 100
"""Rows of one statement.  Where each row is a statement, the thread lets go of the interpreter at
each of them, and wants it back: the reactor pays for each time that it changes hands."""


def _rows_of(columns: int) -> str:
    """A table of `AT_ONCE` rows as parameters; rows that begin with NULL are not there."""
    row = f"({', '.join('?' * columns)})"
    return f"(VALUES {', '.join([row] * AT_ONCE)}) WHERE column1 IS NOT NULL"


_ADD: Final = f""" SELECT * FROM {_rows_of(9)} ON CONFLICT (code, time) DO UPDATE SET
    high = max(high, excluded.high), low = min(low, excluded.low), close = excluded.close,
    volume = volume + excluded.volume, kind = max(kind, excluded.kind)"""  # noqa: S608
_MOVE: Final = f"""INSERT INTO bars SELECT * FROM running WHERE {{which}}
    ON CONFLICT (code, time) DO UPDATE SET
    open = CASE kind WHEN {BROKER} THEN excluded.open ELSE open END,
    high = CASE kind WHEN {BROKER} THEN excluded.high ELSE max(high, excluded.high) END,
    low = CASE kind WHEN {BROKER} THEN excluded.low ELSE min(low, excluded.low) END,
    close = excluded.close,
    volume = CASE kind WHEN {BROKER} THEN excluded.volume ELSE volume + excluded.volume END,
    kind = CASE kind WHEN {BROKER} THEN excluded.kind ELSE max(kind, excluded.kind) END
    WHERE kind <> {BROKER} OR excluded.kind = {WHOLE}"""  # noqa: S608
_NOTE: Final = f"""INSERT INTO codes (code, session, total, last) SELECT * FROM {_rows_of(4)}
    ON CONFLICT (code) DO UPDATE SET session = excluded.session, total = excluded.total,
    last = excluded.last"""  # noqa: S608
_FILL: Final = f"""INSERT INTO bars SELECT * FROM {_rows_of(9)}
    ON CONFLICT (code, time) DO UPDATE SET open = excluded.open, high = excluded.high,
    low = excluded.low, close = excluded.close, volume = excluded.volume, kind = excluded.kind
    WHERE kind <> {WHOLE} AND (excluded.kind <> {PARTIAL}
    OR (kind = {PARTIAL} AND excluded.volume > volume))"""  # noqa: S608
_PAGE: Final = """SELECT time, open, high, low, close, volume, session, kind FROM bars
    WHERE code = ? AND time >= ? AND time < ? ORDER BY time LIMIT ?"""


class BarStore:
    """The bars of one source.  `path` None: all of it is in memory.

    `file` is the file of SQLite, with its own troubles: see `BarFile`, also for what is raised.
    """

    def __init__(self, path: Path | None, *, most_bytes: int = MOST_BYTES) -> None:
        self._newest = self._pruned = 0
        self._horizon = HOUR
        self.file = BarFile(path, _TABLES, changes=CHANGES, most_bytes=most_bytes)
        self.connection = self.file.connection
        self.connection.execute("ATTACH ':memory:' AS recent")
        self.connection.execute(f"CREATE TABLE recent.seconds {_BARS}")
        self._learn_ids()

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
            self._put("INSERT INTO running" + _ADD, self._rows(taken.minutes))
            self._put("INSERT INTO recent.seconds" + _ADD, self._rows(taken.seconds))
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

    def fill(self, code: str, rows: Sequence[KeptBar]) -> int:
        """Add bars that were not heard here; how many are new.

        What was heard whole stays, and of two that were heard in part the one with more volume.
        """
        with self._transaction():
            self._settle_all()
            number = self._id(code)
            before = self.connection.total_changes
            self._put(_FILL, [(number, *row) for row in rows])
            return self.connection.total_changes - before

    def settle_all(self) -> None:
        """Bring all running minutes to the other bars."""
        with self._transaction():
            self._settle_all()

    def page(self, code: str, begin: int, end: int, most: int) -> list[KeptBar]:
        """The first `most` settled bars of `code` from `begin` on, before `end`."""
        asked = self.ids.get(code), begin, end, most
        return [*starmap(KeptBar, self.connection.execute(_PAGE, asked))]

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
        if self.file.is_disk_full:
            return
        while self.file.pages > self.file.most_pages * share:
            oldest = self.connection.execute("SELECT min(time) FROM bars").fetchone()[0]
            if oldest is None:
                break
            with self._transaction():
                self._forget(oldest + 24 * HOUR)

    # -- parts ------------------------------------------------------------------------------

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            with self.file.transaction():
                yield
        except BaseException:
            self._learn_ids()
            raise

    def _learn_ids(self) -> None:
        self.ids: dict[str, int] = dict(self.connection.execute("SELECT code, id FROM codes"))
        """By code, its id in the tables of bars."""

    def _run(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        self.connection.executemany(statement, rows)

    def _put(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Run a statement that has `_rows_of`, for rows of so many columns."""
        rest = iter(rows)
        while some := list(islice(rest, AT_ONCE)):
            missing = (None,) * (len(some[0]) * (AT_ONCE - len(some)))
            self.connection.execute(statement, (*chain.from_iterable(some), *missing))

    def _note(self, taken: Taken) -> None:
        """Note how far the ticks have come; codes that are new get their ids."""
        self._put(
            _NOTE,
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
        self.connection.execute(
            "DELETE FROM bars WHERE code IN (SELECT id FROM codes) AND time < ?", (since,)
        )
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
        self._learn_ids()

    def _forget_seconds(self, newest: int) -> None:
        """Once a minute: keep an hour of seconds, and fewer where they are too many."""
        if newest < self._pruned + MINUTE:
            return
        self._pruned = newest
        with self._transaction():
            while True:
                self.connection.execute(
                    "DELETE FROM recent.seconds WHERE code IN (SELECT id FROM codes) AND time < ?",
                    (newest + MINUTE - self._horizon,),
                )
                (count,) = self.connection.execute("SELECT count(*) FROM recent.seconds").fetchone()
                if count <= MOST_SECONDS or self._horizon <= MINUTE:
                    break
                self._horizon //= 2
            if count < MOST_SECONDS // 4:
                self._horizon = min(HOUR, self._horizon * 2)
