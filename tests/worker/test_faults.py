"""Workers that misbehave: faults P1 to P15, with real processes."""

from __future__ import annotations

import gc
import os
import resource
import signal
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from twisted.internet import reactor
from twisted.internet.defer import gatherResults
from twisted.internet.task import deferLater

from gateway.contract import FailedAtOnceError, LaunchError, PausedError
from gateway.system import proc
from gateway.worker.lifecycle import gate
from gateway.worker.process.launch import Launcher
from gateway.worker.process.usage import tree
from tests.patience import PATIENCE

from .real import CHILDREN, DEAF, SHORT, RealTestCase, alive, outcome, soon

if TYPE_CHECKING:
    from collections.abc import Iterator


class EndingTests(RealTestCase):
    async def test_a_polite_worker_logs_out(self) -> None:
        supervisor = self.supervisor("polite.py")
        pid = await self.up(supervisor)
        await supervisor.stop_worker()
        self.assertEqual(self.noted("finally"), [pid])
        self.assertEqual((supervisor.state, supervisor.running), ("stopped", False))
        event = await self.is_told("stopped")
        self.assertEqual((event["exitCode"], event["signal"], event["class"]), (0, None, None))

    async def test_one_that_ignores_sigint_gets_sigterm(self) -> None:
        supervisor = self.supervisor("stubborn.py", **DEAF)
        await self.up(supervisor)
        facts = await supervisor.stop_worker()
        ended = facts["ended"]
        self.assertEqual((ended["signal"], ended["exitSignal"]), ("SIGTERM", "SIGTERM"))
        self.assertGreaterEqual(ended["seconds"], 0.2)

    async def test_one_that_ignores_both_is_killed(self) -> None:
        supervisor = self.supervisor("stubborn.py", "both", **SHORT)
        pid = await self.up(supervisor)
        facts = await supervisor.restart()
        ended = facts["ended"]
        self.assertEqual((facts["oldPid"], ended["signal"]), (pid, "SIGKILL"))
        self.assertEqual(ended["exitSignal"], "SIGKILL")
        self.assertFalse(alive(pid))
        self.assertEqual(facts["newPid"], supervisor.pid)

    async def test_patience_is_shorter_once_the_worker_was_ready(self) -> None:
        supervisor = self.supervisor("stubborn.py", **{**DEAF, "patience_login": 600.0})
        await self.up(supervisor)
        supervisor.heard("shioaji_ready", {})
        facts = await supervisor.stop_worker()
        self.assertEqual(facts["ended"]["exitSignal"], "SIGTERM")

    async def test_a_stopped_process_can_still_end(self) -> None:
        supervisor = self.supervisor("polite.py")
        pid = await self.up(supervisor)
        os.kill(pid, signal.SIGSTOP)
        await soon(lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED)
        facts = await supervisor.restart()
        self.assertEqual(facts["ended"]["exitCode"], 0)
        self.assertEqual(self.noted("finally"), [pid])

    async def test_a_native_login_holds_sigint_back_and_still_logs_out(self) -> None:
        supervisor = self.supervisor("native.py", "1")
        pid = await self.up(supervisor)
        pids = tree(supervisor.guardian_pid)
        self.assertEqual(len(pids), 3)
        facts = await supervisor.stop_worker()
        self.assertEqual((facts["ended"]["exitCode"], facts["ended"]["signal"]), (0, "SIGINT"))
        self.assertEqual(self.noted("finally"), [pid])
        self.assertFalse(any(map(alive, pids)))

    async def test_dozens_of_stubborn_children_and_a_daemon_are_gone(self) -> None:
        supervisor = self.supervisor("family.py", "40", **SHORT)
        await self.up(supervisor)
        await soon(lambda: len(self.noted("child")) == 40)
        pids = tree(supervisor.guardian_pid)
        self.assertEqual(len(pids), 41)
        await supervisor.stop_worker()
        self.assertFalse(any(map(alive, pids)))


class DyingTests(RealTestCase):
    async def test_any_exit_is_told_and_followed_by_a_start(self) -> None:
        for how, code, name, cause in (
            ("0", 0, None, "other"),
            ("3", 3, None, "other"),
            ("-9", None, "SIGKILL", "other"),
            ("-11", None, "SIGSEGV", "native-crash"),
        ):
            with self.subTest(how=how):
                supervisor = self.supervisor("ending.py", how, "0.3")
                supervisor.start()
                event = await self.is_told("exited")
                self.assertFalse(supervisor.running)
                self.assertEqual((event["exitCode"], event["signal"]), (code, name))
                self.assertEqual((event["class"], event["asked"]), (cause, False))
                self.assertEqual(event["stderr"], ["the last words"])
                ended = supervisor.status()["lastExit"]
                self.assertEqual(ended["lastLine"], "the last words")
                self.assertNotIn("lastLine", supervisor.health()["lastExit"], "anybody may ask")
                backoff = await self.is_told("backoff")
                self.assertLessEqual(backoff["nextStartIn"], 0.1)
                await soon(lambda: len(self.noted("start")) == 2)
                last = supervisor.health()["lastExit"]
                self.assertEqual((last["code"], last["signal"]), (code, name))
                await supervisor.stop()

    async def test_a_crash_loop_ends_in_fatal_until_someone_asks(self) -> None:
        supervisor = self.supervisor("ending.py", "1", fatal_after=3, backoff_first=0.01)
        supervisor.start()
        event = await self.is_told("fatal")
        self.assertEqual(len(self.noted("start")), 3)
        self.assertIsNone(event["nextStartAt"])
        self.assertEqual(event["exitCode"], 1)
        error = await self.assertFailure(supervisor.restart(), FailedAtOnceError)
        self.assertIn("the last words", error.details)
        await self.is_told("fatal", 2)
        self.assertEqual(len(self.noted("start")), 6)

    async def test_a_grandchild_that_holds_stdout_delays_nothing(self) -> None:
        supervisor = self.supervisor("native.py", "0", patience_strays=2.0 * PATIENCE)
        pid = await self.up(supervisor)
        strays = tree(supervisor.guardian_pid) - {pid}
        os.kill(pid, signal.SIGKILL)
        await soon(lambda: not supervisor.running)
        await self.is_told("running", 2)
        self.assertFalse(any(map(alive, strays)))
        self.assertNotEqual(supervisor.pid, pid)

    async def test_children_left_behind_are_gone_before_the_next_start(self) -> None:
        supervisor = self.supervisor("family.py", "5", "leave", fatal_after=1)
        supervisor.start()
        await self.is_told("fatal")
        self.assertEqual(len(self.noted("child")), 5)
        self.assertFalse(any(map(alive, self.noted("child"))))

    async def test_closed_pipes_mean_nothing(self) -> None:
        supervisor = self.supervisor("output.py", "shut")
        await self.up(supervisor, "shut")
        self.assertTrue(supervisor.running)
        facts = await supervisor.stop_worker()
        self.assertEqual(facts["ended"]["signal"], "SIGINT")

    async def test_the_worker_of_a_killed_guardian_is_found_and_replaced(self) -> None:
        supervisor = self.supervisor("polite.py")
        pid = await self.up(supervisor)
        os.kill(supervisor.guardian_pid, signal.SIGKILL)
        await self.is_told("running", 2)
        self.assertFalse(alive(pid))
        self.assertEqual(self.noted("finally"), [pid])
        self.flushLoggedErrors()

    async def test_the_stubborn_worker_of_a_killed_guardian_is_killed(self) -> None:
        supervisor = self.supervisor("stubborn.py", "both", **SHORT)
        pid = await self.up(supervisor)
        os.kill(supervisor.guardian_pid, signal.SIGKILL)
        await self.is_told("running", 2)
        self.assertFalse(alive(pid))

    async def test_health_is_true_while_what_a_killed_guardian_guarded_is_ended(self) -> None:
        supervisor = self.supervisor("family.py", "3", patience_strays=1.0)
        pid = await self.up(supervisor)
        await soon(lambda: len(self.noted("child")) == 3)
        os.kill(supervisor.guardian_pid, signal.SIGKILL)
        event = await self.is_told("exited")
        self.assertEqual((event["asked"], supervisor.running), (False, False))
        self.assertFalse(alive(pid))
        self.assertTrue(any(map(alive, self.noted("child"))))
        await self.is_told("running", 2)
        self.assertFalse(any(map(alive, self.noted("child")[:3])))


class LaunchTests(RealTestCase):
    async def test_what_can_not_be_run_is_told_and_the_gateway_lives(self) -> None:
        folder = self.new_folder()
        script = folder / "python"
        script.write_text("#!/nowhere/at/all\n")
        script.chmod(0o755)
        plain = folder / "plain"
        plain.write_text("no program")
        for changes, word in (
            ({"main": folder / "main.py"}, "no file"),
            ({"main": folder}, "no file"),
            ({"python": "no-such-python"}, "not a program"),
            ({"python": str(plain)}, "not a program"),
            ({"python": str(script)}, "No such file"),
        ):
            with self.subTest(**changes):
                supervisor = self.supervisor("polite.py", **changes)
                supervisor.start()
                event = await self.is_told("fatal")
                self.assertEqual(event["class"], "launch")
                self.assertIn(word, event["message"])
                error = await self.assertFailure(supervisor.restart(), LaunchError)
                self.assertIn(word, error.details)
                self.assertEqual((supervisor.state, supervisor.running), ("fatal", False))

    async def test_a_running_worker_is_not_stopped_for_one_that_can_not_start(self) -> None:
        supervisor = self.supervisor("polite.py")
        main = self.folder / "main.py"
        for name in ("polite.py", "journal.py"):
            (self.folder / name).write_text((CHILDREN / name).read_text())
        (self.folder / "polite.py").rename(main)
        supervisor = self.supervisor(main)
        pid = await self.up(supervisor)
        main.unlink()
        await self.assertFailure(supervisor.restart(), LaunchError)
        self.assertEqual((supervisor.pid, alive(pid)), (pid, True))

    async def test_a_working_folder_that_is_deleted_meanwhile_is_named(self) -> None:
        folder = self.new_folder()
        supervisor = self.supervisor("polite.py", cwd=folder)
        command = Launcher.command

        def deleting(launcher: Launcher, *arguments: object) -> object:
            made = command(launcher, *arguments)
            folder.rmdir()
            return made

        self.patch(Launcher, "command", deleting)
        supervisor.start()
        event = await self.is_told("fatal")
        self.assertIn(f"{folder} was deleted", event["message"])

    async def test_without_descriptors_the_request_fails_and_later_ones_work(self) -> None:
        supervisor = self.supervisor("polite.py")
        await deferLater(reactor, 0)  # it runs, and has what it needs
        with descriptors(3):
            error = await self.assertFailure(supervisor.start_worker(), LaunchError)
        self.assertIn("no process can be made", error.details)
        await self.is_told("running")


@contextmanager
def descriptors(number: int) -> Iterator[None]:
    """So many are left in this process: what the system bounds is their numbers, not how many."""
    gc.collect()  # what nobody refers to any more would be closed meanwhile
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    listed = list(Path("/proc/self/fd").iterdir())
    used = {int(each.name) for each in listed if each.is_symlink()}  # that of the list is closed
    free = [each for each in range(len(used) + number + 1) if each not in used]
    resource.setrlimit(resource.RLIMIT_NOFILE, (free[number] if number else 1, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class ShortageTests(RealTestCase):
    async def test_a_worker_settles_while_no_descriptor_is_left(self) -> None:
        supervisor = self.supervisor("polite.py", settle=0.5)
        supervisor.start()
        await soon(lambda: supervisor.running)
        with descriptors(0):
            await self.is_told("running")
            self.assertIsNone(supervisor.status()["memoryBytes"])
        self.assertEqual(self.told.count("exited"), 0)

    async def test_a_worker_without_guardian_is_found_when_there_are_some_again(self) -> None:
        supervisor = self.supervisor("polite.py")
        pid = await self.up(supervisor)
        looks: list[str] = []

        def watch(module: Any, name: str) -> None:
            """Count its calls."""
            looking = getattr(module, name)
            self.patch(module, name, lambda *given: looks.append(name) or looking(*given))

        watch(proc, "holders")  # it comes first, where there is proc(5)
        watch(psutil, "pids")
        with descriptors(0):
            os.kill(supervisor.guardian_pid, signal.SIGKILL)
            await soon(lambda: len(looks) > 2)
        await self.is_told("running", 2)
        self.assertFalse(alive(pid))

    async def test_starts_wait_until_there_are_some_again(self) -> None:
        supervisor = self.supervisor("polite.py", fatal_after=2, backoff_max=0.1)
        self.patch(gate, "RECHECK", 0.05)
        asked: list[object] = []
        supervisor.gate.checks.append(lambda **who: asked.append(who))
        await deferLater(reactor, 0)  # it runs, and has what it needs
        with descriptors(0):
            supervisor.start()
            event = await self.is_told("backoff")
            await soon(lambda: len(asked) > 5)
        self.assertIn("Too many open files", event["message"])
        await self.is_told("running")
        self.assertNotIn("fatal", self.told)


class PauseTests(RealTestCase):
    async def test_a_pause_heard_during_a_restart_holds_for_it(self) -> None:
        supervisor = self.supervisor("account.py", "release")
        await self.up(supervisor, "in")
        answer = outcome(supervisor.restart())
        await self.is_told("stopping")
        supervisor.heard("python_error", {"error": "StatusCode: 503, Detail: banned"})
        (self.folder / "release").touch()
        await soon(lambda: answer)
        self.assertIsInstance(answer[0], PausedError)
        event = await self.is_told("backoff")
        self.assertGreater(event["nextStartIn"], 50)
        self.assertEqual(len(self.noted("in")), 1)


class ConcurrencyTests(RealTestCase):
    async def test_fifty_restarts_are_at_most_two(self) -> None:
        supervisor = self.supervisor("polite.py")
        first = await self.up(supervisor)
        answers = await gatherResults([supervisor.restart() for _ in range(50)])
        self.assertEqual({facts["oldPid"] for facts in answers}, {first})
        self.assertEqual({facts["newPid"] for facts in answers}, {supervisor.pid})
        self.assertLessEqual(len(self.noted("start")), 3)
        await soon(lambda: supervisor.log_tail(99)[-1:] and "up" in supervisor.log_tail(99)[-1])
        await supervisor.stop_worker()
        self.assertEqual(sorted(self.noted("start")), sorted(self.noted("finally")))

    async def test_restarts_in_every_state_are_answered(self) -> None:
        supervisor = self.supervisor("polite.py")
        supervisor.start()
        during_start = outcome(supervisor.restart())
        await soon(lambda: during_start)
        during_stop = supervisor.stop_worker(), supervisor.restart()
        for answer in during_stop:
            await answer
        os.kill(supervisor.pid, signal.SIGKILL)
        await self.is_told("exited")
        facts = await supervisor.restart()
        self.assertEqual(facts["newPid"], supervisor.pid)

    async def test_a_stop_of_the_gateway_at_any_moment_leaves_nothing(self) -> None:
        for moment in ("start", "running", "stopping", "backoff"):
            with self.subTest(moment=moment):
                supervisor = self.supervisor("polite.py", backoff_first=30.0)
                supervisor.start()
                if moment != "start":
                    await self.is_running(supervisor)
                if moment == "stopping":
                    supervisor.restart().addErrback(lambda _: None)
                if moment == "backoff":
                    os.kill(supervisor.pid, signal.SIGKILL)
                    await self.is_told("backoff")
                await gatherResults([supervisor.stop(), supervisor.stop()])
                self.assertEqual(
                    (supervisor.state, tree(supervisor.guardian_pid)), ("stopped", set())
                )
                self.assertFalse(any(map(alive, self.noted("start"))))

    async def test_a_second_stop_ends_all_patience(self) -> None:
        supervisor = self.supervisor("stubborn.py", "both", patience_login=50.0)
        pid = await self.up(supervisor)
        first = supervisor.stop()
        await supervisor.stop(now=True)
        await first
        self.assertFalse(alive(pid))
