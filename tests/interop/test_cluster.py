"""Two gateways as their users run them, with one log; stock clients that lose one of them."""

from __future__ import annotations

import signal
import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.cluster.servers import PASSWORD, RedisServer
from tests.interop.agents import Agent, node_client
from tests.interop.proxy import Proxy
from tests.interop.service import Service, started
from tests.optional import package
from tests.ports import free_port

KEY = "6f1d" * 16


class ClusterTests(SynchronousTestCase):
    def setUp(self) -> None:
        package("hiredis")
        self.redis = RedisServer("--requirepass", PASSWORD)
        self.addCleanup(self.redis.close)
        self.folder = Path(tempfile.mkdtemp(dir=self.redis.folder))
        (self.folder / "key").write_text(KEY)
        (self.folder / "password").write_text(PASSWORD)
        self.ports = [free_port(), free_port()]
        self.services = [self.start(number) for number in (0, 1)]
        for service in self.services:
            service.until("log", lambda service=service: self.status(service)["cutOff"] is None)

    def start(self, number: int) -> Service:
        folder = self.folder / f"g{number}"
        folder.mkdir()
        service = started(
            folder,
            "--no-worker",
            f"--cluster={self.redis.url}",
            f"--cluster-key-file={self.folder / 'key'}",
            f"--cluster-password-file={self.folder / 'password'}",
            f"--gateway-name=g{number}",
            port=self.ports[number],
        )
        self.addCleanup(service.close)
        return service

    def status(self, service: Service) -> dict:
        return service.request("/status")[1]["cluster"]

    def agent(self, url: str, transport: str, **auth: object) -> Agent:
        agent = node_client(url, transport, **auth)
        self.addCleanup(agent.close)
        self.assertFalse(agent.hear("connected")["recovered"])
        return agent

    def heard_until(self, client: Agent, last: int) -> list[int]:
        """The numbers of the ticks that `client` hears, up to `last`."""
        heard: list[int] = []
        while not heard or heard[-1] != last:
            name, value = client.hear("event")["event"][:2]
            if name == "market_tick":
                heard.append(value["seq"])
        return heard

    def test_who_loses_a_gateway_goes_on_at_another_and_redis_may_hang_meanwhile(self) -> None:
        proxy = Proxy(self.ports[0])
        self.addCleanup(proxy.close)
        clients = [
            self.agent(proxy.url, transport, recover=True) for transport in ("websocket", "polling")
        ]
        speaker = self.agent(self.services[1].url, "websocket")
        speaker.tell("stream", 100, 1000, 100)
        for client in clients:
            self.assertEqual(self.heard_until(client, 99), list(range(100)))
        self.services[0].stop(signal.SIGKILL)
        proxy.pause()
        speaker.tell("stream", 300, 1000, 100)
        self.services[1].until("events", lambda: self.relayed(self.services[1]) >= 400)
        proxy.lead_to(self.ports[1])
        proxy.go_on()
        for client in clients:
            self.assertTrue(client.hear("connected")["recovered"])
            self.assertEqual(self.heard_until(client, 299), list(range(300)))
        # The server hangs: own clients are served, and the balancer is told.
        self.redis.signal(signal.SIGSTOP)
        self.services[1].until("503", lambda: self.services[1].request("/readyz")[0] == 503)
        self.assertIn("cut off", self.services[1].request("/readyz")[1]["reason"])
        speaker.tell("emit", "market_tick", {"code": "A", "seq": -1})
        for client in clients:
            self.assertEqual(self.heard_until(client, -1), [-1])
        self.redis.signal(signal.SIGCONT)
        self.services[1].until("200", lambda: self.services[1].request("/readyz")[0] == 200)

    def relayed(self, service: Service) -> int:
        events: int = service.request("/status")[1]["relay"]["events"]
        return events
