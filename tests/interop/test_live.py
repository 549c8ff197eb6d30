"""A live feed with everything at once: late joiners, upgrades, slow clients, a dead worker."""

import os
import signal
import socket
import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.interop.agents import Agent, node_client, python_client
from tests.interop.service import Service
from tests.ports import free_port

CODES = 300


class LiveTestCase(SynchronousTestCase):
    def gateway(self, *options: str) -> Service:
        folder = Path(self.mktemp())
        folder.mkdir(parents=True)
        service = Service(Path(tempfile.mkdtemp(dir=folder)), free_port(), *options)
        self.addCleanup(service.close)
        service.until("answer", service.answers)
        return service

    def agent(self, agent: Agent) -> Agent:
        self.addCleanup(agent.close)
        agent.hear("connected")
        return agent

    def sleeper(self, service: Service) -> None:
        """A client that connects, and never reads."""
        sleeper = socket.socket()
        self.addCleanup(sleeper.close)
        sleeper.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sleeper.connect(("127.0.0.1", int(service.url.rpartition(":")[2])))
        sleeper.sendall(
            b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\n"
            b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n\x81\x82\0\0\0\x0040"
        )

    def ticks_until(self, client: Agent, last: int) -> list[int]:
        """The numbers of the ticks that `client` hears, up to `last`."""
        heard: list[int] = []
        while not heard or heard[-1] != last:
            heard.append(self.next_tick(client))
        return heard

    def next_tick(self, client: Agent) -> int:
        """The number of the next tick; what else is told is passed over."""
        while (event := client.hear("event")["event"])[0] != "market_tick":
            pass
        return event[1]["seq"]


class StreamTests(LiveTestCase):
    def test_upgrades_lose_nothing_at_2000_events_a_second_beside_a_client_that_never_reads(
        self,
    ) -> None:
        service = self.gateway("--no-worker")
        for _ in range(3):
            self.sleeper(service)
        speaker = self.agent(node_client(service.url))
        speaker.tell("stream", 10**6, 2000, CODES)
        makers = (node_client, python_client, node_client)
        clients = [self.agent(make(service.url)) for make in makers]  # they have upgraded
        speaker.tell("stop")
        sent = speaker.hear("sent")["sent"]
        for client, make in zip(clients, makers, strict=True):
            heard = [self.next_tick(client)]
            while sent - 1 not in heard[-100:] or len(heard) < sent - min(heard):
                heard.append(self.next_tick(client))
            if make is python_client:  # it handles each event in a thread of its own
                heard.sort()
            self.assertEqual(heard, list(range(heard[0], sent)))


class LateTests(LiveTestCase):
    def joins_late(self, transports: str) -> None:
        service = self.gateway("--no-worker")
        speaker = self.agent(node_client(service.url, "websocket"))
        first = self.agent(node_client(service.url, "websocket"))
        speaker.tell("stream", 10_000, 20_000, CODES)
        self.ticks_until(first, 9999)
        late = self.agent(node_client(service.url, transports, snapshot=True, recover=True))
        speaker.tell("stream", 2000, 4000, CODES)
        newest = [late.hear("event")["event"][1] for _ in range(CODES)]
        self.assertEqual([tick["seq"] for tick in newest], list(range(10_000 - CODES, 10_000)))
        self.assertEqual(len({tick["code"] for tick in newest}), CODES)
        self.check(self.ticks_until(late, 1999), 2000, transports)
        late.tell("drop")
        speaker.tell("stream", 500, 4000, CODES)
        self.assertTrue(late.hear("connected")["recovered"])
        self.check(self.ticks_until(late, 499), 500, transports)

    def check(self, heard: list[int], sent: int, transports: str) -> None:
        """Everything; who polls may lack what a newer tick of its code replaced."""
        if transports == "polling":
            self.assertEqual(heard, sorted(set(heard)))
            self.assertEqual(heard[-CODES:], list(range(sent - CODES, sent)))
        else:
            self.assertEqual(heard, list(range(sent)))

    def test_a_late_joiner_has_the_last_of_each_code_and_then_the_stream(self) -> None:
        self.joins_late("websocket")

    def test_so_it_is_over_polling(self) -> None:
        self.joins_late("polling")


class DeadWorkerTests(LiveTestCase):
    def test_nobody_is_told_that_a_dead_worker_is_ready(self) -> None:
        service = self.gateway("--demo", "--main", str(Path(__file__).parents[2] / "main.py"))
        service.until("ready", lambda: service.request("/readyz")[0] == 200)
        watcher = self.agent(node_client(service.url, "websocket", snapshot=True))
        ready = {"shioaji_ready", "heartbeat", "contracts_loaded"}
        while watcher.hear("event")["event"][0] != "shioaji_ready":
            pass
        service.until(
            "tick", lambda: service.request("/status?codes=true")[1]["freshness"]["codes"]
        )
        os.kill(service.request("/status")[1]["pid"], signal.SIGKILL)
        awaited = {("python_status", "SIGKILL"), ("feed_status", "stale")}
        while awaited:
            name, value = watcher.hear("event")["event"]
            awaited -= {(name, value.get("signal")), (name, value.get("status"))}
        service.request("/stop-python", {})
        late = self.agent(node_client(service.url, "websocket", snapshot=True))
        told = [late.hear("event")["event"]]
        while told[-1][0] != "feed_status":
            told.append(late.hear("event")["event"])
        self.assertEqual(ready & {name for name, _ in told}, set())
        self.assertEqual(told[-1][1]["status"], "stale")
