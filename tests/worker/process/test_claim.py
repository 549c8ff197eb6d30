"""The locks by which a gateway knows of the worker that the one before it left."""

from __future__ import annotations

import errno
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from unittest import mock

from twisted.trial.unittest import SynchronousTestCase

from gateway.contract import LaunchError
from gateway.worker.process.claim import Claim
from gateway.worker.process.guarding.words import LOCK
from tests.system.this import SYSTEM, linux_only

HOLD = "import os, sys; os.dup2(int(sys.argv[1]), 4); print(flush=True); sys.stdin.read()"


class ClaimTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.alerts: list[str] = []

    def claim(self, identity: str = "/srv/main.py 3001", folder: Path | None = None) -> Claim:
        made = Claim(folder or self.folder, lambda: identity, self.alerts.append, system=SYSTEM)
        self.addCleanup(made.give_up)
        return made

    def lend(self, claim: Claim) -> subprocess.Popen:
        """A process that holds the lock as a guardian does."""
        self.assertTrue(claim.free)
        lock = claim.descriptors[LOCK]
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(lock)],
            pass_fds=(lock,),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.addCleanup(holder.wait)
        for pipe in (holder.stdin, holder.stdout):
            self.addCleanup(pipe.close)
        holder.stdout.read(1)
        claim.lent()
        return holder

    def test_the_worker_of_a_gateway_that_is_gone_is_known_until_it_is_gone(self) -> None:
        first = self.claim()
        holder = self.lend(first)
        first.give_up()
        second = self.claim()
        self.assertFalse(second.free)
        self.assertEqual(second.holders(), [holder.pid])
        holder.communicate()
        self.assertTrue(second.free)

    def test_the_worker_of_a_gateway_that_lives_is_not_waited_for(self) -> None:
        first = self.claim()
        self.lend(first)
        second = self.claim()
        self.assertTrue(second.free)
        self.assertEqual(second.descriptors, {}, "the other one's lock is not ours")
        first.give_up()
        self.assertFalse(second.free)

    @linux_only
    def test_a_folder_that_was_removed_hides_no_worker(self) -> None:
        first = self.claim()
        holder = self.lend(first)
        shutil.rmtree(self.folder)
        first.give_up()
        second = self.claim()
        for _ in range(2):
            self.assertFalse(second.free)
            self.assertEqual(second.holders(), [holder.pid])
            self.assertEqual(second.descriptors, {})
        holder.communicate()
        self.assertTrue(second.free)
        self.assertEqual(list(second.descriptors), [LOCK])

    @linux_only
    def test_a_shortage_hides_no_worker_of_a_folder_that_was_removed(self) -> None:
        first = self.claim()
        self.lend(first)
        shutil.rmtree(self.folder)
        first.give_up()
        second = self.claim()
        short = OSError(errno.EMFILE, "Too many open files")
        with mock.patch.object(type(SYSTEM), "holders", side_effect=short):
            self.assertRaises(OSError, lambda: second.free)
        self.assertFalse(second.free)

    def test_another_main_or_another_port_is_another_account(self) -> None:
        first = self.claim()
        self.lend(first)
        first.give_up()
        for other in ("/srv/other/main.py 3001", "/srv/main.py 3002"):
            self.assertTrue(self.claim(other).free)

    def test_what_our_own_guardian_left_is_waited_for_when_that_is_gone(self) -> None:
        claim = self.claim()
        holder = self.lend(claim)
        self.assertTrue(claim.free, "our own, which is being supervised")
        claim.returned()
        self.assertFalse(claim.free)
        holder.communicate()
        self.assertTrue(claim.free)

    def test_nobody_else_reads_the_files(self) -> None:
        self.assertTrue(self.claim().free)
        for file in self.folder.iterdir():
            self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(self.folder.stat().st_mode), 0o700)

    def test_a_folder_that_can_not_be_made_is_told_once_and_nothing_is_waited_for(self) -> None:
        self.folder.touch()
        claim = self.claim()
        self.assertTrue(claim.free)
        self.assertTrue(claim.free)
        self.assertEqual(claim.descriptors, {})
        (alert,) = self.alerts
        self.assertIn("--state-dir", alert)

    def test_a_shortage_of_descriptors_is_no_permission(self) -> None:
        def short(*_: object) -> int:
            raise OSError(errno.EMFILE, "Too many open files")

        claim = self.claim()
        with mock.patch("os.open", short):
            self.assertRaises(OSError, lambda: claim.free)
        self.assertTrue(claim.free)
        self.assertEqual(list(claim.descriptors), [LOCK])

    def test_what_the_start_will_meet_is_left_to_it(self) -> None:
        for error in (LaunchError("main.py is missing"), PermissionError("closed folder")):
            claim = Claim(
                self.folder, mock.Mock(side_effect=error), self.alerts.append, system=SYSTEM
            )
            self.assertTrue(claim.free)
        self.assertEqual(self.alerts, [])

    def test_a_link_is_not_followed(self) -> None:
        self.assertTrue(self.claim().free)
        names = sorted(self.folder.iterdir())
        target = self.folder / "target"
        for each in names:
            each.unlink()
            each.symlink_to(target.absolute())
        self.assertTrue(self.claim().free)
        self.assertFalse(target.exists())
