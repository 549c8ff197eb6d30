"""What a start does not import, since most gateways never need it, or only when somebody asks."""

import json
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).parents[2]
STARTED = """
import json, sys
from twisted.internet import reactor

def tell():
    print(json.dumps(sorted(sys.modules)), file=sys.__stdout__, flush=True)
    reactor.stop()

reactor.callWhenRunning(tell)
sys.argv[1:] = ["-n", "--pidfile=", "--logfile=twistd.log", "sjgateway", "--port=0"]
from twisted.scripts.twistd import run
run()
"""
LISTENING = """
import json, os, sys

def tell(event, _):
    if event == "socket.bind":
        print(json.dumps(sorted(sys.modules)), flush=True)
        os._exit(0)

sys.addaudithook(tell)
sys.argv[1:] = ["-n", "--pidfile=", "sjgateway"]
from twisted.scripts.twistd import run
run()
"""
"""Ends when the first port is opened."""
BY_NEED = {
    "autobahn": "a frame that is no plain message",
    "backports.zstd": "--record",
    "compression.zstd": "--record",
    "gateway.history.recording": "--record",
    "gateway.ops.alerts.posting": "--alert-file",
    "gateway.ops.doctor": "--check",
    "gateway.web.websocket.fallback": "a frame that is no plain message",
    "hiredis": "--cluster",
    "klein": "a REST route besides /health",
    "prometheus_client": "GET /metrics",
    "psutil": "a worker that runs",
    "treq": "--alert-file",
    "twisted.web.client": "--alert-file",
    "werkzeug": "a REST route besides /health",
}


class ImportTests(SynchronousTestCase):
    def started(self, script: str = STARTED, **environment: str) -> set[str]:
        """The modules of a gateway that has just started, in a folder without a main.py."""
        folder = Path(self.mktemp())
        folder.mkdir(parents=True)
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=folder,
            env={
                "PATH": "",
                "PYTHONPATH": str(ROOT),
                "STATE_DIRECTORY": str(folder.absolute()),
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return set(json.loads(done.stdout.splitlines()[-1]))

    def test_a_start_with_the_default_options(self) -> None:
        self.assertEqual(self.started() & set(BY_NEED), set())

    def test_ports_are_open_before_anything_that_takes_long_to_import(self) -> None:
        ours = {name for name in self.started(LISTENING) if name.startswith("gateway.")}
        rooms = {".".join(name.split(".")[1:3]) for name in ours}
        self.assertLess(len(ours), 30, sorted(ours))
        self.assertEqual({each for each in rooms if each.startswith(("relay", "worker"))}, set())

    def test_alerts_bring_in_an_http_client(self) -> None:
        modules = self.started(SJGATEWAY_ALERT_URLS="https://localhost:1/")
        self.assertLess({"treq", "twisted.web.client"}, modules)
