"""A pause of the broker that is heard of a real worker, whenever that is."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from gateway.contract import PausedError
from tests.patience import PATIENCE
from tests.system.this import linux_only

from .real import RealTestCase, outcome, soon

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.worker.supervisor import Supervisor


class LatePauseTests(RealTestCase):
    async def test_one_heard_while_the_worker_settles_refuses_the_restart_and_keeps_it(
        self,
    ) -> None:
        supervisor = self.supervisor("late_words.py", "settling", cwd=self.place())
        supervisor.start()
        await soon(lambda: supervisor.pid and self.noted("start"))
        answer = outcome(supervisor.restart())
        self.assertEqual((supervisor.state, answer), ("starting", []))
        self.go()
        await soon(lambda: answer)
        self.assertIsInstance(answer[0], PausedError)
        self.assertEqual((supervisor.state, self.noted("start")), ("running", [supervisor.pid]))

    async def test_one_heard_while_the_old_tree_is_reaped_holds_for_the_restart(self) -> None:
        supervisor, pid = await self.with_a_child()
        answer = outcome(supervisor.restart())
        await self.is_told("exited")
        await self.hears_the_child(supervisor, "stopping")
        self.assertEqual(answer, [])
        self.go()
        await self.is_held(pid)
        self.assertIsInstance(answer[0], PausedError)

    @linux_only
    async def test_one_heard_while_a_crash_is_reaped_holds_the_next_start(self) -> None:
        supervisor, pid = await self.with_a_child()
        os.kill(pid, signal.SIGKILL)
        await self.is_told("exited")
        await self.hears_the_child(supervisor, "exited")
        self.go()
        await self.is_held(pid)

    async def with_a_child(self) -> tuple[Supervisor, int]:
        """A worker with a child that outlives it; its pid."""
        supervisor = self.supervisor(
            "late_words.py", "leaving", cwd=self.place(), patience_strays=PATIENCE
        )
        return supervisor, await self.up(supervisor, "ready")

    async def hears_the_child(self, supervisor: Supervisor, state: str) -> None:
        """What it says imposes a pause, in that state."""
        await soon(lambda: supervisor.status()["pausedFor"], "the pause")
        self.assertEqual(supervisor.state, state)

    async def is_held(self, pid: int) -> None:
        """The next start waits until the pause is over."""
        event = await self.is_told("backoff")
        self.assertGreater(event["nextStartIn"], 50)
        self.assertIn("the broker asked for a pause", event["message"])
        self.assertEqual(self.noted("start"), [pid])

    def place(self) -> Path:
        """Where the worker works, and looks for the file `go`."""
        self.folder_of_go = self.new_folder()
        return self.folder_of_go

    def go(self) -> None:
        (self.folder_of_go / "go").touch()
