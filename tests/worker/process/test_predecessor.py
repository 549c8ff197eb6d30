"""A gateway is killed and the next one starts at once: one worker at a time."""

from __future__ import annotations

import contextlib
import errno
import os
import random
import signal
from pathlib import Path
from subprocess import PIPE
from typing import TYPE_CHECKING
from unittest import mock

import psutil
from twisted.internet import reactor
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock, deferLater
from twisted.trial.unittest import SynchronousTestCase

from gateway.contract import LaunchError
from gateway.worker.process import guarded, predecessor
from gateway.worker.process.claim import Claim
from gateway.worker.process.command import Command
from gateway.worker.process.door import Handed, RefusedError
from gateway.worker.process.predecessor import ADOPTING, REASON, Adoption, Predecessor, guards
from tests.patience import PATIENCE
from tests.warm import Warm, start
from tests.worker.real import CHILDREN, RealTestCase, alive, soon

if TYPE_CHECKING:
    from collections.abc import Callable


class SuccessorTests(RealTestCase):
    """Gateways with one state folder, each of a process of its own."""

    def setUp(self) -> None:
        super().setUp()
        self.folder = self.new_folder()
        self.journal = self.folder / "journal"
        self.hosts: list[Warm] = []
        self.addCleanup(self.end)

    def host(self, worker: str, *arguments: str) -> Warm:
        host = self.prepared(worker, *arguments)
        host.stdin.close()
        return host

    def prepared(self, worker: str, *arguments: str) -> Warm:
        """One that begins when its input is closed, at once."""
        state, patience = self.folder / "state", str(PATIENCE)
        host = start(
            [CHILDREN / "host.py", state, patience, CHILDREN / worker, *arguments],
            cwd=Path.cwd(),
            env={**os.environ, "JOURNAL": str(self.journal), "PREPARED": "1"},
            stdin=PIPE,
            stdout=PIPE,
        )
        self.hosts.append(host)
        return host

    def end(self) -> None:
        """Leave nothing, whatever a test found."""
        for host in self.hosts:
            family = [host.pid]
            if host.poll() is None:
                family += [each.pid for each in psutil.Process(host.pid).children(recursive=True)]
            self.end_all(family)
            host.wait()
            host.stdin.close()
            host.stdout.close()
        orphans = [pid for pid in self.noted("in") if alive(pid)]
        parents = [psutil.Process(pid).ppid() for pid in orphans]
        self.end_all([*filter(guards, parents), *orphans])

    def end_all(self, pids: list[int]) -> None:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def kill(self, host: Warm) -> None:
        host.kill()
        host.wait()

    @property
    def words(self) -> list[str]:
        """What the workers noted, in order."""
        if not self.journal.exists():
            return []
        return [line.split()[0] for line in self.journal.read_text().splitlines()]

    async def is_in(self, host: Warm) -> None:
        """The worker that this one started is logged in, and not one of those before it."""
        while (line := host.stdout.readline().split())[0] != "running":
            pass
        await soon(lambda: int(line[1]) in self.noted("in"))

    async def waits(self, second: Warm) -> None:
        """It says that it waits, and starts its worker when the first one is gone."""
        for why in (ADOPTING, REASON):
            waiting = second.stdout.readline()
            self.assertEqual((waiting.split()[0], why in waiting), ("backoff", True))
        await soon(lambda: "going" in self.words)
        self.assertEqual(self.words, ["in", "going"])
        (self.folder / "release").touch()
        self.assertEqual(second.stdout.readline().split()[0], "starting")
        await soon(lambda: len(self.noted("in")) == 2)
        self.assertEqual(self.words, ["in", "going", "out", "in"])

    async def test_it_waits_for_the_worker_that_logs_out(self) -> None:
        first = self.host("account.py", "release")
        await soon(lambda: self.noted("in"))
        self.kill(first)
        await self.waits(self.host("account.py", "0"))

    async def test_never_two_at_once_whenever_it_is_killed(self) -> None:
        """Each worker logs out when the next gateway has said what it does about it."""
        moments = random.Random(13)
        host = self.host("account.py", "0")
        for number in range(5):
            following = self.prepared("account.py", f"after-{number}")
            worker_is_in = number % 2 == 0  # else at any moment
            if worker_is_in:
                await self.is_in(host)
            await deferLater(reactor, moments.uniform(0, 0.3))
            self.kill(host)
            host = following
            host.stdin.close()
            line = host.stdout.readline()
            self.assertTrue(not worker_is_in or number == 0 or ADOPTING in line, line)
            (self.folder / f"after-{number - 1}").touch()
        (self.folder / "after-4").touch()
        await self.is_in(host)
        host.terminate()
        await soon(lambda: host.poll() is not None)
        self.assertEqual(self.words, ["in", "going", "out"] * (len(self.words) // 3))

    async def test_a_gateway_that_is_going_down_is_waited_for_too(self) -> None:
        first = self.host("account.py", "release")
        await soon(lambda: self.noted("in"))
        first.terminate()
        await soon(lambda: "going" in self.words)
        await self.waits(self.host("account.py", "0"))

    async def test_a_gateway_that_lives_is_not_waited_for(self) -> None:
        self.host("account.py", "0")
        await soon(lambda: self.noted("in"))
        self.host("account.py", "0")
        await soon(lambda: len(self.noted("in")) == 2)

    async def test_a_stopped_guardian_is_woken(self) -> None:
        first = self.host("account.py", "0")
        await soon(lambda: self.noted("in"))
        os.kill(psutil.Process(self.noted("in")[0]).ppid(), signal.SIGSTOP)
        self.kill(first)
        self.host("account.py", "0")
        await soon(lambda: len(self.noted("in")) == 2)
        self.assertEqual(self.words, ["in", "going", "out", "in"])

    async def test_a_worker_whose_guardian_was_killed_with_the_gateway(self) -> None:
        first = self.host("account.py", "release")
        await soon(lambda: self.noted("in"))
        guardian = psutil.Process(self.noted("in")[0]).ppid()
        first.kill()
        os.kill(guardian, signal.SIGKILL)
        first.wait()
        await self.waits(self.host("account.py", "0"))


class AdoptionTests(SynchronousTestCase):
    """What becomes of a worker that was handed over to one who can't go on with it."""

    def setUp(self) -> None:
        self.outcomes: list[object] = []
        self.handed: list[mock.Mock] = []
        self.changed: list[str] = []
        self.learnt: list[object] = []
        self.refused: RefusedError | None = None
        self.patch(predecessor, "ask", self.asked)
        self.adoption = self.made(succeed)

    def made(self, command: Callable[[object], Deferred]) -> Adoption:
        given = mock.Mock(spec=Command, identity={})
        claim = mock.Mock(spec=Claim)
        return Adoption(
            None,
            claim,
            lambda: command(given),
            adopt=self.adopt,
            learn=self.learn,
            changed=lambda: self.changed.append("changed"),
        )

    def asked(self, *_: object) -> Deferred:
        if self.refused is not None:
            return fail(self.refused)
        self.handed.append(mock.Mock(spec=Handed))
        return succeed(self.handed[-1])

    def learn(self, given: object, note: object) -> None:
        self.learnt.append((given, note))
        raise ValueError("nonsense")

    def adopt(self, _: Handed) -> str:
        outcome = self.outcomes.pop()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def test_what_may_pass_is_tried_again(self) -> None:
        self.outcomes = ["", OSError(errno.EMFILE, "Too many open files")]
        self.adoption.ask()
        self.assertEqual(self.handed[0].method_calls, [mock.call.close()])
        self.adoption.ask()
        self.assertEqual(self.handed[1].method_calls, [])
        self.assertEqual(self.changed, [])

    def test_what_can_not_pass_ends_the_worker(self) -> None:
        for outcome in ("other keys", ValueError("no note")):
            self.setUp()
            self.outcomes = [outcome]
            for _ in range(2):
                self.adoption.ask()
            (handed,) = self.handed
            self.assertEqual(handed.method_calls, [mock.call.end()])
            self.assertEqual((self.adoption.hopeful, self.changed), (False, ["changed"]))
        self.flushLoggedErrors(ValueError)

    def test_the_keys_of_a_worker_that_may_not_be_had_are_learnt(self) -> None:
        self.refused = RefusedError("it is being ended", {"env": {}}, {"n": 1})
        self.adoption.ask()
        self.assertEqual(self.learnt, [({"env": {}}, {"n": 1})])
        self.assertEqual((self.adoption.hopeful, self.changed), (False, ["changed"]))
        self.flushLoggedErrors(ValueError)
        self.setUp()
        self.refused = RefusedError("another version", {}, {})
        self.adoption.ask()
        self.assertEqual((self.learnt, self.changed), ([], ["changed"]))

    def test_an_answer_is_waited_for_though_the_guardian_is_gone(self) -> None:
        asked, clock, freed = Deferred(), Clock(), []
        self.patch(predecessor, "ask", lambda *_: asked)
        claim = mock.Mock(spec=Claim, free=False)
        claim.holders.return_value = []
        waiting = Predecessor(
            clock,
            claim,
            (1, 1, 1),
            interrupted=True,
            adoption=self.adoption,
            freed=lambda: freed.append(1),
        )
        self.assertIsNotNone(waiting.hold())
        clock.advance(0)
        claim.free = True
        clock.advance(predecessor.INTERVAL)
        self.assertIsNotNone(waiting.hold())
        self.assertEqual(freed, [])
        asked.errback(RefusedError("it is being ended", {"env": {}}, {"n": 1}))
        self.assertEqual(self.learnt, [({"env": {}}, {"n": 1})])
        self.assertIsNone(waiting.hold())
        clock.advance(predecessor.INTERVAL)
        self.assertEqual(freed, [1])
        self.flushLoggedErrors(ValueError)

    def test_a_program_that_can_not_be_run_now_may_be_later(self) -> None:
        fault = LaunchError("Python is missing")
        adoption = self.made(lambda _: fail(fault))
        adoption.ask()
        self.assertTrue(adoption.hopeful)


ROOT = Path(__file__).parents[3]
EARLY = """
import os, signal, sys
sys.path.append({root!r})
from gateway.worker.process.guarding.program import Guardian
class Killed(Guardian):
    def report(self, line):
        if line.startswith("started"):
            os.kill(os.getpid(), signal.SIGKILL)
        super().report(line)
Killed().main()
"""
"""A guardian that is killed between the fork and its report."""


class EarlyTests(RealTestCase):
    """A guardian that is killed, or stopped, at the wrong moment."""

    def early(self) -> None:
        guardian = self.new_folder() / "guardian.py"
        guardian.write_text(EARLY.format(root=os.fspath(ROOT)))
        patched = mock.patch.object(guarded, "GUARDIAN", guardian)
        patched.start()
        self.addCleanup(patched.stop)

    async def test_the_worker_of_a_guardian_killed_before_its_report_is_ended(self) -> None:
        self.early()
        supervisor = self.supervisor("stubborn.py", patience_login=0.5, backoff_first=60)
        supervisor.start()
        event = await self.is_told("exited")
        self.assertIsNotNone(event["generation"])
        pid = supervisor.health()["lastExit"]["pid"]
        self.assertIsNotNone(pid, "it was known")
        await soon(lambda: supervisor.state == "backoff")
        self.assertFalse(alive(pid))

    async def test_a_stop_reaches_it(self) -> None:
        self.early()
        supervisor = self.supervisor("stubborn.py", patience_login=0.5, backoff_first=60)
        supervisor.start()

        def pid() -> int | None:
            """It may have died of the kernel's signal before it is looked at."""
            return supervisor.pid or (supervisor.health()["lastExit"] or {}).get("pid")

        worker = await soon(pid)
        await supervisor.stop_worker()
        self.assertFalse(alive(worker))
        self.assertEqual(supervisor.state, "stopped")

    async def test_the_end_of_a_worker_with_a_stopped_guardian_is_told(self) -> None:
        supervisor = self.supervisor("polite.py")
        worker = await self.up(supervisor)
        os.kill(supervisor.guardian_pid, signal.SIGSTOP)
        os.kill(worker, signal.SIGKILL)
        event = await self.is_told("exited")
        self.assertEqual(event["signal"], "SIGKILL")

    async def test_a_restart_with_a_stopped_guardian(self) -> None:
        supervisor = self.supervisor("polite.py")
        old = await self.up(supervisor)
        os.kill(supervisor.guardian_pid, signal.SIGSTOP)
        facts = await supervisor.restart()
        self.assertEqual((facts["oldPid"], facts["ended"]["signal"]), (old, "SIGINT"))
        self.assertEqual(self.noted("finally"), [old])
