"""A gateway is killed, and the next one takes its worker over: no login, no signal."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE
from typing import Any
from unittest import SkipTest

import psutil
from twisted.internet import reactor
from twisted.internet.task import deferLater

from gateway.worker.process.door import listen
from gateway.worker.process.predecessor import guards
from tests.patience import PATIENCE
from tests.system.this import linux_only
from tests.warm import Warm, start
from tests.worker.real import CHILDREN, RealTestCase, alive, soon

MOMENTS = 12
"""How many gateways are killed at a random moment."""
OLDER = """
import sys
sys.path.append({root!r})
from gateway.worker.process.guarding import doorway, program
doorway.VERSION = program.VERSION = 0
program.Guardian().main()
"""
"""A guardian that speaks another version."""


@linux_only
class AdoptionTestCase(RealTestCase):
    """Gateways with one state folder, each a process of its own, which are killed."""

    def setUp(self) -> None:
        super().setUp()
        self.folder = self.new_folder()
        self.journal = self.folder / "journal"
        self.hosts: list[Warm] = []
        self.addCleanup(self.end)

    def host(self, worker: str = "polite.py", *arguments: str, **environ: str) -> Warm:
        log = (self.folder / f"log{len(self.hosts)}").open("wb")
        with log:
            state, patience = self.folder / "state", str(PATIENCE)
            host = start(
                [CHILDREN / "host.py", state, patience, CHILDREN / worker, *arguments],
                cwd=Path.cwd(),
                env={**os.environ, "JOURNAL": str(self.journal), "KEEP": patience, **environ},
                stdin=PIPE,
                stdout=log,
            )
        self.hosts.append(host)
        self.addCleanup(host.stdin.close)
        return host

    def say(self, line: str) -> None:
        """To the newest host."""
        self.hosts[-1].stdin.write(f"{line}\n")
        self.hosts[-1].stdin.flush()

    def told(self, number: int = -1) -> list[dict[str, Any]]:
        """What a host told browsers."""
        number = range(len(self.hosts))[number]
        lines = (self.folder / f"log{number}").read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]

    async def is_told(self, status: str, number: int = -1) -> dict[str, Any]:
        def found() -> dict[str, Any] | None:
            return next((each for each in self.told(number) if each["status"] == status), None)

        return await soon(found, status)

    def kill(self, host: Warm) -> None:
        host.kill()
        host.wait()

    async def guardian(self) -> psutil.Process:
        """A worker may count as started before it has done anything."""
        started = await soon(lambda: self.noted("start"), "a worker")
        return psutil.Process(psutil.Process(started[-1]).ppid())

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

    async def test_what_it_did_meanwhile_is_told(self) -> None:
        host = self.host("polite.py")
        first = await self.is_told("running")
        await soon(lambda: self.noted("start"))
        self.kill(host)
        os.kill(first["pid"], signal.SIGKILL)
        await soon(lambda: not alive(first["pid"]))
        self.host("polite.py")
        event = await self.is_told("exited")
        self.assertEqual((event["pid"], event["generation"]), (None, 1))
        self.assertEqual((event["signal"], event["asked"]), ("SIGKILL", False))
        await soon(lambda: [each for each in self.told() if each["generation"] == 2])

    async def test_one_that_would_be_run_otherwise_is_ended_and_waited_for(self) -> None:
        host = self.host()
        first = await self.is_told("running")
        for changes in ({"MORE": "1"}, {"MORE": "2"}):
            self.kill(host)
            host = self.host(**changes)
            event = await self.is_told("running")
            self.assertNotEqual(event["pid"], first["pid"])
            self.assertEqual(self.noted("finally")[-1], first["pid"])
            first = event
        self.assertEqual(event["budget"]["used"], 3)

    async def test_from_where_the_gateway_is_started_does_not_matter(self) -> None:
        host = self.host(INVOCATION_ID="1", SSH_TTY="/dev/pts/1")
        first = await self.is_told("running")
        self.kill(host)
        self.host(INVOCATION_ID="2", SJGATEWAY_PORT="3001")
        self.assertEqual((await self.is_told("running"))["pid"], first["pid"])

    async def test_a_stop_is_a_stop_whenever_the_gateway_is_killed(self) -> None:
        host = self.host("account.py", "release")
        await soon(lambda: self.noted("in"))
        await self.is_told("running")
        self.say("stop")
        await soon(lambda: self.noted("going"))
        for _ in range(2):
            self.kill(host)
            host = self.host("account.py", "release")
            await self.is_told("stopped")
        (self.folder / "release").touch()
        await soon(lambda: self.noted("out"))
        self.say("start")
        await soon(lambda: len(self.noted("in")) == 2)
        await self.is_told("running")
        self.assertEqual(len(self.noted("out")), 1)
        self.kill(host)
        self.host("account.py", "release")
        await self.is_told("running")
        self.assertEqual(len(self.noted("in")), 2)

    async def test_a_gateway_that_ended_as_asked_forgets_that_the_worker_was_stopped(self) -> None:
        host = self.host()
        await self.is_told("running")
        self.say("stop")
        await self.is_told("answered")
        host.terminate()
        host.wait()
        self.host()
        await self.is_told("running")

    async def test_a_gateway_that_is_ended_before_it_has_the_worker_ends_it(self) -> None:
        """Politely and at once; and it waits for that, as for a worker of its own."""
        host = self.host("account.py", "release")
        await soon(lambda: self.noted("in"))
        await self.is_told("running")
        self.kill(host)
        (door,) = (self.folder / "state").glob("*.guardian")
        silent = listen(door)
        self.addCleanup(silent.close)
        host = self.host("account.py", "release")
        await self.is_told("backoff")
        host.terminate()
        await soon(lambda: self.noted("going"))
        self.assertIsNone(host.poll())
        (self.folder / "release").touch()
        await soon(lambda: host.poll() is not None)
        self.assertEqual(self.noted("out"), self.noted("in"))

    async def test_posted_keys_come_back_and_new_ones_win(self) -> None:
        self.host("environment.py")
        await self.is_told("running")
        self.say("key-1 secret-1")
        await self.is_told("answered")
        self.assertEqual(self.keys(), "key-1")
        for key, wanted in (("", "key-1"), ("key-2", "key-2"), ("", "key-2")):
            self.kill(self.hosts[-1])
            self.host("environment.py")
            if key:
                self.say(f"{key} secret")
            await soon(lambda wanted=wanted: self.running() and self.keys() == wanted)
        starts = self.told()[-1]["budget"]["used"]
        self.assertEqual(starts, 3, "at first, and for each of the keys")

    def running(self) -> bool:
        told = self.told()
        return bool(told) and told[-1]["status"] in ("running", "answered")

    def keys(self) -> str:
        """What the newest worker has."""
        pid = [each["pid"] for each in self.told() if each.get("pid")][-1]
        environ = psutil.Process(pid).environ()
        return environ.get("API_KEY", "")

    async def test_a_stopped_guardian_is_woken(self) -> None:
        host = self.host()
        first = await self.is_told("running")
        (await self.guardian()).suspend()
        self.kill(host)
        self.host()
        self.assertEqual((await self.is_told("running"))["pid"], first["pid"])

    async def test_without_a_next_gateway_it_logs_out(self) -> None:
        host = self.host(KEEP="0.5")
        first = await self.is_told("running")
        guardian = await self.guardian()
        self.kill(host)
        await soon(lambda: not alive(guardian.pid))
        self.assertEqual(self.noted("finally"), [first["pid"]])

    async def test_one_whose_guardian_was_killed_is_ended(self) -> None:
        host = self.host()
        first = await self.is_told("running")
        guardian = await self.guardian()
        self.kill(host)
        guardian.kill()
        self.host()
        event = await self.is_told("running")
        self.assertEqual(event["budget"]["used"], 2)
        self.assertFalse(alive(first["pid"]))

    async def test_the_end_of_an_adopted_guardian_is_seen(self) -> None:
        host = self.host()
        first = await self.is_told("running")
        self.kill(host)
        self.host()
        await self.is_told("running")
        (await self.guardian()).kill()
        event = await self.is_told("exited")
        self.assertFalse(alive(first["pid"]))
        self.assertIsNotNone(event["class"])
        await self.is_told("starting")

    async def test_an_older_guardian_is_waited_for(self) -> None:
        older = self.folder / "guardian.py"
        older.write_text(OLDER.format(root=os.fspath(Path(__file__).parents[2])))
        host = self.host(GUARDIAN=str(older))
        first = await self.is_told("running")
        self.kill(host)
        self.host()
        event = await self.is_told("running")
        self.assertEqual(self.noted("finally"), [first["pid"]])
        self.assertEqual(event["budget"]["used"], 2)

    async def test_a_socket_of_another_user_is_not_believed(self) -> None:
        if os.getuid() != 0:
            raise SkipTest("needs root, to become somebody else")
        host = self.host()
        first = await self.is_told("running")
        self.kill(host)
        (door,) = (self.folder / "state").glob("*.guardian")
        door.unlink()
        squatter = squat(door)
        self.addCleanup(squatter.communicate)
        self.addCleanup(squatter.kill)
        squatter.stdout.readline()
        self.host()
        event = await self.is_told("running")
        self.assertEqual(self.noted("finally"), [first["pid"]])
        self.assertEqual(event["budget"]["used"], 2)

    async def test_a_state_folder_that_is_removed_costs_a_login(self) -> None:
        host = self.host()
        first = await self.is_told("running")
        guardian = await self.guardian()
        shutil.rmtree(self.folder / "state")
        self.kill(host)
        await soon(lambda: not alive(guardian.pid), "its end, since nobody could find it")
        self.assertEqual(self.noted("finally"), [first["pid"]])
        self.host()
        await self.is_told("running")

    async def test_nor_is_there_a_second_worker_while_the_first_one_logs_out(self) -> None:
        host = self.host("account.py", "may-go")
        await soon(lambda: self.noted("in"))
        shutil.rmtree(self.folder / "state")
        self.kill(host)
        await soon(lambda: self.noted("going"))
        self.host("account.py", "may-go")
        await self.is_told("backoff")
        self.assertEqual((len(self.noted("in")), self.noted("out")), (1, []))
        (self.folder / "may-go").touch()
        await self.is_told("running")
        self.assertEqual(len(self.noted("out")), 1)


class RandomMomentTests(AdoptionTestCase):
    """Gateways are killed at any moment: of a start, a restart, a key change, an adoption."""

    async def test_never_two_and_none_left_behind(self) -> None:
        seed = random.randrange(2**32)
        moments = random.Random(seed)
        host = self.host("account.py", "0")
        said = 0
        for number in range(MOMENTS):
            await deferLater(reactor, moments.choice((0.0, 0.3, 0.6, 1.0)) * moments.random())
            if moments.random() < 0.5 and host.poll() is None:
                self.say(moments.choice(("restart", f"key-{number} secret")))
                said += 1
                await deferLater(reactor, 0.2 * moments.random())
            if moments.random() < 0.1 and self.noted("in") and alive(self.noted("in")[-1]):
                with contextlib.suppress(psutil.Error):
                    psutil.Process(psutil.Process(self.noted("in")[-1]).ppid()).suspend()
            self.kill(host)
            host = self.host("account.py", "0")
            self.check(seed)
        await self.is_told("running")
        host.terminate()
        host.wait()
        await soon(lambda: not any(map(alive, self.noted("in"))), "the end of all workers")
        self.check(seed)
        logins = len(self.noted("in"))
        self.assertLessEqual(logins, 2 + said + self.begun(), f"seed {seed}")

    async def test_a_worker_that_may_stay_stays(self) -> None:
        """Whenever the next one is killed, too, and when two begin at once."""
        seed = random.randrange(2**32)
        moments = random.Random(seed)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        host = self.host("account.py", "0", PORT=port)
        first = await self.is_told("running")
        await soon(lambda: self.noted("in"))
        for _ in range(MOMENTS):
            self.kill(host)
            rivals = [
                self.host("account.py", "0", PORT=port) for _ in range(moments.choice((1, 2)))
            ]
            await deferLater(reactor, 1.2 * moments.random())
            host = rivals[0] if rivals[0].poll() is None else rivals[-1]
            for rival in rivals:
                if rival is not host:
                    self.kill(rival)
        self.kill(host)
        self.host("account.py", "0", PORT=port)
        self.assertEqual((await self.is_told("running"))["pid"], first["pid"], f"seed {seed}")
        self.assertEqual(self.noted("in"), [first["pid"]], f"seed {seed}")

    def begun(self) -> int:
        """How often a worker was started whose gateway was killed before it was running."""
        return sum(
            any(each["status"] == "starting" for each in told)
            for told in map(self.told, range(len(self.hosts)))
        )

    def check(self, seed: int) -> None:
        """One after the other: who is in is out before the next one is."""
        inside: set[str] = set()
        lines = self.journal.read_text().splitlines() if self.journal.exists() else []
        for word, pid in map(str.split, lines):
            if word == "in":
                inside.add(pid)
            elif word == "out":
                inside.discard(pid)
            self.assertLessEqual(len(inside), 1, f"two workers; seed {seed}: {lines}")


def squat(door: Path) -> subprocess.Popen:
    """Somebody else's socket in the place of a door."""
    program = (
        "import os, socket, sys, time; s = socket.socket(socket.AF_UNIX);"
        "os.chdir(sys.argv[1]); s.bind(sys.argv[2]); os.chmod(sys.argv[2], 0o777);"
        "os.setuid(10001); s.listen(1); print(flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", program, str(door.parent), door.name]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
