"""Processes that are forked from a stock are as if they had been started."""

import json
import os
import signal
from pathlib import Path
from subprocess import PIPE, TimeoutExpired

from twisted.trial.unittest import SynchronousTestCase

from tests.patience import PATIENCE
from tests.warm import Warm, start

TELL = """
import json, os, sys
print(json.dumps([__name__, sys.argv, sys.orig_argv, os.getcwd(), dict(os.environ), sys.path]))
print(*(each for each in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{each}")))
"""


class WarmTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()

    def start(self, *command: str | Path, **env: str) -> Warm:
        process = start(command, cwd=self.folder, env=env, stdin=PIPE, stdout=PIPE)
        self.addCleanup(process.stdin.close)
        self.addCleanup(process.stdout.close)
        return process

    def test_it_has_what_it_is_given_and_nothing_else(self) -> None:
        script = self.folder / "script.py"
        script.write_text(TELL)
        for first, command in (
            ("", ["-c", TELL, "-n", "more"]),
            (str(self.folder), [str(script), "-n", "more"]),
        ):
            process = self.start(*command, PYTHONPATH="/a:/b", X="1")
            name, argv, original, cwd, environ, path = json.loads(process.stdout.readline())
            self.assertEqual(name, "__main__")
            self.assertEqual(argv, [command[0], "-n", "more"])
            self.assertEqual(original[1:], command)
            self.assertEqual((cwd, environ), (str(self.folder), {"PYTHONPATH": "/a:/b", "X": "1"}))
            self.assertEqual(path[:3], [first, "/a", "/b"])
            self.assertEqual(process.stdout.readline(), "0 1 2\n")
            self.assertEqual(process.wait(PATIENCE), 0)

    def test_its_status_is_told_as_by_subprocess(self) -> None:
        for program, status in (
            ("raise SystemExit(3)", 3),
            ("import os; os.kill(os.getpid(), 9)", -9),
            ("", 0),
        ):
            self.assertEqual(self.start("-c", program).wait(PATIENCE), status)

    def test_it_runs_beside_others_until_it_ends_or_gets_a_signal(self) -> None:
        waiting, ending = (self.start("-c", "input()") for _ in range(2))
        self.assertIsNone(waiting.poll())
        self.assertRaises(TimeoutExpired, waiting.wait, 0.01)
        ending.stdin.write("\n")
        ending.stdin.flush()
        self.assertEqual(ending.wait(PATIENCE), 0)
        self.assertEqual(ending.poll(), 0)
        waiting.terminate()
        self.assertEqual(waiting.wait(PATIENCE), -signal.SIGTERM)
        waiting.kill()  # in vain
        self.assertRaises(ProcessLookupError, os.kill, waiting.pid, 0)
