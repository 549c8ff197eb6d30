"""Real workers that the kernel ends for want of memory, and that leave by their own clock."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from unittest import SkipTest

from gateway.system.linux import Linux
from gateway.system.proc import memory_kills
from gateway.worker.lifecycle import exits
from tests.system.this import SYSTEM, linux_only

from .real import RealTestCase, soon

LIMIT = 48 << 20
"""Bytes, which a Python needs to start, and little more."""
GROUPS = Path("/sys/fs/cgroup/memory")
"""Of cgroup v1, where the kernel counts what it ends in /proc/vmstat, whatever the group."""


class MemoryTests(RealTestCase):
    def group(self) -> Path:
        """A control group that has little memory; where none can be made the test is skipped."""
        group = GROUPS / f"sjgateway-test-{os.getpid()}"
        try:
            group.mkdir()
        except OSError as error:
            raise SkipTest(f"no control group can be made: {error}") from None
        self.addCleanup(group.rmdir)
        (group / "memory.limit_in_bytes").write_text(str(LIMIT))
        return group

    @linux_only
    async def test_one_that_takes_too_much_is_told_as_out_of_memory(self) -> None:
        self.patch(Linux, "memory_kills", lambda _: memory_kills())
        supervisor = self.supervisor("hungry.py", str(self.group() / "cgroup.procs"))
        supervisor.start()
        event = await self.is_told("exited")
        self.assertEqual((event["signal"], event["class"]), ("SIGKILL", "out-of-memory"))
        await self.is_told("backoff")
        await soon(lambda: len(self.noted("start")) > 1, "the next start")
        await supervisor.stop()

    async def test_one_that_is_killed_is_out_of_memory_only_if_the_counter_grew(self) -> None:
        """Of a group of its own in files: the kernel's may not be made to count everywhere."""
        root = self.new_folder()
        (root / "proc/self").mkdir(parents=True)
        (root / "proc/self/cgroup").write_text("0::/worker\n")
        events = root / "sys/fs/cgroup/worker/memory.events"
        events.parent.mkdir(parents=True)
        events.write_text("low 0\noom 0\noom_kill 3\n")
        self.patch(type(SYSTEM), "memory_kills", lambda _: memory_kills(root))
        supervisor = self.supervisor("polite.py")
        pid = await self.up(supervisor)
        for kills, cause in ((3, "other"), (4, "out-of-memory"), (4, "other")):
            events.write_text(f"low 0\noom {kills}\noom_kill {kills}\n")
            exited = self.told.count("exited")
            os.kill(pid, signal.SIGKILL)
            event = await self.is_told("exited", exited + 1)
            self.assertEqual((event["signal"], event["class"]), ("SIGKILL", cause))
            await soon(lambda old=pid: supervisor.running and supervisor.pid != old, "a start")
            pid = supervisor.pid
            await soon(lambda new=pid: new in self.noted("start"), "the next worker")


class PlannedTests(RealTestCase):
    async def leaves(self, planned_after: float) -> None:
        """A worker that is ready, and leaves with status 0."""
        self.patch(exits, "PLANNED_AFTER", planned_after)
        self.started = self.supervisor("ending.py", "0", "go", fatal_after=2)
        await self.up(self.started)
        self.is_ready_and_goes()

    def is_ready_and_goes(self) -> None:
        self.started.heard("shioaji_ready", {})
        (self.folder / "go").touch()

    async def test_one_that_worked_is_started_again_and_no_failure_is_counted(self) -> None:
        await self.leaves(planned_after=0.001)
        for count in (1, 2, 3):  # more often than failures in a row are allowed
            event = await self.is_told("exited", count)
            self.assertEqual(
                (event["exitCode"], event["class"], event["asked"]), (0, "planned", False)
            )
            await soon(lambda n=count: len(self.noted("start")) > n, "the next start")
            self.is_ready_and_goes()
        self.assertNotIn("fatal", self.told)

    async def test_one_that_leaves_at_once_has_failed(self) -> None:
        await self.leaves(planned_after=600)
        self.assertEqual((await self.is_told("exited"))["class"], "other")
        (self.folder / "go").touch()
        await self.is_told("fatal")
        self.assertEqual(len(self.noted("start")), 2)
