"""Files that change."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.contract import LaunchError
from gateway.worker.sources import SourceWatch, follow


class WatchTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.main = self.folder / "main.py"
        self.main.write_text("1")
        (self.folder / "notes.txt").write_text("1")
        self.watch = SourceWatch(self.find)

    def find(self) -> Path:
        if not self.main.exists():
            raise LaunchError("main.py is missing")
        return self.main

    def test_a_main_py_that_goes_and_comes_is_a_change(self) -> None:
        self.main.unlink()
        self.assertEqual([bool(self.watch.changed()) for _ in range(3)], [False, True, False])
        self.main.write_text("1")
        self.assertEqual([bool(self.watch.changed()) for _ in range(3)], [False, True, False])

    def test_a_main_py_that_is_gone_is_no_code_to_restart_for(self) -> None:
        self.main.unlink()
        self.assertEqual([bool(self.watch.changed()) for _ in range(2)], [False, True])
        self.assertIn("main.py is missing", self.watch.fault())
        self.main.write_text("1")
        self.assertEqual([bool(self.watch.changed()) for _ in range(2)], [False, True])
        self.assertEqual(self.watch.fault(), "")

    def test_nothing_changed(self) -> None:
        (self.folder / "notes.txt").write_text("22")
        (self.folder / "__pycache__").mkdir()
        self.assertEqual([bool(self.watch.changed()) for _ in range(3)], [False] * 3)

    def test_a_change_counts_once_and_only_when_the_files_rest(self) -> None:
        for text in ("22", "333", "4444"):
            self.main.write_text(text)
            self.assertFalse(self.watch.changed())
        self.assertTrue(self.watch.changed())
        self.assertFalse(self.watch.changed())

    def test_new_gone_and_touched_files_are_changes(self) -> None:
        helper = self.folder / "helper.py"
        for change in (
            lambda: helper.write_text("x"),
            lambda: os.utime(helper, ns=(1, 1)),
            helper.unlink,
        ):
            change()
            self.assertEqual([bool(self.watch.changed()) for _ in range(3)], [False, True, False])

    def test_a_file_that_is_gone_before_it_is_looked_at_is_gone(self) -> None:
        (self.folder / "dangling.py").symlink_to("nowhere")
        self.assertFalse(self.watch.changed())

    def test_a_change_that_is_taken_back_is_none(self) -> None:
        stamp = self.main.stat().st_mtime_ns
        self.main.write_text("2")
        self.watch.changed()
        os.utime(self.main, ns=(stamp, stamp))
        self.assertEqual([bool(self.watch.changed()) for _ in range(3)], [False] * 3)

    def test_files_that_main_py_leads_to_are_named(self) -> None:
        inner = self.folder / "src" / "feed.py"
        inner.parent.mkdir()
        inner.write_text("1")
        self.main.write_text("from src import feed")
        watch = SourceWatch(self.find, lambda: follow(self.main).files)
        inner.write_text("22")
        self.assertEqual([watch.changed() for _ in range(3)], [[], [inner], []])
        self.main.write_text("import other")
        self.assertEqual([watch.changed() for _ in range(2)][1], [self.main, inner])
        inner.write_text("333")
        self.assertEqual([watch.changed() for _ in range(2)], [[], []])

    def test_all_that_changed_must_compile(self) -> None:
        helper = self.folder / "helper.py"
        helper.write_text("(")
        for _ in range(2):
            self.watch.changed()
        self.assertIn("helper.py, line 1", self.watch.fault())
        self.main.write_text("x = 1")
        for _ in range(2):
            self.watch.changed()
        self.assertIn("helper.py, line 1", self.watch.fault())
        helper.unlink()
        for _ in range(2):
            self.watch.changed()
        self.assertEqual(self.watch.fault(), "")
