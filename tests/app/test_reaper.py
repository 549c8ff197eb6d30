"""A first process collects orphans; run in a process of its own, with children of its own."""

import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.patience import PATIENCE

SCRIPT = """
import os
from twisted.internet import protocol, reactor
from gateway.app.service import periodic
from functools import partial
from gateway.app.process import reap_orphans
from gateway.system.system import this_system

system = this_system(portable={portable})
os.getpid = lambda: 1
status = []

class Ours(protocol.ProcessProtocol):
    def processEnded(self, reason):
        status.append(reason.value.exitCode)

def orphan():
    pid = os.fork()
    if not pid:
        os._exit(7)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # dead, and nobody collected it
    return pid

def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False

orphans = [orphan(), orphan()]

def look():
    if status and all(map(gone, orphans)):
        reactor.stop()
    else:
        reactor.callLater(0.02, look)

reap = partial(reap_orphans, system)
reactor.callWhenRunning(periodic(reactor, 'Collecting', 0.05, reap).startService)
reactor.callWhenRunning(reactor.spawnProcess, Ours(), "/bin/sh", ["sh", "-c", "exit 3"])
reactor.callWhenRunning(look)
reactor.run()
print(status)
"""


class ReaperTests(SynchronousTestCase):
    def test_orphans_go_and_the_reactors_own_keep_their_status(self) -> None:
        self.collects(portable=False)

    def test_so_does_a_first_process_that_knows_only_posix(self) -> None:
        self.collects(portable=True)

    def collects(self, *, portable: bool) -> None:
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT.replace("{portable}", str(portable))],
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "[3]\n", ""))
