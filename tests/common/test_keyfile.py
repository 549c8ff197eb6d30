"""The key in the state folder."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from gateway.common.keyfile import SIZE, KeyFile


class KeyFileTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = Path(self.mktemp()) / "state" / "recovery.key"
        self.warnings: list[Any] = []
        globalLogPublisher.addObserver(self.warnings.append)
        self.addCleanup(globalLogPublisher.removeObserver, self.warnings.append)

    def test_it_is_made_when_it_is_needed_and_kept(self) -> None:
        key = KeyFile(self.path)
        self.assertFalse(self.path.exists())
        self.assertEqual(len(key()), SIZE)
        self.assertEqual(KeyFile(self.path)(), key())
        self.assertEqual([each.name for each in self.path.parent.iterdir()], ["recovery.key"])

    def test_nobody_else_may_read_it(self) -> None:
        KeyFile(self.path)()
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(self.path.parent.stat().st_mode), 0o700)

    def test_a_key_that_others_could_know_or_that_is_damaged_is_replaced(self) -> None:
        key = KeyFile(self.path)()
        self.path.chmod(0o640)
        other = KeyFile(self.path)()
        self.assertNotEqual(other, key)
        self.path.write_bytes(other[:-1])
        self.assertNotIn(KeyFile(self.path)(), (key, other))
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)

    def test_no_link_is_followed(self) -> None:
        self.path.parent.mkdir(parents=True)
        target = self.path.with_name("target")
        target.write_bytes(b"x" * SIZE)
        target.chmod(0o600)
        self.path.symlink_to(target)
        self.assertNotEqual(KeyFile(self.path)(), b"x" * SIZE)

    def test_a_pipe_is_replaced_and_not_waited_for(self) -> None:
        self.path.parent.mkdir(parents=True)
        os.mkfifo(self.path, 0o600)
        key = KeyFile(self.path)()
        self.assertTrue(self.path.is_file())
        self.assertEqual(self.path.read_bytes(), key)

    def test_a_draft_that_was_left_behind_stands_in_nobodys_way(self) -> None:
        """In a container the same process id comes again with each start."""
        self.path.parent.mkdir(parents=True)
        self.path.with_name(f"{self.path.name}.{os.getpid()}").write_bytes(b"x")
        key = KeyFile(self.path)
        self.assertEqual(key(), self.path.read_bytes())
        self.assertEqual(self.warnings, [])

    def test_where_it_cannot_be_kept_it_lasts_as_long_as_the_process(self) -> None:
        self.path.parent.parent.mkdir(parents=True)
        self.path.parent.write_text("no folder")
        key = KeyFile(self.path)
        self.assertEqual(key(), key())
        self.assertEqual(len(self.warnings), 1)
