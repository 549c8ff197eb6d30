"""A worker that connects late, or with a client that is too old: what people are told."""

import os
from pathlib import Path
from typing import Any

import attrs
from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from gateway.app import assembly
from gateway.options import Settings
from tests.patience import PATIENCE
from tests.worker.real import soon

SILENT = """
import os, sys, time, urllib.error, urllib.request
url = os.environ["GATEWAY_URL"] + "/socket.io/?EIO=3&transport=polling"
if "old" in sys.argv:
    try:
        urllib.request.urlopen(url)
    except urllib.error.HTTPError:
        pass
import socketio
while not os.path.exists("go"):
    time.sleep(0.02)
client = socketio.Client(request_timeout=60)
client.connect(os.environ["GATEWAY_URL"], wait_timeout=60)
client.wait()
"""


class UnconnectedTests(TestCase):
    timeout = 2 * PATIENCE

    def start(self, *arguments: str) -> Any:
        """The supervisor of a gateway whose patience is short."""
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        (self.folder / "main.py").write_text(SILENT)
        made = assembly.worker_settings
        self.patch(
            assembly,
            "worker_settings",
            lambda *given: attrs.evolve(made(*given), connected_within=0.5),
        )
        settings = Settings(
            port=0,
            main=self.folder / "main.py",
            python=os.sys.executable,
            state_dir=self.folder / "state",
            worker_args=arguments,
        )
        made_of = assembly.GatewayAssembly(settings, reactor)
        made_of.gateway.startService()
        self.addCleanup(made_of.gateway.stopService)
        return made_of.supervisor

    async def test_a_worker_that_connects_late_and_says_nothing(self) -> None:
        supervisor = self.start()
        await soon(lambda: supervisor.status()["unconnected"] == "url", "the reason")
        (self.folder / "go").touch()
        await soon(lambda: supervisor.status()["unconnected"] is None, "the connection")

    async def test_a_worker_whose_client_is_too_old(self) -> None:
        supervisor = self.start("old")
        await soon(lambda: supervisor.status()["unconnected"] == "engineio3", "the reason")
