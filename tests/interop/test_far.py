"""Stock clients that poll over a long way, or because their upgrade hangs."""

import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.interop.agents import Agent, node_client, python_client
from tests.interop.delay import DelayingProxy, HangingProxy
from tests.interop.service import Service
from tests.patience import PATIENCE
from tests.ports import free_port

ROUND_TRIP = 0.1
POLLS = 30
CODES = 40


class FarTests(SynchronousTestCase):
    def setUp(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir(parents=True)
        port = free_port()
        self.port = port
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
                # python-socketio hears each event in a thread of its own, in any order.
                newest[value["code"]] = max(value["seq"], newest.get(value["code"], 0))
            self.assertEqual(sorted(unkeyed), list(range(20)), name)
            if name == "python":  # 16 packets an answer: it cannot have heard them all
                self.assertLess(heard, count)
        for client in clients.values():
            self.speaker.tell("emit", "end", {})
            client.events_until("end")
            self.assertEqual(client.passed_over("disconnected"), [])

    def test_while_its_upgrade_hangs_a_client_polls_ten_times_a_second_and_hears(self) -> None:
        proxy = HangingProxy(self.port)
        self.addCleanup(proxy.close)
        client = node_client(proxy.url)  # says that it is connected once it has upgraded
        self.addCleanup(client.close)
        polls = [proxy.polls.get(timeout=PATIENCE) for _ in range(POLLS)]
        self.assertLess((POLLS - 3) / (polls[-1] - polls[2]), 30)
        self.speaker.tell("emit", "tick", 1)
        self.assertEqual(client.hear("event")["event"], ["tick", 1])
