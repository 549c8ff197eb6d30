"""A gateway is killed, and the next one takes its worker over: no login, no signal."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from typing import Any

import psutil

from gateway.worker.process.predecessor import guards
from tests.worker.real import CHILDREN, RealTestCase, alive, soon


class AdoptionTestCase(RealTestCase):
    """Gateways with one state folder, each a process of its own, which are killed."""

    if sys.platform != "linux":
        skip = "the door needs Linux"

    def setUp(self) -> None:
        super().setUp()
        self.folder = self.new_folder()
        self.journal = self.folder / "journal"
        self.hosts: list[subprocess.Popen] = []
        self.addCleanup(self.end)

    def host(self, worker: str = "polite.py", *arguments: str, **environ: str) -> subprocess.Popen:
        log = (self.folder / f"log{len(self.hosts)}").open("wb")
        with log:
            host = subprocess.Popen(
                [
                    sys.executable,
                    CHILDREN / "host.py",
                    self.folder / "state",
                    "20",
                    CHILDREN / worker,
                    *arguments,
                ],
                env={**os.environ, "JOURNAL": str(self.journal), "KEEP": "60", **environ},
                stdin=subprocess.DEVNULL,
                stdout=log,
            )
        self.hosts.append(host)
        return host

    def told(self, number: int = -1) -> list[dict[str, Any]]:
        """What a host told browsers."""
        number = range(len(self.hosts))[number]
        lines = (self.folder / f"log{number}").read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]

    async def is_told(self, status: str, number: int = -1) -> dict[str, Any]:
        def found() -> dict[str, Any] | None:
            return next((each for each in self.told(number) if each["status"] == status), None)

        return await soon(found, f"{status} among {self.told(number)}")

    def kill(self, host: subprocess.Popen) -> None:
        host.kill()
        host.wait()

    def guardian(self) -> psutil.Process:
        return psutil.Process(psutil.Process(self.noted("start")[-1]).ppid())

    def end(self) -> None:
        """Leave nothing, whatever a test found."""
        for host in self.hosts:
            if host.poll() is None:
                self.end_all([each.pid for each in psutil.Process(host.pid).children()])
                self.kill(host)
        left = [pid for pid in self.noted("start") if alive(pid)]
        for pid in left:
            with contextlib.suppress(psutil.Error):
                self.end_all([pid for pid in [psutil.Process(pid).ppid()] if guards(pid)])
        self.end_all(left)

    def end_all(self, pids: list[int]) -> None:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


class AdoptionTests(AdoptionTestCase):
    async def test_the_next_gateway_goes_on_with_the_same_worker(self) -> None:
        host = self.host()
        first = await self.is_told("running")
        for _ in range(3):
            self.kill(host)
            host = self.host()
            event = await self.is_told("running")
            self.assertEqual(
                (event["pid"], event["generation"]), (first["pid"], first["generation"])
            )
        self.assertNotIn("starting", [each["status"] for each in self.told()])
        self.assertEqual(event["budget"]["used"], 1)
        self.assertEqual(self.noted("start"), [first["pid"]])
        self.assertEqual(self.noted("finally"), [])
        host.terminate()
        host.wait()
        self.assertEqual(self.noted("finally"), [first["pid"]])
