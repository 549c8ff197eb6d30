"""The mark of a worker that a person stopped."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.worker.process.claim import Claim
from gateway.worker.takeover import StopMark
from tests.system.this import SYSTEM


class StopMarkTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.boot = "first"

    def mark(self, program: str = "main.py 3001") -> StopMark:
        claim = Claim(self.folder, lambda: program, lambda _: None, system=SYSTEM)
        self.addCleanup(claim.give_up)
        self.assertTrue(claim.free)
        return StopMark(claim, lambda: self.boot)

    def test_it_is_for_one_program_and_port_until_it_is_taken_away(self) -> None:
        mark, other = self.mark(), self.mark("main.py 3002")
        for there in (True, True, False, False):
            mark.put(there=there)
            self.assertEqual((mark.is_there, other.is_there), (there, False))

    def test_who_starts_the_machine_wants_a_worker(self) -> None:
        mark = self.mark()
        mark.put(there=True)
        self.boot = "second"
        self.assertFalse(mark.is_there)
        self.boot = ""
        mark.put(there=True)
        self.assertTrue(mark.is_there, "a system that does not tell")

    def test_of_two_gateways_only_the_one_in_charge_has_it(self) -> None:
        mark, second = self.mark(), self.mark()
        second.put(there=True)
        self.assertFalse(mark.is_there)
        mark.put(there=True)
        self.assertFalse(second.is_there)

    def test_only_its_owner_can_read_it_and_no_link_is_followed(self) -> None:
        mark = self.mark()
        (path,) = [path.with_suffix("").with_suffix(".stopped") for path in self.locks()[:1]]
        target = Path(self.mktemp())
        path.symlink_to(target)
        mark.put(there=True)
        self.assertFalse(target.exists())
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)

    def locks(self) -> list[Path]:
        return list(self.folder.glob("*.gateway.lock"))
