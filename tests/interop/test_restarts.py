"""Stock clients come back by themselves after any end of the gateway."""

import signal
import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.interop.agents import Agent, node_client, python_client
from tests.interop.service import Service, free_port

TRANSPORTS = ("polling", "websocket", "default")


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
        clients = {}
        for transports in TRANSPORTS:
            for version in ("2", "4"):
                agent = node_client(self.service.url, transports, version=version)
                clients[f"socket.io-client {version}, {transports}"] = agent
            clients[f"python-socketio, {transports}"] = python_client(self.service.url, transports)
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
