"""Stock clients that poll over a long way, while much is said."""

import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.interop.agents import Agent, node_client, python_client
from tests.interop.delay import DelayingProxy
from tests.interop.service import Service, free_port

ROUND_TRIP = 0.1
CODES = 40


class FarTests(SynchronousTestCase):
    def setUp(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir(parents=True)
        port = free_port()
        service = Service(Path(tempfile.mkdtemp(dir=folder)), port, "--no-worker")
        self.addCleanup(service.close)
        service.until("answer", service.answers)
        self.speaker = self.agent(node_client(service.url, "websocket"))
        proxy = DelayingProxy(port, ROUND_TRIP / 2)
        self.addCleanup(proxy.close)
        self.url = proxy.url

    def agent(self, agent: Agent) -> Agent:
        self.addCleanup(agent.close)
        agent.hear("connected")
        return agent

    def polling(self) -> dict[str, Agent]:
        clients = {
            "node": node_client(self.url, "polling"),
            "node, fetch": node_client(self.url, "fetch"),
            "python": python_client(self.url, "polling"),
        }
        return {name: self.agent(agent) for name, agent in clients.items()}

    def test_each_hears_the_newest_of_every_key_and_all_without_one(self) -> None:
        clients = self.polling()
        count = 2000
        self.speaker.tell("stream", count, 1000, CODES)
        for number in range(20):
            self.speaker.tell("emit", "unkeyed", number)
        for name, client in clients.items():
            newest: dict[str, int] = {}
            unkeyed, heard = [], 0
            while len(newest) < CODES or min(newest.values()) < count - CODES:
                event, value = client.hear("event")["event"]
                if event == "unkeyed":
                    unkeyed.append(value)
                    continue
                heard += 1
                self.assertGreater(value["seq"], newest.get(value["code"], -1), name)
                newest[value["code"]] = value["seq"]
            self.assertEqual(unkeyed, list(range(20)), name)
            if name == "python":  # 16 packets an answer: it cannot have heard them all
                self.assertLess(heard, count)
        for client in clients.values():
            self.speaker.tell("emit", "end", {})
            client.events_until("end")
            self.assertEqual([each for each in client._kept if "disconnected" in each], [])
