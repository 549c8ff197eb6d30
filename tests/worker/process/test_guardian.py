"""The guardian, spoken to by its descriptors.

Run as a module here, so that its lines are seen by coverage; `test_orphans` and
`test_faults` run it as the gateway does.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
from twisted.trial.unittest import SynchronousTestCase

from gateway.worker.process.guarding.linux_tree import LinuxTree
from gateway.worker.process.guarding.words import now
from tests.patience import PATIENCE
from tests.system.this import SYSTEM, linux_only
from tests.worker.real import CHILDREN, alive

RUN = """
import os, runpy, sys
given = [os.dup(int(fd)) for fd in sys.argv[1:]]
os.closerange(3, given[0])
for target, fd in enumerate(given, 3):
    os.dup2(fd, target)
os.closerange(3 + len(given), 64)
runpy.run_module("gateway.worker.process.guardian", run_name="__main__")
"""


class Guarded:
    """A guardian and the ends of its pipes."""

    def __init__(self, *more: int, errors: int = subprocess.DEVNULL) -> None:
        """`more`: the lock and the door; `errors`: where the worker's stderr goes."""
        reports, theirs = os.pipe()
        self.output, worker_output = os.pipe()
        self.reports = os.fdopen(reports, "rb", buffering=0)
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                RUN,
                *map(str, (theirs, *more)),
            ],
            stdin=subprocess.PIPE,
            stdout=worker_output,
            stderr=errors,
            pass_fds=(theirs, *more),
            cwd=CHILDREN.parents[1],
        )
        os.close(theirs)
        os.close(worker_output)
        self.text = b""

    def say(self, line: str) -> None:
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def start(self, script: str, *arguments: str, **changes: Any) -> None:
        what = {
            "argv": [sys.executable, "-u", str(CHILDREN / script), *arguments],
            "cwd": str(CHILDREN),
            "env": {},
            "patience": [PATIENCE] * 3,
            "system": SYSTEM.name,
            **changes,
        }
        self.say(json.dumps(what))

    def report(self) -> str:
        """The next line."""
        while b"\n" not in self.text:
            readable, _, _ = select.select([self.reports], [], [], PATIENCE)
            data = self.reports.read(4096) if readable else b""
            if not data:
                return ""
            self.text += data
        line, _, self.text = self.text.partition(b"\n")
        return line.decode()

    def rest(self) -> list[str]:
        """All the lines until the guardian is gone."""
        lines = []
        while line := self.report():
            lines.append(line)
        self.process.wait(PATIENCE)
        return lines

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.reports.close()
        os.close(self.output)


class GuardianTests(SynchronousTestCase):
    def guarded(self, script: str, *arguments: str, **changes: Any) -> tuple[Guarded, int]:
        guarded = Guarded()
        self.addCleanup(guarded.close)
        guarded.start(script, *arguments, **changes)
        word, pid = guarded.report().split()
        self.assertEqual(word, "forked")
        self.assertEqual(guarded.report(), f"started {pid}")
        return guarded, int(pid)

    def test_stop_ends_a_polite_worker_by_sigint(self) -> None:
        guarded, _ = self.guarded("polite.py")
        os.read(guarded.output, 10)
        guarded.say("stop")
        self.assertEqual(guarded.rest(), ["sent SIGINT", "exited 0"])

    def test_stop_escalates(self) -> None:
        guarded, _ = self.guarded(
            "stubborn.py", "both", patience=[0.3, 0.2, 0.1], env={"JOURNAL": "/dev/stdout"}
        )
        os.read(guarded.output, 10)
        started = time.monotonic()
        guarded.say("stop")
        guarded.say("stop")
        self.assertEqual(
            guarded.rest(), ["sent SIGINT", "sent SIGTERM", "sent SIGKILL", "exited 9"]
        )
        self.assertGreaterEqual(time.monotonic() - started, 0.5)

    def test_the_end_of_a_lease_ends_a_worker_without_a_word(self) -> None:
        lease = {"until": now() + 1000, "patience": [PATIENCE, 5, 1]}
        guarded, _ = self.guarded("polite.py", lease=lease)
        os.read(guarded.output, 10)
        guarded.say(f"lease {now() + PATIENCE + 6}")
        self.assertEqual(guarded.rest(), ["expired", "sent SIGINT", "exited 0"])

    def test_no_word_keeps_a_worker_alive_past_it(self) -> None:
        """Neither the patience of a stop that was under way, nor a renewal that comes too late."""
        more = {"lease": {"until": now() + 1000, "patience": [0.3, 0.2, 1]}, "patience": [9999] * 3}
        guarded, pid = self.guarded("stubborn.py", "both", env={"JOURNAL": "/dev/stdout"}, **more)
        os.read(guarded.output, 10)
        guarded.say("stop")
        self.assertEqual(guarded.report(), "sent SIGINT")
        guarded.say(f"lease {now() + 1.5}")
        self.assertEqual(guarded.report(), "expired")
        with contextlib.suppress(BrokenPipeError):  # on a busy machine all may be over by now
            guarded.say(f"lease {now() + 1000}")
        *signals, end = guarded.rest()
        self.assertEqual((signals[-1], end), ("sent SIGKILL", "exited 9"))
        self.assertFalse(alive(pid))

    def test_no_worker_is_started_that_would_have_to_end_at_once(self) -> None:
        for until in (now() + 5, 0.0):
            guarded = Guarded()
            self.addCleanup(guarded.close)
            guarded.start("polite.py", lease={"until": until, "patience": [4, 2, 1]})
            self.assertEqual(guarded.rest(), ["failed 110 the right to run a worker has ended"])

    @linux_only
    def test_a_signal_that_python_handles_is_for_the_main_thread(self) -> None:
        """Of a process that is stopped: its own signals wait apart from the shared ones."""
        program = "import time; print(flush=True); time.sleep(600)"
        child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
        self.addCleanup(child.communicate)
        self.addCleanup(child.kill)
        child.stdout.readline()  # Python has its handler
        child.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, child.pid, os.WSTOPPED)
        LinuxTree().send(child.pid, signal.SIGINT)
        status = Path(f"/proc/{child.pid}/status").read_text()
        pending = dict(line.split(":\t") for line in status.splitlines() if "Pnd" in line)
        self.assertEqual((int(pending["SigPnd"], 16), int(pending["ShdPnd"], 16)), (2, 0))

    @linux_only
    def test_the_main_thread_is_interrupted_whatever_threads_there_are(self) -> None:
        guarded, _ = self.guarded("threads.py")
        os.read(guarded.output, 10)
        guarded.say("stop")
        self.assertEqual(guarded.rest(), ["sent SIGINT", "exited 0"])

    def test_a_worker_that_waits_for_signals_in_another_thread_gets_them(self) -> None:
        guarded, _ = self.guarded("threads.py", "sigwait")
        os.read(guarded.output, 10)
        guarded.say("stop")
        self.assertEqual(guarded.rest(), ["sent SIGINT", f"exited {5 << 8}"])

    def test_kill_doesnt_wait(self) -> None:
        guarded, _ = self.guarded("polite.py")
        os.read(guarded.output, 10)
        guarded.say("kill")
        self.assertEqual(guarded.rest(), ["sent SIGKILL", "exited 9"])

    def test_patience_may_change(self) -> None:
        guarded, _ = self.guarded("stubborn.py", env={"JOURNAL": "/dev/stdout"})
        os.read(guarded.output, 10)
        guarded.say(f"patience 0.1 {PATIENCE} {PATIENCE}")
        guarded.say("stop")
        self.assertEqual(guarded.rest(), ["sent SIGINT", "sent SIGTERM", "exited 15"])

    def test_the_end_of_the_lifeline_and_a_signal_mean_stop(self) -> None:
        for cut in (
            lambda guarded: guarded.process.stdin.close(),
            lambda guarded: guarded.process.send_signal(signal.SIGTERM),
            lambda guarded: guarded.process.send_signal(signal.SIGINT),
        ):
            guarded, _ = self.guarded("polite.py")
            os.read(guarded.output, 10)
            guarded.process.send_signal(signal.SIGHUP)
            cut(guarded)
            self.assertEqual(guarded.rest(), ["sent SIGINT", "exited 0"])

    def test_an_exit_is_told_before_what_it_leaves_is_ended(self) -> None:
        guarded, pid = self.guarded("family.py", "8", "leave", patience=[PATIENCE, PATIENCE, 0.1])
        self.assertEqual(guarded.report(), "exited 0")
        self.assertFalse(alive(pid))
        self.assertEqual(guarded.rest(), [])

    @linux_only
    def test_the_whole_tree_is_gone_when_the_guardian_is(self) -> None:
        guarded, _ = self.guarded("native.py", "0.1", env={"JOURNAL": "/dev/stdout"})
        text = b""
        while text.count(b"\n") < 3:
            text += os.read(guarded.output, 4096)
        tree = [child.pid for child in psutil.Process(guarded.process.pid).children(recursive=True)]
        self.assertEqual(len(tree), 3)
        guarded.say("stop")
        guarded.rest()
        self.assertFalse(any(map(alive, tree)))

    def read(self, guarded: Guarded, lines: int) -> list[str]:
        """So many lines of the output."""
        text = b""
        while text.count(b"\n") < lines:
            text += os.read(guarded.output, 4096)
        return [line.split()[0] for line in text.decode().splitlines()]

    def test_children_log_out_with_the_workers_patience(self) -> None:
        """One with a session of its own by SIGTERM, one of the worker's group by its SIGINT."""
        guarded, _ = self.guarded(
            "company.py", "0.4", patience=[PATIENCE, 0.1, PATIENCE], env={"JOURNAL": "/dev/stdout"}
        )
        self.read(guarded, 3)
        guarded.say("stop")
        self.assertEqual(guarded.rest(), ["sent SIGINT", "exited 0"])
        self.assertEqual(sorted(self.read(guarded, 2)), ["apart-out", "beside-out"])

    @linux_only
    def test_children_log_out_when_the_worker_ended_by_itself(self) -> None:
        guarded, pid = self.guarded(
            "company.py", "0.4", patience=[PATIENCE, 0.1, PATIENCE], env={"JOURNAL": "/dev/stdout"}
        )
        self.read(guarded, 3)
        os.kill(pid, signal.SIGKILL)
        self.assertEqual(guarded.report(), "exited 9")
        self.assertIn("apart-out", self.read(guarded, 2))
        guarded.say("kill")  # the other one ignores SIGTERM
        self.assertEqual(guarded.rest(), [])

    def test_children_that_ignore_everything_are_killed_after_the_patience(self) -> None:
        guarded, _ = self.guarded(
            "family.py", "3", patience=[PATIENCE, PATIENCE, 0.2], env={"JOURNAL": "/dev/stdout"}
        )
        self.read(guarded, 4)
        guarded.say("patience 0.1 0.2 0.2")
        guarded.say("stop")
        # On a busy machine SIGTERM may come before the worker has died of SIGINT.
        self.assertIn(guarded.rest()[-1], ("exited 2", "exited 15"))

    def test_the_worker_knows_its_guardian_or_does_not_live(self) -> None:
        """Who asks for the signal of its parent's death too late would never get it."""
        script = (
            "import os, sys; from gateway.worker.process.guarding import program as it;"
            "os.dup2(int(sys.argv[1]), it.STATUS);"
            "it.follow(it.tree(sys.argv[3]), os.getppid() + int(sys.argv[2])); os._exit(0)"
        )
        for shift, exit_code, said in ((0, 0, "forked {pid}\n"), (1, 1, "")):
            reports, theirs = os.pipe()
            child = subprocess.Popen(
                [sys.executable, "-c", script, str(theirs), str(shift), SYSTEM.name],
                pass_fds=(theirs,),
                cwd=CHILDREN.parents[1],
            )
            os.close(theirs)
            with os.fdopen(reports) as heard:
                self.assertEqual(heard.read(), said.format(pid=child.pid))
            self.assertEqual(child.wait(PATIENCE), exit_code)

    @linux_only
    def test_the_lock_is_the_workers_too(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir()
        file = os.open(folder / "lock", os.O_RDWR | os.O_CREAT)
        fcntl.flock(file, fcntl.LOCK_EX)
        guarded = Guarded(file)
        os.close(file)
        self.addCleanup(guarded.close)
        guarded.start("polite.py", env={"JOURNAL": "/dev/stdout"})
        self.read(guarded, 2)
        worker = int(guarded.report().split()[1])
        os.kill(worker, signal.SIGSTOP)
        guarded.process.kill()
        guarded.process.wait()
        with (folder / "lock").open() as another:
            self.assertRaises(BlockingIOError, fcntl.flock, another, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.kill(worker, signal.SIGCONT)
            fcntl.flock(another, fcntl.LOCK_EX)
        self.assertIn("finally", self.read(guarded, 1))

    def test_the_workers_pipes_are_the_workers_alone(self) -> None:
        guarded, pid = self.guarded("output.py", "shut")
        self.assertEqual(os.read(guarded.output, 10), b"")
        self.assertTrue(alive(pid))

    def test_what_can_not_be_run_is_told(self) -> None:
        for changes, errno in (
            ({"argv": ["/no/such/program"]}, 2),
            ({"argv": ["/dev/null"]}, 13),
            ({"cwd": "/no/such/folder"}, 2),
            ({"argv": ["a\0b"]}, 0),
        ):
            with self.subTest(**changes):
                guarded = Guarded()
                self.addCleanup(guarded.close)
                guarded.start("polite.py", **changes)
                *forked, report = guarded.rest()
                self.assertLessEqual(len(forked), 1)
                self.assertTrue(report.startswith(f"failed {errno} "), report)

    def test_a_gateway_that_goes_before_it_says_anything(self) -> None:
        guarded = Guarded()
        self.addCleanup(guarded.close)
        guarded.process.stdin.close()
        self.assertEqual(guarded.rest(), [])
        self.assertEqual(guarded.process.returncode, 0)

    def test_a_gateway_that_does_not_listen_any_more(self) -> None:
        guarded, pid = self.guarded("polite.py")
        os.read(guarded.output, 10)
        guarded.reports.close()
        guarded.process.stdin.close()
        guarded.process.wait(PATIENCE)
        self.assertFalse(alive(pid))

    def test_bytes_of_the_environment_are_kept(self) -> None:
        value = b"\xff\xfe \xe8\x87\xba".decode("latin-1")
        guarded, pid = self.guarded("polite.py", env={"ODD": value})
        os.read(guarded.output, 10)
        environ = Path(f"/proc/{pid}/environ").read_bytes()
        self.assertIn(b"ODD=\xff\xfe \xe8\x87\xba\0", environ)
