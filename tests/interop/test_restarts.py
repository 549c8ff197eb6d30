"""Stock clients come back by themselves after any end of the gateway."""

import signal
import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.interop.agents import Agent, node_client, python_client
from tests.interop.service import Service
from tests.ports import free_port

TRANSPORTS = ("polling", "websocket", "default")
VERSIONS = {"2": TRANSPORTS, "3": ("polling",), "4.0": ("polling",), "4": TRANSPORTS}
"""Of socket.io-client; the ends of a WebSocket are alike for all."""


class RestartTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir(parents=True)
        self.port = free_port()
        self.service = self.start()

    def start(self) -> Service:
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        service = Service(folder, self.port, "--no-worker", "--eio3")
        self.addCleanup(service.close)
        service.until("answer", service.answers)
        return service

    def everybody(self) -> dict[str, Agent]:
        clients = {
            f"socket.io-client {version}, {kind}": node_client(
                self.service.url, kind, version=version
            )
            for version, kinds in VERSIONS.items()
            for kind in kinds
        }
        for kind in TRANSPORTS:
            clients[f"python-socketio, {kind}"] = python_client(self.service.url, kind)
        for agent in clients.values():
            self.addCleanup(agent.close)
            agent.hear("connected")
        return clients

    def restart(self, clients: dict[str, Agent], number: signal.Signals) -> None:
        self.service.stop(number)
        self.service = self.start()
        for agent in clients.values():
            agent.hear("disconnected")
            agent.hear("connected")  # raises, with what was heard instead

    def test_after_sigterm_while_they_listen_and_sigkill_while_they_speak(self) -> None:
        clients = self.everybody()
        self.restart(clients, signal.SIGTERM)
        for agent in clients.values():
            agent.tell("emit", "tick", {"code": "A"})
        self.restart(clients, signal.SIGKILL)
