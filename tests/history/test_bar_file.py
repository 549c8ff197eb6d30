"""Files of bars of other versions, in memory and on a disk."""

import sqlite3
from contextlib import closing
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.history.bar_file import BarFile
from gateway.history.bar_store import CHANGES, BarStore

TABLES = {"notes": "(id INTEGER PRIMARY KEY, text TEXT, size INTEGER NOT NULL)"}
"""Of the third version."""
FIRST = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)"
STEPS = (
    "ALTER TABLE notes ADD COLUMN size INTEGER NOT NULL DEFAULT 0; UPDATE notes SET size = 1",
    "UPDATE notes SET size = length(text) * size",
)
BARS = (Path(__file__).parent / "bars_version_1.sql").read_text("utf-8")
"""What the first version has written, as text."""
SHAPE = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name"


class VersionTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = Path(self.mktemp()) / "notes.db"
        self.path.parent.mkdir()

    def write(self, script: str) -> None:
        with closing(sqlite3.connect(self.path)) as connection:
            connection.executescript(script)

    def open(self, changes: tuple[str, ...] = STEPS) -> BarFile:
        file = BarFile(self.path, TABLES, changes=changes, most_bytes=1 << 20)
        self.addCleanup(file.close)
        return file

    def rows(self, file: BarFile) -> list[tuple[int, str, int]]:
        return file.connection.execute("SELECT id, text, size FROM notes").fetchall()

    def version(self) -> int:
        with closing(sqlite3.connect(self.path)) as connection:
            return int(connection.execute("PRAGMA user_version").fetchone()[0])

    def test_a_file_of_an_earlier_version_gets_each_change_that_it_lacks(self) -> None:
        self.write(f"{FIRST}; INSERT INTO notes VALUES (1, 'four'); PRAGMA user_version = 1")
        file = self.open()
        self.assertEqual(self.rows(file), [(1, "four", 4)])
        file.connection.execute("UPDATE notes SET size = 9")
        file.close()
        self.assertEqual(self.rows(self.open()), [(1, "four", 9)])
        self.assertEqual(self.version(), 3)

    def test_a_change_that_fails_leaves_the_file_as_it_was(self) -> None:
        self.write(f"{FIRST}; INSERT INTO notes VALUES (1, 'four'); PRAGMA user_version = 1")
        broken = (STEPS[0], "UPDATE lost SET size = 1")
        with self.assertRaisesRegex(sqlite3.OperationalError, "no such table: lost"):
            self.open(broken)
        self.assertEqual(self.version(), 1)
        self.assertEqual(self.rows(self.open()), [(1, "four", 4)])

    def test_a_file_of_a_later_version_is_set_aside_under_its_name(self) -> None:
        self.write(f"{FIRST}; INSERT INTO notes VALUES (1, 'four'); PRAGMA user_version = 4")
        content = self.path.read_bytes()
        file = self.open()
        self.assertEqual(
            file.set_aside,
            "its version is 4, and this gateway knows 3: it is now notes.db.version-4",
        )
        self.assertEqual(self.path.with_name("notes.db.version-4").read_bytes(), content)
        self.assertEqual((self.rows(file), self.version()), ([], 3))


class BarsTests(SynchronousTestCase):
    def test_bars_of_the_first_version_are_there_in_the_tables_of_a_new_file(self) -> None:
        """Whoever changes the tables adds to `CHANGES`; else this fails."""
        folder = Path(self.mktemp())
        folder.mkdir()
        with closing(sqlite3.connect(folder / "old.db")) as connection:
            connection.executescript(BARS)
        old, new = (BarStore(folder / name) for name in ("old.db", "new.db"))
        for store in (old, new):
            self.addCleanup(store.file.close)
            (version,) = store.connection.execute("PRAGMA user_version").fetchone()
            self.assertEqual(version, 1 + len(CHANGES))
        shapes = [dict(store.connection.execute(SHAPE)) for store in (old, new)]
        self.assertEqual(*shapes)
        self.assertEqual(old.file.set_aside, "")
        self.assertEqual(list(old.aliases()), [("TXFR1", 1796000400, "TXFL6")])
        self.assertEqual(old.progress()["TXFL6"].total, 12)
        found = old.connection.execute("SELECT time, open, close, volume FROM bars ORDER BY time")
        self.assertEqual(
            found.fetchall(), [(1796000400, 31200, 31210, 7), (1796000460, 31210, 31190, 5)]
        )
