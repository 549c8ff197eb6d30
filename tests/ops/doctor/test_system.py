"""What `--check` says of the operating system."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.ops.doctor import system
from gateway.ops.doctor.finding import Level
from gateway.ops.doctor.system import check_system
from gateway.system.linux import Linux
from gateway.system.portable import Portable


class SystemTests(SynchronousTestCase):
    def levels(self, found: Linux | Portable) -> list[Level]:
        return [each.level for each in check_system(found)]

    def test_linux_promises_all(self) -> None:
        self.assertEqual(self.levels(Linux()), [Level.OK])

    def test_what_is_promised_less_elsewhere_is_said(self) -> None:
        (finding,) = check_system(Portable())
        self.assertIs(finding.level, Level.WARN)
        for clause in Portable.less:
            self.assertIn(clause, finding.what)
        self.assertIn("docs/systems.md", finding.cure)

    def test_without_ps_no_worker_could_be_ended(self) -> None:
        self.patch(system, "PATH", "/nowhere")
        self.assertEqual(self.levels(Portable()), [Level.WARN, Level.FAIL])
        self.assertEqual(self.levels(Linux()), [Level.OK])
