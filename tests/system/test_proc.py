"""The kernel's counters, by proc(5)."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.system.proc import memory_kills


class KillsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.root = Path(self.mktemp())

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def test_of_our_own_group_where_there_is_one(self) -> None:
        self.write("proc/self/cgroup", "0::/system.slice/sjgateway.service\n")
        self.write("proc/vmstat", "oom_kill 9\n")
        events = "sys/fs/cgroup/system.slice/sjgateway.service/memory.events"
        self.write(events, "low 0\noom 2\noom_kill 3\noom_group_kill 0\n")
        self.assertEqual(memory_kills(self.root), (3,))

    def test_else_of_the_machine(self) -> None:
        self.write("proc/self/cgroup", "4:memory:/x\n")
        self.write("proc/vmstat", "nr_free_pages 5\noom_kill 2\n")
        self.assertEqual(memory_kills(self.root), (2,))

    def test_without_counters_nothing_is_known(self) -> None:
        self.assertEqual(memory_kills(self.root), ())
        self.write("proc/vmstat", "oom_kill many\n")
        self.assertEqual(memory_kills(self.root), ())
