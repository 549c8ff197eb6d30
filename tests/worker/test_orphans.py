"""The gateway is killed: its worker logs out, and nothing is left (fault P16)."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
from pathlib import Path
from subprocess import DEVNULL

import psutil
from twisted.internet import reactor
from twisted.internet.task import deferLater

from tests.patience import PATIENCE
from tests.system.this import linux_only
from tests.warm import Warm, start

from .real import CHILDREN, RealTestCase, alive, soon


class OrphanTests(RealTestCase):
    def host(
        self, worker: str, *arguments: str, patience: float = PATIENCE, **environ: str
    ) -> Warm:
        """A gateway in a process of its own, with `worker`."""
        self.folder = self.new_folder()
        self.journal = self.folder / "journal"
        host = start(
            [CHILDREN / "host.py", self.folder, str(patience), CHILDREN / worker, *arguments],
            cwd=Path.cwd(),
            env={**os.environ, "JOURNAL": str(self.journal), **environ},
            stdout=DEVNULL,
        )
        self.addCleanup(self.end, host)
        return host

    def end(self, host: Warm) -> None:
        for pid in (*self.family(host), host.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        host.wait()

    def family(self, host: Warm) -> set[int]:
        try:
            return {child.pid for child in psutil.Process(host.pid).children(recursive=True)}
        except psutil.NoSuchProcess:
            return set()

    async def killed(
        self, worker: str, *arguments: str, size: int, group: bool = False, **how: float
    ) -> None:
        """Kill the gateway when its family has `size` members; all of them go, too."""
        host = self.host(worker, *arguments, **how, **({"SESSION": "1"} if group else {}))
        await soon(lambda: self.noted("start") and len(self.family(host)) == size)
        family = self.family(host)
        if group:
            os.killpg(host.pid, signal.SIGKILL)
        else:
            host.kill()
        host.wait()
        await soon(lambda: not any(map(alive, family)), "the end of all processes")

    async def test_a_polite_worker_logs_out(self) -> None:
        await self.killed("polite.py", size=2)
        self.assertEqual(self.noted("finally"), self.noted("start"))

    async def test_so_when_the_whole_group_of_the_gateway_is_killed(self) -> None:
        await self.killed("polite.py", size=2, group=True)
        self.assertEqual(self.noted("finally"), self.noted("start"))

    @linux_only
    async def test_a_worker_in_a_native_login_with_daemon_and_pipe_holder(self) -> None:
        await self.killed("native.py", "0.8", size=4)
        self.assertEqual(self.noted("finally"), self.noted("start"))
        self.assertFalse(any(map(alive, self.noted("daemon"))))

    async def test_a_worker_that_ignores_everything(self) -> None:
        await self.killed("stubborn.py", "both", size=2, patience=0.2)

    async def test_stubborn_children(self) -> None:
        await self.killed("family.py", "10", size=12, patience=0.2)

    async def test_a_stopped_worker(self) -> None:
        host = self.host("polite.py")
        await soon(lambda: self.noted("start"))
        worker = self.noted("start")[0]
        os.kill(worker, signal.SIGSTOP)
        host.kill()
        await soon(lambda: not alive(worker))
        self.assertEqual(self.noted("finally"), [worker])

    async def test_at_any_moment_of_the_start(self) -> None:
        for milliseconds in (0, 40, 120):
            with self.subTest(milliseconds=milliseconds):
                host = self.host("polite.py")
                await soon(lambda: list(self.folder.glob("*.worker.lock")), "a guardian's lock")
                await deferLater(reactor, milliseconds / 1000)
                host.kill()
                host.wait()
                await soon(self.nobody_is_left)
                self.assertEqual(self.noted("finally"), self.noted("start"))

    def nobody_is_left(self) -> bool:
        """Whether guardian and worker are gone, those included that a list would not have yet."""
        for path in self.folder.glob("*.worker.lock"):
            with path.open() as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return False
        return True

    async def test_sigterm_to_the_gateway_stops_the_worker_with_patience(self) -> None:
        host = self.host("polite.py")
        await soon(lambda: self.noted("start"))
        family = self.family(host)
        host.terminate()
        await soon(lambda: host.poll() is not None)
        self.assertIn(host.returncode, (0, -signal.SIGTERM))
        self.assertFalse(any(map(alive, family)))
        self.assertEqual(self.noted("finally"), self.noted("start"))

    async def test_sigterm_to_the_guardian_ends_the_worker_politely(self) -> None:
        host = self.host("polite.py")
        await soon(lambda: self.noted("start"))
        worker = self.noted("start")[0]
        os.kill(psutil.Process(worker).ppid(), signal.SIGTERM)
        await soon(lambda: self.noted("finally"))
        self.assertEqual(self.noted("finally"), [worker])
        await soon(lambda: len(self.noted("start")) == 2, "a new worker")
        self.assertIsNone(host.poll())
