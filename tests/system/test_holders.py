"""Who holds a file, asked of any POSIX system."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.system import portable
from gateway.system.portable import REMEMBERED, Portable


class HoldersTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.looked: list[Path] = []
        self.found = [os.getpid()]
        self.patch(portable, "_holders", self.look)
        self.clock = Clock()
        self.system = Portable(self.clock.seconds)

    def look(self, file: Path) -> list[int]:
        self.looked.append(file)
        return self.found

    def test_all_files_of_all_processes_are_read_once_a_second(self) -> None:
        file = Path("lock")
        for _ in range(8):
            self.assertEqual(self.system.holders(file, 4), [os.getpid()])
            self.clock.advance(REMEMBERED / 8)
        self.assertEqual(self.looked, [file])
        self.found = []
        self.assertEqual(self.system.holders(file, 4), [])
        self.assertEqual(len(self.looked), 2)

    def test_each_file_has_holders_of_its_own(self) -> None:
        for name in ("one", "other"):
            self.system.holders(Path(name), 4)
        self.assertEqual([each.name for each in self.looked], ["one", "other"])

    def test_what_is_done_with_an_answer_changes_no_other_one(self) -> None:
        self.system.holders(Path("lock"), 4).clear()
        self.assertEqual(self.system.holders(Path("lock"), 4), [os.getpid()])
